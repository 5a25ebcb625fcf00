"""Where the data directory is, and what is said when there is no place for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from common.data_dir import VARIABLE, data_dir
from common.errors import DataDirUnavailable

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def plugin_dir(tmp_path: Path) -> Path:
    path = tmp_path / "plugins" / "Stash2Plex"
    path.mkdir(parents=True)
    return path


def config_dir(tmp_path: Path) -> dict[str, Any]:
    """A connection of a Stash whose configuration is there."""
    path = tmp_path / "config"
    path.mkdir(exist_ok=True)
    return {"Dir": str(path), "Port": 9999}


def test_variable_names_a_parent_with_a_directory_for_each_stash(
    tmp_path: Path, plugin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "parent"))
    stashes: list[dict[str, Any]] = [
        {"Dir": "/root/.stash", "Port": 9999},
        {"Dir": "/root/.stash", "Port": 9998},
        {"Dir": "C:\\Stash\\", "Port": 9999},
        {"Dir": "/home/ü ü", "Port": 9999},
        {"Dir": None, "Port": 9999},
    ]
    found = [data_dir(str(plugin_dir), stash) for stash in stashes]
    assert [os.path.relpath(path, tmp_path / "parent") for path in found] == [
        "root_.stash-9999",
        "root_.stash-9998",
        "C__Stash-9999",
        "home_ü_ü-9999",
        "default",
    ]
    assert all(os.path.isdir(path) for path in found)
    assert found == [data_dir(str(plugin_dir), stash) for stash in stashes]
    assert not (plugin_dir / "data").exists()


def test_relative_variable_does_not_depend_on_a_later_directory(
    tmp_path: Path, plugin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "here")
    monkeypatch.chdir(tmp_path)
    assert data_dir(str(plugin_dir), {}) == str(tmp_path / "here" / "default")


def test_without_the_variable_it_is_beside_the_plugin(tmp_path: Path, plugin_dir: Path) -> None:
    found = data_dir(str(plugin_dir), config_dir(tmp_path))
    assert found == str(plugin_dir / "data")
    assert stat.S_IMODE(os.stat(found).st_mode) == 0o700


def test_read_only_plugin_directory_leads_to_stashs_directory_for_good(tmp_path: Path, plugin_dir: Path) -> None:
    in_the_way = plugin_dir / "data"
    in_the_way.write_text("")
    elsewhere = str(tmp_path / "config" / "stash2plex-data")
    assert data_dir(str(plugin_dir), config_dir(tmp_path)) == elsewhere
    in_the_way.unlink()
    assert data_dir(str(plugin_dir), config_dir(tmp_path)) == elsewhere
    assert not in_the_way.exists()


def test_data_directory_in_the_plugin_wins_over_another(tmp_path: Path, plugin_dir: Path) -> None:
    (plugin_dir / "data").mkdir()
    connection = config_dir(tmp_path)
    (tmp_path / "config" / "stash2plex-data").mkdir()
    assert data_dir(str(plugin_dir), connection) == str(plugin_dir / "data")


def test_unwritable_data_directory_raises_and_is_not_replaced(
    tmp_path: Path, plugin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = plugin_dir / "data"
    beside.mkdir()
    # root may write anywhere: the answer of the system is what a test can change
    monkeypatch.setattr("common.data_dir.os.access", lambda path, mode: path != str(beside))
    with pytest.raises(DataDirUnavailable, match=rf"{beside} cannot be written to: .*{VARIABLE}"):
        data_dir(str(plugin_dir), config_dir(tmp_path))


@pytest.mark.parametrize("connection", [{}, {"Dir": None}, {"Dir": ""}, {"Dir": 5}])
def test_missing_directory_names_what_was_tried(plugin_dir: Path, connection: dict[str, Any]) -> None:
    (plugin_dir / "data").write_text("")
    with pytest.raises(DataDirUnavailable, match=f"{plugin_dir / 'data'} cannot be made: "):
        data_dir(str(plugin_dir), connection)


def test_parent_that_is_a_file_is_named(tmp_path: Path, plugin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with pytest.raises(DataDirUnavailable, match="cannot be made: Not a directory"):
        data_dir(str(plugin_dir), config_dir(tmp_path))
    assert not (plugin_dir / "data").exists()

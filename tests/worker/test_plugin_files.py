"""The plugin's files that are updated or removed while the worker lives."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from worker import plugin_files
from worker.plugin_files import CHECK_INTERVAL_S, UPDATE_TIME_S, PluginChange, PluginFiles, wait_for_update

pytestmark = pytest.mark.integration


class Ticks:
    """Monotonic seconds that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    found = Ticks()
    fake = SimpleNamespace(monotonic=lambda: found.now, sleep=found.sleep)
    monkeypatch.setattr(plugin_files, "time", fake)
    return found


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "Stash2Plex.yml"
    path.write_text("name: first")
    return path


def test_change_of_a_replaced_manifest_is_an_update_and_lasts(tmp_path: Path, manifest: Path, ticks: Ticks) -> None:
    files = PluginFiles(str(tmp_path))
    assert files.change() is None
    before = os.stat(manifest)
    (tmp_path / "new").write_text("name: second")
    os.replace(tmp_path / "new", manifest)
    assert files.change() is None, "it was checked a moment ago"
    ticks.sleep(CHECK_INTERVAL_S)
    assert files.change() is PluginChange.UPDATED
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))
    ticks.sleep(CHECK_INTERVAL_S)
    assert files.change() is PluginChange.UPDATED


def test_change_of_a_missing_manifest_is_a_removal(tmp_path: Path, manifest: Path, ticks: Ticks) -> None:
    files = PluginFiles(str(tmp_path))
    manifest.unlink()
    assert files.change() is PluginChange.REMOVED


def test_wait_for_update_returns_whether_the_plugin_is_complete(tmp_path: Path, manifest: Path, ticks: Ticks) -> None:
    assert wait_for_update(str(tmp_path))
    manifest.unlink()
    began = ticks.now
    assert not wait_for_update(str(tmp_path))
    assert ticks.now - began >= UPDATE_TIME_S

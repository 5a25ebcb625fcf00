"""Replacing a file that somebody reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from common import files

pytestmark = pytest.mark.unit


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    return str(tmp_path / "new"), str(tmp_path / "old")


def held(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """A reader has the file open for so many tries, as Windows tells it."""
    left, real = [times], os.replace

    def replace(source: str, target: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "The process cannot access the file", target)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)


def test_replace_waits_for_a_reader_on_windows(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "OPEN_FILES_BLOCK_REPLACE", True)
    held(monkeypatch, 3)
    files.replace(*pair)
    assert Path(pair[1]).read_text() == "new"


def test_not_for_ever(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "OPEN_FILES_BLOCK_REPLACE", True)
    monkeypatch.setattr(files, "REPLACE_TIMEOUT_S", 0.05)
    held(monkeypatch, 1_000)
    with pytest.raises(PermissionError):
        files.replace(*pair)
    assert Path(pair[1]).read_text() == "old"


def test_elsewhere_a_refusal_is_one(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "OPEN_FILES_BLOCK_REPLACE", False)
    held(monkeypatch, 1)
    with pytest.raises(PermissionError):
        files.replace(*pair)

"""Compiling the hooks' code in advance."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from worker.bytecode import PACKAGES, compile_for_hooks

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_compile_for_hooks_compiles_each_module_once(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert compile_for_hooks(str(plugin))
    made = sorted(plugin.glob("*/__pycache__/*.pyc"))
    assert {path.name.split(".")[0] for path in made} >= {
        "process",
        "hook_event",
        "handlers",
        "writer",
        "sql",
        "data_dir",
    }
    before = [path.stat().st_mtime_ns for path in made]
    assert compile_for_hooks(str(plugin))
    assert [path.stat().st_mtime_ns for path in made] == before
    source = plugin / "hooks" / "hook_event.py"
    os.utime(source, (1, 1))
    assert compile_for_hooks(str(plugin))
    assert [path.stat().st_mtime_ns for path in made] != before


def test_compile_for_hooks_in_a_read_only_directory_returns_false(plugin: Path) -> None:
    for package in PACKAGES:
        (plugin / package / "__pycache__").write_text("a file in the way")
    assert not compile_for_hooks(str(plugin))

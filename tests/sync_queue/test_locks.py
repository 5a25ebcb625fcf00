"""Locks that die with their holder, handed on to a child or, on Windows, not."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from sync_queue import locks

from .support import ROOT

HOLD = """
import sys
from sync_queue.locks import try_lock
print(try_lock(sys.argv[1]) is not None, flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    return child


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = locks.try_lock(path)
    assert first is not None
    assert locks.try_lock(path) is None
    other = locks.try_lock(str(tmp_path / "b.lock"))
    assert other is not None
    locks.unlock(first)
    again = locks.try_lock(path)
    assert again is not None
    for handle in (again, other):
        locks.unlock(handle)


def test_a_lock_ends_with_its_holder_however_that_dies(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    child = holder(path)
    try:
        assert locks.try_lock(str(path)) is None
    finally:
        child.kill()
        child.communicate()
    handle = locks.wait_lock(str(path), 20.0)
    assert handle is not None
    locks.unlock(handle)


def test_a_lock_outlives_the_descriptor_of_a_parent_that_passed_it_on(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    handle = locks.try_lock(path)
    assert handle is not None
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(handle,)
    )
    locks.unlock(handle)
    assert locks.try_lock(path) is None
    child.communicate()
    again = locks.try_lock(path)
    assert again is not None
    locks.unlock(again)


def test_waiting_for_a_lock_ends_when_it_is_free_or_the_time_is_over(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = locks.try_lock(path)
    assert first is not None
    began = time.monotonic()
    assert locks.wait_lock(path, 0.05) is None
    assert time.monotonic() - began >= 0.05
    timer = threading.Timer(0.1, locks.unlock, [first])
    timer.start()
    second = locks.wait_lock(path, 20.0)
    timer.join()
    assert second is not None
    locks.unlock(second)


def test_a_lock_that_cannot_be_opened_is_an_error_and_not_taken(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        locks.try_lock(str(tmp_path / "missing" / "a.lock"))


def test_a_refused_lock_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = locks.try_lock(path)
    assert first is not None
    free = os.dup(first)
    os.close(free)
    for _ in range(5):
        assert locks.try_lock(path) is None
    assert os.dup(first) == free
    os.close(free)
    locks.unlock(first)


def test_without_fcntl_the_lock_is_windows_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def locking(handle: int, mode: int, count: int) -> None:
        asked.append((mode, count))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    windows = types.ModuleType("msvcrt")
    windows.LK_NBLCK, windows.locking = 2, locking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr(locks, "fcntl", None)
    path = str(tmp_path / "a.lock")
    first = locks.try_lock(path)
    assert first is not None
    assert locks.try_lock(path) is None
    assert asked == [(2, 1), (2, 1)]
    locks.unlock(first)

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

from common import file_locks
from tests.sync_queue.support import ROOT

pytestmark = pytest.mark.integration

HOLD = """
import sys
from common.file_locks import try_lock
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


def test_lock_is_held_by_one_process(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = file_locks.try_lock(path)
    assert first is not None
    assert file_locks.try_lock(path) is None
    other = file_locks.try_lock(str(tmp_path / "b.lock"))
    assert other is not None
    file_locks.unlock(first)
    again = file_locks.try_lock(path)
    assert again is not None
    for handle in (again, other):
        file_locks.unlock(handle)


def test_lock_ends_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    child = holder(path)
    try:
        assert file_locks.try_lock(str(path)) is None
    finally:
        child.kill()
        child.communicate()
    handle = file_locks.wait_lock(str(path), 20.0)
    assert handle is not None
    file_locks.unlock(handle)


def test_lock_outlives_the_descriptor_of_the_parent(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    handle = file_locks.try_lock(path)
    assert handle is not None
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(handle,)
    )
    file_locks.unlock(handle)
    assert file_locks.try_lock(path) is None
    child.communicate()
    again = file_locks.try_lock(path)
    assert again is not None
    file_locks.unlock(again)


def test_waiting_for_a_lock_ends_when_it_is_free_or_the_time_is_over(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = file_locks.try_lock(path)
    assert first is not None
    began = time.monotonic()
    assert file_locks.wait_lock(path, 0.05) is None
    assert time.monotonic() - began >= 0.05
    timer = threading.Timer(0.1, file_locks.unlock, [first])
    timer.start()
    second = file_locks.wait_lock(path, 20.0)
    timer.join()
    assert second is not None
    file_locks.unlock(second)


def test_lock_that_cannot_be_opened_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        file_locks.try_lock(str(tmp_path / "missing" / "a.lock"))


def test_taken_lock_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    first = file_locks.try_lock(path)
    assert first is not None
    free = os.dup(first)
    os.close(free)
    for _ in range(5):
        assert file_locks.try_lock(path) is None
    assert os.dup(first) == free
    os.close(free)
    file_locks.unlock(first)


def test_without_fcntl_the_lock_is_windows_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def locking(handle: int, mode: int, count: int) -> None:
        asked.append((mode, count))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    windows = types.ModuleType("msvcrt")
    windows.LK_NBLCK, windows.locking = 2, locking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr(file_locks, "fcntl", None)
    path = str(tmp_path / "a.lock")
    first = file_locks.try_lock(path)
    assert first is not None
    assert file_locks.try_lock(path) is None
    assert asked == [(2, 1), (2, 1)]
    file_locks.unlock(first)

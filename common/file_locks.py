"""Advisory file locks, which the kernel releases however their holder dies.

Standard library only: the hook process uses them. On POSIX a lock belongs to the open file, so a child inherits it
with the descriptor; on Windows it cannot, and the child takes the lock itself.
"""

from __future__ import annotations

import os
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

INHERITABLE = fcntl is not None
# Held by the one worker of a data directory for as long as it lives.
WORKER_LOCK = "worker.lock"
# Held by the process that reconciles.
RECONCILE_LOCK = "reconcile.lock"
# Held while queue or state.db are created or migrated.
SETUP_LOCK = "setup.lock"


def try_lock(path: str) -> int | None:
    """Lock the file ``path``, created if missing. Return the descriptor that holds the lock, or None if it is taken.

    Raise OSError if the file cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            _lock_windows(handle)
    except OSError:
        os.close(handle)
        return None
    return handle


def wait_lock(path: str, seconds: float) -> int | None:
    """Lock like :func:`try_lock`, but keep trying for ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        handle = try_lock(path)
        if handle is not None or time.monotonic() >= end:
            return handle
        time.sleep(0.01)


def unlock(handle: int) -> None:
    """Release a lock by closing its descriptor."""
    os.close(handle)


def _lock_windows(handle: int) -> None:
    import msvcrt  # absent elsewhere

    msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

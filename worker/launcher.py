"""See to it that a drainer lives: take its lock, and when it was free, start one and hand the lock over (design 2).

Runs in hook processes: standard library only, and no ``subprocess`` where ``posix_spawn`` is to be had.
"""

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from sync_queue.locks import INHERITABLE, try_lock, unlock

LOCK = "worker.lock"
# Until when the next drainer waits before it begins, written by one that left for want of something.
WAIT_FILE = "drainer.wait"
DRAIN = "drain"


def ensure_drainer(data_dir: str, plugin_dir: str, connection: Mapping[str, Any]) -> bool:
    """Start a drainer unless one lives. ``connection`` is Stash's ``server_connection``. True when one was started.

    The caller has committed its rows before: a drainer that is about to leave looks once more after it let go of the
    lock, so no row is left without somebody who will see it (libraries A6). Raises OSError where none can be started.
    """
    handle = try_lock(os.path.join(data_dir, LOCK))
    if handle is None:
        return False
    try:
        start(data_dir, plugin_dir, connection, handle)
    finally:
        # The child has its own copy by now; where it could not inherit one it takes the lock itself.
        unlock(handle)
    return True


def end_wait(data_dir: str) -> None:
    """A person asked: a drainer that sits out a pause begins at once."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(data_dir, WAIT_FILE))


def start(data_dir: str, plugin_dir: str, connection: Mapping[str, Any], lock: int) -> None:
    """Start a drainer that holds ``lock``: its own session, all streams away from Stash's (stash 2.4)."""
    note = json.dumps({"connection": connection, "data_dir": data_dir, "plugin_dir": plugin_dir}).encode()
    script = os.path.join(plugin_dir, "Stash2Plex.py")
    if not INHERITABLE or not hasattr(os, "posix_spawn"):
        unlock_first = not INHERITABLE
        _start_with_subprocess([sys.executable, script, DRAIN, *([] if unlock_first else [str(lock)])], note, lock)
        return
    os.set_inheritable(lock, True)
    read_end, write_end = os.pipe()
    try:
        # The secrets travel in the pipe, never in arguments or environment; it holds 64 KiB, the note has about one.
        os.write(write_end, note)
        os.close(write_end)
        os.posix_spawn(
            sys.executable,
            [sys.executable, script, DRAIN, str(lock)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read_end, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
        )
    finally:
        os.close(read_end)


def _start_with_subprocess(command: list[str], note: bytes, lock: int) -> None:
    import subprocess

    options: dict[str, Any] = {"start_new_session": True, "pass_fds": (lock,)}
    if not INHERITABLE:
        unlock(lock)
        detached = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        options = {"creationflags": detached} if detached else {"start_new_session": True}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    assert child.stdin is not None
    child.stdin.write(note)
    child.stdin.close()

"""See to it that a drainer lives: take its lock, and when it was free, start one and hand the lock over (design 2).

Runs in hook processes: standard library only, and no ``subprocess`` where ``posix_spawn`` is to be had.
"""

from __future__ import annotations

import os
import sys

from common.file_locks import INHERITABLE, WORKER_LOCK, try_lock, unlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK = WORKER_LOCK
# Until when the next drainer waits before it begins, written by one that left for want of something.
WAIT_FILE = "worker.wait"
WORKER = "worker"
# What a pipe surely takes without anybody reading it; a connection has about a thousand bytes.
_PIPE_HOLDS = 16_000


def ensure_worker(data_dir: str, plugin_dir: str, connection: str) -> bool:
    """Start a drainer unless one lives. ``connection`` is Stash's ``server_connection`` as JSON. True when one was
    started.

    The caller has committed its rows before: a drainer that is about to leave looks once more after it let go of the
    lock, so no row is left without somebody who will see it (libraries A6). Raises OSError where none can be started.
    """
    handle = try_lock(os.path.join(data_dir, LOCK))
    if handle is None:
        return False
    hand_over(data_dir, plugin_dir, connection, handle)
    return True


def hand_over(data_dir: str, plugin_dir: str, connection: str, lock: int) -> None:
    """Start a drainer and let go of its lock, which it has by then, or takes itself. Raises OSError."""
    try:
        start(data_dir, plugin_dir, connection, lock)
    finally:
        unlock(lock)


def end_wait(data_dir: str) -> None:
    """A person asked: a drainer that sits out a pause begins at once."""
    try:
        os.unlink(os.path.join(data_dir, WAIT_FILE))
    except FileNotFoundError:
        return


def start(data_dir: str, plugin_dir: str, connection: str, lock: int, words: tuple[str, ...] = (WORKER,)) -> None:
    """Start a drainer (or what else ``words`` name) that holds ``lock``: its own session, all streams away from Stash's
    (stash 2.4)."""
    note = connection.encode()
    command = [sys.executable, os.path.join(plugin_dir, "Stash2Plex.py"), *words, data_dir]
    if not INHERITABLE or not hasattr(os, "posix_spawn") or len(note) > _PIPE_HOLDS:
        _start_with_subprocess(command, note, lock)
        return
    os.set_inheritable(lock, True)
    read_end, write_end = os.pipe()
    try:
        # The secrets travel in the pipe, never in arguments or environment.
        os.write(write_end, note)
        os.close(write_end)
        os.posix_spawn(
            sys.executable,
            [*command, str(lock)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read_end, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
        )
    except NotImplementedError:  # a system, like an older macOS, that has it but for new sessions
        _start_with_subprocess(command, note, lock)
    finally:
        os.close(read_end)


def _start_with_subprocess(command: list[str], note: bytes, lock: int) -> None:
    import subprocess

    options: dict[str, Any] = {"start_new_session": True}
    if INHERITABLE:
        command = [*command, str(lock)]
        options["pass_fds"] = (lock,)
    elif hasattr(subprocess, "DETACHED_PROCESS"):  # Windows, where the child takes the lock itself
        detached, group = "DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP"
        options = {"creationflags": getattr(subprocess, detached) | getattr(subprocess, group)}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    assert child.stdin is not None  # asked for above
    child.stdin.write(note)
    child.stdin.close()
    # It is meant to outlive us: without this its end would be reported as forgotten.
    child.returncode = 0

"""Start the background processes: the worker, and the process that reconciles automatically. One of each at a time.

A process holds its lock for as long as it lives. Who starts one takes the lock first and hands it over, so that two
callers never start two. Hooks use this module: standard library only, and ``subprocess`` only where ``posix_spawn`` is
missing.
"""

from __future__ import annotations

import os
import sys

from common.file_locks import INHERITABLE, RECONCILE_LOCK, WORKER_LOCK, try_lock, unlock
from common.reconcile_due import stash_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The first argument of the entry script.
WORKER = "worker"
RECONCILE = "reconcile"
# Until when the next worker waits before it begins; written by one that left for a reason only the user can remove.
WAIT_FILE = "worker.wait"
# A pipe holds this many bytes although nobody reads yet; a connection has about a thousand.
_PIPE_CAPACITY_BYTES = 16_000


def ensure_worker(data_dir: str, plugin_dir: str, connection: str) -> bool:
    """Start a worker unless one lives; return whether one was started.

    ``connection`` is Stash's ``server_connection`` as JSON. Commit rows before the call: a worker about to leave
    looks for rows once more after it has released its lock, so no row is missed (libraries A6). Raise OSError if no
    process can be started.
    """
    lock = try_lock(os.path.join(data_dir, WORKER_LOCK))
    if lock is None:
        return False
    hand_over(data_dir, plugin_dir, connection, lock)
    return True


def hand_over(data_dir: str, plugin_dir: str, connection: str, lock: int) -> None:
    """Start a worker and release its lock, which the worker holds by then or takes itself. Raise OSError."""
    try:
        start(data_dir, plugin_dir, connection, lock)
    finally:
        unlock(lock)


def ensure_reconciliation(data_dir: str, plugin_dir: str, connection: str) -> bool:
    """Start the process that reconciles if a run is due, unless it runs already; return whether it was started.

    Call it only from a process that Stash started: its parent tells one start of Stash from the next. Raise OSError if
    no process can be started.
    """
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    lock = try_lock(os.path.join(data_dir, RECONCILE_LOCK))
    if lock is None:
        return False
    try:
        start(data_dir, plugin_dir, connection, lock, (RECONCILE, stash_process()))
    finally:
        unlock(lock)
    return True


def end_wait(data_dir: str) -> None:
    """Let a worker that sits out a pause begin at once, because the user asked for it."""
    try:
        os.unlink(os.path.join(data_dir, WAIT_FILE))
    except FileNotFoundError:
        return


def start(data_dir: str, plugin_dir: str, connection: str, lock: int, words: tuple[str, ...] = (WORKER,)) -> None:
    """Start the entry script with ``words`` as a process that holds ``lock``.

    It has a session of its own, and none of its streams is Stash's (stash 2.4).
    """
    note = connection.encode()
    command = [sys.executable, os.path.join(plugin_dir, "Stash2Plex.py"), *words, data_dir]
    if not INHERITABLE or not hasattr(os, "posix_spawn") or len(note) > _PIPE_CAPACITY_BYTES:
        _start_with_subprocess(command, note, lock)
        return
    os.set_inheritable(lock, True)
    read_end, write_end = os.pipe()
    try:
        # Secrets go through the pipe, never through arguments or environment.
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
    except NotImplementedError:  # older macOS: no setsid
        _start_with_subprocess(command, note, lock)
    finally:
        os.close(read_end)


def _start_with_subprocess(command: list[str], note: bytes, lock: int) -> None:
    import subprocess

    options: dict[str, Any] = {"start_new_session": True}
    if INHERITABLE:
        command = [*command, str(lock)]
        options["pass_fds"] = (lock,)
    elif hasattr(subprocess, "DETACHED_PROCESS"):  # Windows: the child takes the lock itself
        detached, group = "DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP"
        options = {"creationflags": getattr(subprocess, detached) | getattr(subprocess, group)}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    assert child.stdin is not None  # asked for above
    child.stdin.write(note)
    child.stdin.close()
    # It outlives this process: without a return code Python would warn about it.
    child.returncode = 0

"""Start the detached process that looks whether a run is due, and runs it: one at a time, under ``reconcile.lock``.

On the hook's path where a run may be due: standard library only.
"""

from __future__ import annotations

import os

from common.file_locks import try_lock, unlock
from common.reconcile_due import stash_process

LOCK = "reconcile.lock"
WORD = "reconcile"


def ensure(data_dir: str, plugin_dir: str, connection: str) -> bool:
    """Start the process unless one is at work. ``connection`` is Stash's ``server_connection`` as JSON. True when one
    was started.

    To be called by a process that Stash itself started: its parent is what the start of Stash is known by. Raises
    OSError where none can be started.
    """
    from common.detached_process import start

    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    lock = try_lock(os.path.join(data_dir, LOCK))
    if lock is None:
        return False
    try:
        start(data_dir, plugin_dir, connection, lock, (WORD, stash_process()))
    finally:
        unlock(lock)
    return True

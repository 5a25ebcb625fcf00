"""The detached process that drains the queue: one at a time, under ``worker.lock``.

It lives away from Stash's streams and sessions (design 2).
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, NoReturn

from common import bundled_packages
from common.detached_process import LOCK, WAIT_FILE
from common.file_locks import try_lock


def main(plugin_dir: str, arguments: list[str]) -> NoReturn:
    """``arguments``: data directory and, where it could be inherited, the descriptor that holds the lock.

    The Stash connection comes on standard input, so that it stands in no argument and no environment.
    """
    data_dir = arguments[0]
    os.umask(0o077)
    bundled_packages.use(plugin_dir)
    connection = _connection()
    lock = int(arguments[1]) if len(arguments) > 1 else try_lock(os.path.join(data_dir, LOCK))
    if lock is not None:
        os.set_inheritable(lock, False)
        # Before anything is imported: a drainer that sits out a pause is light.
        _sit_out(os.path.join(data_dir, WAIT_FILE))
        try:
            from common import redaction
            from plex.client import import_plexapi
            from reconciliation.scheduler import ReconciliationScheduler
            from worker.service import serve

            import_plexapi()
        except ImportError as error:
            _say_what_is_missing(data_dir, plugin_dir, error)
        else:
            scheduler = ReconciliationScheduler(data_dir)
            redaction.begin(data_dir, plugin_dir)

            def on_settings(config: Any) -> None:
                redaction.heed(data_dir, plugin_dir, config.obfuscate_paths)
                # An interval that was changed counts soon: hooks look at nothing but the time of the next comparison.
                scheduler.arrange(config)

            serve(plugin_dir, data_dir, connection, lock, on_settings)
    os._exit(0)


def _connection() -> dict[str, Any]:
    try:
        connection = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError:
        connection = {}
    return connection if isinstance(connection, dict) else {}


def _say_what_is_missing(data_dir: str, plugin_dir: str, error: ImportError) -> None:
    """Hooks repeat it in Stash's log; a new try at every save would cost more than it is worth."""
    from common.missing_packages import sentence
    from worker import status_files

    files = status_files.StatusFiles(data_dir)
    files.attention(sentence(error, plugin_dir))
    files.begin_wait()


def _sit_out(path: str) -> None:
    """Wait until the moment that the last drainer wrote down; a task removes the file to end the wait."""
    while True:
        try:
            with open(path, encoding="ascii") as file:
                until = float(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return
        left = until - time.time()
        # More than the longest pause can only be a clock that was set back.
        if left <= 0 or left > 600:
            return
        time.sleep(min(left, 0.25))

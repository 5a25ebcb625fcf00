"""Entry point of the worker process: one at a time, under ``worker.lock``, detached from Stash."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from common import bundled_packages
from common.detached_process import WAIT_FILE
from common.file_locks import WORKER_LOCK, try_lock

if TYPE_CHECKING:
    from settings.config import Stash2PlexConfig

# A pause that seems longer than this can only come from a clock that was set back.
LONGEST_PAUSE_S = 600.0


def main(plugin_dir: str, arguments: list[str]) -> NoReturn:
    """Run the worker. ``arguments``: the data directory and, if it was inherited, the descriptor that holds the lock.

    The Stash connection comes on standard input, so that it stands in no argument and no environment.
    """
    data_dir = arguments[0]
    os.umask(0o077)
    bundled_packages.add_to_path(plugin_dir)
    connection = read_connection()
    lock = int(arguments[1]) if len(arguments) > 1 else try_lock(os.path.join(data_dir, WORKER_LOCK))
    if lock is not None:
        os.set_inheritable(lock, False)
        # Before the heavy imports: a worker that only waits out a pause stays small.
        wait_out_pause(os.path.join(data_dir, WAIT_FILE))
        try:
            from common import redaction
            from plex.client import import_plexapi
            from reconciliation.scheduler import ReconciliationScheduler
            from worker.service import serve

            import_plexapi()
        except ImportError as error:
            _report_missing_packages(data_dir, plugin_dir, error)
        else:
            scheduler = ReconciliationScheduler(data_dir)
            redaction.load(data_dir, plugin_dir)

            def on_settings(config: Stash2PlexConfig) -> None:
                redaction.apply(data_dir, plugin_dir, config.obfuscate_paths)
                # Hooks only look at the time of the next reconciliation, so a new interval has to move it now.
                scheduler.arrange(config)

            serve(plugin_dir, data_dir, connection, lock, on_settings)
    os._exit(0)


def read_connection() -> dict[str, object]:
    """Return the Stash connection from standard input, empty if that holds none."""
    try:
        connection = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError:
        connection = {}
    return connection if isinstance(connection, dict) else {}


def wait_out_pause(path: str) -> None:
    """Wait until the time that the last worker wrote down; a task removes the file to end the pause."""
    while True:
        try:
            with open(path, encoding="ascii") as file:
                until = float(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return
        left = until - time.time()
        if left <= 0 or left > LONGEST_PAUSE_S:
            return
        time.sleep(min(left, 0.25))


def _report_missing_packages(data_dir: str, plugin_dir: str, error: ImportError) -> None:
    """Tell the user through the hooks, and pause: trying again at every save would only cost time."""
    from common.missing_packages import missing_package_message
    from worker.status_files import StatusFiles

    files = StatusFiles(data_dir)
    files.set_attention(missing_package_message(error, plugin_dir))
    files.begin_pause()

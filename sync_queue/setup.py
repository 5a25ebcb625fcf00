"""Create a queue directory on first use: directory, file, table, WAL and indexes, under ``setup.lock``.

Processes that create a queue at the same moment disturb each other (libraries A3); after that, all only open it.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import os

from common import damaged_files
from common.data_dir import has_synced_before, make_private_dir
from common.errors import UserFacingError
from common.file_locks import SETUP_LOCK, unlock, wait_lock
from sync_queue import sql
from sync_queue.writer import DATABASE, QueueWriter, open_existing, queue_dir


class QueueUnavailable(UserFacingError):
    """The queue could not be opened; the message says why and what to do."""

    code = "QueueUnavailable"


def set_up(data_dir: str, wait: float = 2.0) -> None:
    """Create what is missing of the queue of ``data_dir``. Idempotent; safe for any number of processes at once.

    Wait at most ``wait`` seconds for another process that does the same. Raise QueueUnavailable.
    """
    try:
        make_private_dir(data_dir)  # by itself: the mode is given to the last directory only
        handle = wait_lock(os.path.join(data_dir, SETUP_LOCK), wait)
    except OSError as error:
        raise QueueUnavailable(f"the data directory {data_dir} cannot be used: {error.strerror or error}") from error
    if handle is None:
        raise QueueUnavailable(f"another process has been setting up {data_dir} for more than {wait:g} s")
    try:
        if os.path.exists(queue_dir(data_dir)):
            from sync_queue.foreign_queue import move_aside  # seldom needed, and a hook waits for every import

            move_aside(data_dir)
        make_private_dir(queue_dir(data_dir))
        _create(queue_dir(data_dir))
    except (OSError, sqlite3.Error) as error:
        raise QueueUnavailable(f"the queue in {data_dir} cannot be set up: {error}") from error
    finally:
        unlock(handle)


def _create(path: str) -> None:
    # The statements are persist-queue's own (a test holds them to the pinned version): importing it would cost a hook
    # several times its budget, and an edit must be accepted even where the requirements are not installed.
    database = os.path.join(path, DATABASE)
    if (not os.path.exists(database) or not os.path.getsize(database)) and has_synced_before(os.path.dirname(path)):
        damaged_files.add_notice(
            f"{database} was missing, or empty, and was created again. If you did not delete it, saves that were "
            "waiting are lost: Reconcile Library (All) finds them"
        )
    if not os.path.exists(database):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(database, timeout=10, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        for statement in (sql.CREATE, *sql.INDEXES, f"PRAGMA user_version={sql.LAYOUT}"):
            db.execute(statement)
    finally:
        db.close()


def open_writer(data_dir: str) -> QueueWriter:
    """Return a writer on the queue of ``data_dir``; set it up if it is missing. Raise QueueUnavailable."""
    writer = open_existing(queue_dir(data_dir))
    if writer is None:
        set_up(data_dir)
        writer = open_existing(queue_dir(data_dir))
    if writer is None:
        raise QueueUnavailable(f"the queue in {data_dir} cannot be opened")
    return writer

"""The thin writer: the same row that ``SQLiteAckQueue.put`` writes, without importing it (libraries A7, F).

One connection, short transactions, standard library only. It opens what is there and never creates. SQLite itself reads
and changes the JSON of a row, so that a hook process needs no JSON module.
"""

from __future__ import annotations

import os
import time
from _sqlite3 import (
    OperationalError,
    connect,
)  # what sqlite3 itself hands on, without the date and time types it brings along

from sync_queue import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

QUEUE = "queue"
DATABASE = "data.db"


def queue_dir(data_dir: str) -> str:
    """Where the queue lives in a data directory."""
    return os.path.join(data_dir, QUEUE)


def uri_path(path: str) -> str:
    """A file's absolute path as it stands in an SQLite ``file:`` URI, Windows drives included."""
    path = os.path.abspath(path).replace("\\", "/")
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return quoted if quoted.startswith("/") else "/" + quoted


class QueueWriter:
    """Writes into an existing queue directory.

    Raises sqlite3.OperationalError where the database is not there yet (``mode=rw`` makes none), or where another
    process holds it for longer than ``timeout`` seconds.
    """

    def __init__(self, queue_dir: str, timeout: float = 10.0) -> None:
        uri = f"file:{uri_path(os.path.join(queue_dir, DATABASE))}?mode=rw"
        self._db = connect(uri, uri=True, timeout=timeout, isolation_level=None)
        # A power cut may cost the last commits, which reconciliation finds; a kill costs nothing (libraries A5).
        self._db.execute("PRAGMA synchronous=NORMAL")

    def fold(self, job: str, job_key: str) -> bool:
        """Insert a job (JSON text), or fold it into the row of the same key that waits. True when one was inserted."""
        return self.fold_all([(job, job_key)]) == 1

    def fold_all(self, jobs: Iterable[tuple[str, str]]) -> int:
        """Fold several (job, job key) in one transaction, all or nothing. Gives the number of rows inserted."""
        inserted = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job, job_key in jobs:
                if self._db.execute(sql.FOLD, {"job": job, "key": job_key}).rowcount == 0:
                    self._db.execute(sql.INSERT, (job.encode(), time.time()))
                    inserted += 1
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite ends it by itself on a full disk
                self._db.execute("ROLLBACK")
            raise
        return inserted

    def withdraw(self, job_keys: Iterable[str]) -> int:
        """Delete the rows of these keys that wait, in one transaction. Gives their number."""
        withdrawn = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job_key in job_keys:
                withdrawn += self._db.execute(sql.WITHDRAW, (job_key,)).rowcount
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return withdrawn

    def waits(self, job_key: str) -> bool:
        """True where a row of this key waits (one in flight does not count)."""
        return self._db.execute(sql.WAITING_BY_KEY, (job_key,)).fetchone() is not None

    def any_undone(self) -> bool:
        """True where any row waits or is in flight."""
        return self._db.execute(sql.ANY_UNDONE).fetchone() is not None

    def layout(self) -> int:
        """The version of table and indexes; 0 where the set-up was not finished."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def open_existing(queue_dir: str) -> QueueWriter | None:
    """A writer on a queue that is there and complete, else None."""
    try:
        writer = QueueWriter(queue_dir)
    except OperationalError:
        return None
    if writer.layout() == sql.LAYOUT:
        return writer
    writer.close()
    return None

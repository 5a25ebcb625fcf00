"""The thin writer: the same row that ``SQLiteAckQueue.put`` writes, without importing it (libraries A7, F).

One connection, short transactions, standard library only. It opens what is there and never creates.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any

from sync_queue import sql
from sync_queue.jobs import Job, folded

DATABASE = "data.db"


def encode(job: Mapping[str, Any]) -> bytes:
    """A job as the row's blob: what persist-queue's JSON serializer writes, held to it by a test."""
    return json.dumps(job).encode()


def decode(blob: bytes) -> Job:
    """A row's blob as a job. Raises ValueError where it is not a JSON object."""
    job = json.loads(blob)
    if not isinstance(job, dict):
        raise ValueError("a job is a JSON object")
    return job


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
        self._db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
        # A power cut may cost the last commits, which reconciliation finds; a kill costs nothing (libraries A5).
        self._db.execute("PRAGMA synchronous=NORMAL")

    def put(self, job: Mapping[str, Any]) -> int:
        """Append a row, as the library would. Gives its id."""
        return int(self._db.execute(sql.INSERT, (encode(job), time.time())).lastrowid or 0)

    def fold(self, job: Mapping[str, Any]) -> bool:
        """Insert ``job``, or fold it into the row of the same key that waits. True when a row was inserted."""
        return self.fold_all([job]) == 1

    def fold_all(self, jobs: Iterable[Mapping[str, Any]]) -> int:
        """Fold several jobs in one transaction, all or nothing. Gives the number of rows inserted."""
        inserted = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                row = self._db.execute(sql.WAITING_BY_KEY, (job["job_key"],)).fetchone()
                if row is None:
                    self.put(job)
                    inserted += 1
                else:
                    self._db.execute(sql.REWRITE, (encode(folded(decode(row[1]), job)), row[0]))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return inserted

    def waits(self, job_key: str) -> bool:
        """True where a row of this key waits (one in flight does not count)."""
        return self._db.execute(sql.WAITING_BY_KEY, (job_key,)).fetchone() is not None

    def layout(self) -> int:
        """The version of table and indexes; 0 where the set-up was not finished."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

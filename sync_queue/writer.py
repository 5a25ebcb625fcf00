"""Write the same row as ``SQLiteAckQueue.put`` without importing it (libraries A7, F).

One connection, short transactions, standard library only. It opens an existing queue and never creates one. SQLite
reads and changes the JSON of a row, so that a hook needs no JSON module.
"""

from __future__ import annotations

import os
import time
from _sqlite3 import OperationalError

from common.sqlite import connect_existing, transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

QUEUE = "queue"
DATABASE = "data.db"

# The statements that a hook needs. All other statements on this table: sync_queue.sql.
TABLE = "ack_queue_default"

# In the file's user_version once table and indexes are complete.
LAYOUT = 1
DOCUMENT = "CAST(data AS TEXT)"
KEY = f"json_extract({DOCUMENT},'$.job_key')"
PRIORITY = f"CASE json_extract({DOCUMENT},'$.priority') WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 2 END"
WAITING_BY_KEY = f"SELECT _id FROM {TABLE} WHERE status < 2 AND {KEY} = ? ORDER BY _id LIMIT 1"
INSERT = f"INSERT INTO {TABLE}(data,timestamp,status) VALUES (?,?,0)"
# A second event takes the place of the one that waits: due now, as if never tried, at the more urgent priority of the
# two, and with the older data if it brings none. A job that the user asked for keeps its mark (by_hand).
FOLD = f"""UPDATE {TABLE} SET data = CAST(json_patch(json_set(:job,
    '$.priority', MIN({PRIORITY}, json_extract(:job,'$.priority')),
    '$.data', json(CASE json_extract(:job,'$.data') WHEN '{{}}'
        THEN COALESCE(json_extract({DOCUMENT},'$.data'), '{{}}') ELSE json_extract(:job,'$.data') END)),
    CASE WHEN json_extract({DOCUMENT},'$.by_hand') THEN '{{"by_hand": true}}' ELSE '{{}}' END) AS BLOB)
    WHERE status < 2 AND {KEY} = :key"""
WITHDRAW = f"DELETE FROM {TABLE} WHERE status < 2 AND {KEY} = ?"
ANY_UNDONE = f"SELECT 1 FROM {TABLE} WHERE status < 3 LIMIT 1"


def queue_dir(data_dir: str) -> str:
    """Return the directory of the queue in a data directory."""
    return os.path.join(data_dir, QUEUE)


class QueueWriter:
    """Write into an existing queue directory.

    Raise sqlite3.OperationalError if the database does not exist, or if another process holds it for longer than
    ``timeout`` seconds.
    """

    def __init__(self, queue_dir: str, timeout: float = 10.0) -> None:
        self._db = connect_existing(os.path.join(queue_dir, DATABASE), timeout=timeout)
        # A power cut may cost the last commits, which reconciliation finds; a kill costs nothing (libraries A5).
        self._db.execute("PRAGMA synchronous=NORMAL")

    def fold(self, job: str, job_key: str) -> bool:
        """Insert a job (JSON text), or fold it into the waiting row of its key; return whether one was inserted."""
        return self.fold_all([(job, job_key)]) == 1

    def fold_all(self, jobs: Iterable[tuple[str, str]]) -> int:
        """Fold several (job, job key) in one transaction, all or none; return the number of rows inserted."""
        inserted = 0
        with transaction(self._db):
            for job, job_key in jobs:
                if self._db.execute(FOLD, {"job": job, "key": job_key}).rowcount == 0:
                    self._db.execute(INSERT, (job.encode(), time.time()))
                    inserted += 1
        return inserted

    def withdraw(self, job_keys: Iterable[str]) -> int:
        """Delete the waiting rows of these keys in one transaction; return their number."""
        withdrawn = 0
        with transaction(self._db):
            for job_key in job_keys:
                withdrawn += self._db.execute(WITHDRAW, (job_key,)).rowcount
        return withdrawn

    def waits(self, job_key: str) -> bool:
        """Return whether a row of this key waits (one in flight does not count)."""
        return self._db.execute(WAITING_BY_KEY, (job_key,)).fetchone() is not None

    def has_undone(self) -> bool:
        """Return whether any row waits or is in flight."""
        return self._db.execute(ANY_UNDONE).fetchone() is not None

    def layout(self) -> int:
        """Return the version of table and indexes; 0 if the set-up was not finished."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def open_existing(queue_dir: str) -> QueueWriter | None:
    """Return a writer on a queue that exists and is complete, else None."""
    try:
        writer = QueueWriter(queue_dir)
    except OperationalError:
        return None
    if writer.layout() == LAYOUT:
        return writer
    writer.close()
    return None

"""The drainer's hand on the queue: claim what is due, give back, finish. One at a time, under ``worker.lock``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from common.jobs import PRIORITY_BULK, PRIORITY_SAVE, PRIORITY_SCAN, scene_key, scene_row
from common.sqlite import connect_existing, transaction
from sync_queue import sql
from sync_queue.job import Job
from sync_queue.writer import DATABASE

PRIORITIES = (PRIORITY_SAVE, PRIORITY_SCAN, PRIORITY_BULK)
# So many empty pages (1 MB) are worth giving back to the disk.
MIN_EMPTY_PAGES = 256
IN_FLIGHT = 2
FAILED = 9
# Only what is in flight can be given back. One that was already (its batch broke off later) would find itself waiting
# and take itself for superseded.
_RETRY = f"{sql.RETRY} AND status = {IN_FLIGHT}"


@dataclass(frozen=True)
class Claimed:
    """A row taken out of the queue: still there, marked in flight, until it is finished or given back."""

    row_id: int
    job: Job


class JobStore:
    """One connection to an existing queue directory; belongs to the thread that made it. Raises sqlite3.Error."""

    def __init__(self, queue_dir: str, timeout: float = 30.0) -> None:
        self._db = connect_existing(os.path.join(queue_dir, DATABASE), timeout=timeout)
        self._db.execute("PRAGMA synchronous=NORMAL")

    def resume(self) -> int:
        """Take back what a dead drainer had in flight. Gives the number of such rows."""
        rows = self._db.execute(sql.RESUME).rowcount
        self._db.execute(sql.CLEAR_ACKNOWLEDGED)
        return rows

    def data_version(self) -> int:
        """A number that changes whenever another process has written: asking costs microseconds."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def claim(self, limit: int, now: float, most_urgent_only: bool = False) -> list[Claimed]:
        """Take up to ``limit`` due rows, all of one priority, the most urgent that has any; earliest due first.

        Rows that are not JSON objects about a scene or an entity are set aside as failed: they can never be worked on.
        """
        priorities = PRIORITIES[:1] if most_urgent_only else PRIORITIES
        with transaction(self._db):
            rows: list[tuple[int, bytes]] = []
            for priority in priorities:
                rows = self._due(priority, limit, now)
                if rows:
                    break
            claimed = [row for row in (self._read(row_id, blob) for row_id, blob in rows) if row is not None]
            self._db.executemany(sql.MARK, [(IN_FLIGHT, row.row_id) for row in claimed])
        return claimed

    def next_bulk_jobs(self, limit: int, now: float) -> list[Job]:
        """The bulk jobs about scenes that are next, as far as one can tell: nobody has claimed them yet."""
        rows = self._due(PRIORITY_BULK, limit, now)
        claimed = (self._read(row_id, blob) for row_id, blob in rows)
        return [row.job for row in claimed if row is not None and row.job.scene_id is not None]

    def _due(self, priority: int, limit: int, now: float) -> list[tuple[int, bytes]]:
        rows = self._db.execute(sql.DUE_OF_PRIORITY, (priority, now, limit)).fetchall()
        if not rows:
            rows = self._db.execute(sql.DUE_BY_CLOCK_SET_BACK, (priority, now + sql.MAX_DUE_AHEAD_S, limit)).fetchall()
        return rows

    def _read(self, row_id: int, blob: bytes) -> Claimed | None:
        try:
            return Claimed(row_id, Job.from_row(json.loads(blob)))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            self._db.execute(sql.MARK, (FAILED, row_id))
            return None

    def has_urgent(self, now: float) -> bool:
        """Whether a person's save is due."""
        return self._db.execute(sql.DUE_OF_PRIORITY, (PRIORITY_SAVE, now, 1)).fetchone() is not None

    def is_superseded(self, row: Claimed) -> bool:
        """Whether a newer row for the same key waits: the claimed one may be dropped."""
        return self._db.execute(sql.WAITING_BY_KEY, (row.job.job_key,)).fetchone() is not None

    def finish(self, rows: Iterable[int]) -> None:
        """Acknowledge rows whose outcome is durable: they leave the table."""
        with transaction(self._db):
            self._db.executemany(sql.DELETE, [(row_id,) for row_id in rows])

    def retry(self, row_id: int, job: Job) -> None:
        """Give a row back with the retry fields ``job`` now carries; dropped where a newer one for its key waits."""
        self._db.execute(_RETRY, (_encoded(job), job.job_key, row_id))
        self._db.execute(sql.CLEAR_ACKNOWLEDGED)

    def retry_all(self, jobs: Iterable[tuple[int, Job]]) -> None:
        """:meth:`retry` for several rows (row id, job), in one transaction."""
        with transaction(self._db):
            for row_id, job in jobs:
                self._db.execute(_RETRY, (_encoded(job), job.job_key, row_id))
            self._db.execute(sql.CLEAR_ACKNOWLEDGED)

    def expand(self, row: Claimed, scene_ids: Iterable[int], after: int | None, now: float) -> int:
        """Queue scenes in the place of a row about an entity, as bulk. In the same transaction the row is finished, or,
        where more scenes follow behind ``after``, given back to go on from there. Gives the number of rows inserted.

        A scene that waits already is left as it is: it will be read anew anyway, and keeps its schedule.
        """
        inserted = 0
        with transaction(self._db):
            for scene_id in scene_ids:
                if self._db.execute(sql.WAITING_BY_KEY, (scene_key(scene_id),)).fetchone() is None:
                    job = scene_row(scene_id, priority=PRIORITY_BULK, now=now)
                    self._db.execute(sql.INSERT, (job.encode(), now))
                    inserted += 1
            if after is None:
                self._db.execute(sql.DELETE, (row.row_id,))
            else:
                rest = row.job.next_page(after)
                self._db.execute(_RETRY, (_encoded(rest), rest.job_key, row.row_id))
                self._db.execute(sql.CLEAR_ACKNOWLEDGED)
        return inserted

    def wake(self, job_key: str, job: str) -> None:
        """Make the row of a key that waits due now, whatever it waited for; where none waits, ``job`` (JSON) does."""
        if self._db.execute(sql.WAKE, (job_key,)).rowcount == 0:
            self._db.execute(sql.INSERT, (job.encode(), time.time()))

    def has_jobs_awaiting_file(self) -> bool:
        """Whether any job waits for nothing but its file to appear in Plex."""
        return self._db.execute(sql.AWAITS_FILE).fetchone() is not None

    def waiting_count(self) -> int:
        """How many rows wait, due or not."""
        return int(self._db.execute(sql.COUNT_WAITING).fetchone()[0])

    def undone_count(self) -> int:
        """How many rows wait or are in flight."""
        return int(self._db.execute(sql.COUNT_UNDONE).fetchone()[0])

    def has_waiting(self) -> bool:
        """Whether any row waits, due or not."""
        return self._db.execute(sql.ANY_WAITING).fetchone() is not None

    def next_due(self) -> float | None:
        """When the earliest waiting row is due (epoch seconds; 0 for at once), or None where none waits."""
        moments = [self._db.execute(sql.NEXT_DUE, (priority,)).fetchone()[0] for priority in PRIORITIES]
        known: list[float] = [moment for moment in moments if moment is not None]
        return min(known, default=None)

    def clear_waiting(self) -> int:
        """Delete every waiting row. Gives their number."""
        return self._db.execute(sql.DELETE_WAITING).rowcount

    def shrink(self) -> bool:
        """Give back to the disk what a long queue leaves behind, once it is empty. True where that was worth it.

        The file never shrinks by itself. Empty as it is it takes milliseconds, which a save waits for the lock.
        """
        if self._db.execute("PRAGMA freelist_count").fetchone()[0] < MIN_EMPTY_PAGES or self.undone_count():
            return False
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def is_due(due: float | None, now: float, farthest: float = sql.MAX_DUE_AHEAD_S) -> bool:
    """Whether what is due at ``due`` may be done at ``now``, a clock that was set back included: nothing is put off for
    longer than ``farthest`` seconds, for rows by default."""
    return due is not None and (due <= now or due > now + farthest)


def _encoded(job: Job) -> bytes:
    return json.dumps(job.as_row()).encode()

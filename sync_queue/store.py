"""The worker's access to the queue: claim due rows, return them, finish them. One at a time, under ``worker.lock``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from common.job_rows import PRIORITY_BULK, PRIORITY_SAVE, PRIORITY_SCAN, scene_key, scene_row
from common.sqlite import connect_existing, transaction
from sync_queue import sql
from sync_queue.job import Job
from sync_queue.writer import DATABASE

PRIORITIES = (PRIORITY_SAVE, PRIORITY_SCAN, PRIORITY_BULK)
# From this many empty pages on (1 MB) the file is worth shrinking.
MIN_EMPTY_PAGES = 256
IN_FLIGHT = 2
FAILED = 9
# Only a row in flight can be returned. One that was returned already (its batch broke off later) would find itself
# waiting and count as superseded.
_RETRY = f"{sql.RETRY} AND status = {IN_FLIGHT}"


@dataclass(frozen=True)
class Claimed:
    """A row that is marked in flight until it is finished or returned."""

    row_id: int
    job: Job


class JobStore:
    """One connection to an existing queue directory; belongs to the thread that made it. Raise sqlite3.Error."""

    def __init__(self, queue_dir: str, timeout: float = 30.0) -> None:
        self._db = connect_existing(os.path.join(queue_dir, DATABASE), timeout=timeout)
        self._db.execute("PRAGMA synchronous=NORMAL")

    def resume(self) -> int:
        """Make the rows wait again that a dead worker had in flight; return their number."""
        rows = self._db.execute(sql.RESUME).rowcount
        self._db.execute(sql.CLEAR_ACKNOWLEDGED)
        return rows

    def data_version(self) -> int:
        """Return a number that changes whenever another process has written. Takes microseconds."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def claim(self, limit: int, now: float, most_urgent_only: bool = False) -> list[Claimed]:
        """Claim up to ``limit`` due rows of the most urgent priority that has any, the earliest due first.

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
        """Return the bulk jobs of scenes that will probably be claimed next."""
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
        """Return whether the save of a single scene is due."""
        return self._db.execute(sql.DUE_OF_PRIORITY, (PRIORITY_SAVE, now, 1)).fetchone() is not None

    def is_superseded(self, row: Claimed) -> bool:
        """Return whether a newer row of the same key waits, so that the claimed one may be dropped."""
        return self._db.execute(sql.WAITING_BY_KEY, (row.job.job_key,)).fetchone() is not None

    def finish(self, rows: Iterable[int]) -> None:
        """Delete rows whose outcome is durable."""
        with transaction(self._db):
            self._db.executemany(sql.DELETE, [(row_id,) for row_id in rows])

    def retry(self, row_id: int, job: Job) -> None:
        """Return a row to the queue with the retry fields of ``job``; drop it if a newer row of its key waits."""
        self._db.execute(_RETRY, (_encoded(job), job.job_key, row_id))
        self._db.execute(sql.CLEAR_ACKNOWLEDGED)

    def retry_all(self, jobs: Iterable[tuple[int, Job]]) -> None:
        """:meth:`retry` for several rows (row id, job), in one transaction."""
        with transaction(self._db):
            for row_id, job in jobs:
                self._db.execute(_RETRY, (_encoded(job), job.job_key, row_id))
            self._db.execute(sql.CLEAR_ACKNOWLEDGED)

    def expand(self, row: Claimed, scene_ids: Iterable[int], after: int | None, now: float) -> int:
        """Queue scenes in place of a row about an entity, as bulk; return the number of rows inserted.

        In the same transaction the row is finished, or, if more scenes follow ``after``, returned to continue there.

        A scene that waits already is left as it is: it will be read anyway, and keeps its schedule.
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
        """Make the waiting row of a key due now; if none waits, insert ``job`` (JSON)."""
        if self._db.execute(sql.WAKE, (job_key,)).rowcount == 0:
            self._db.execute(sql.INSERT, (job.encode(), time.time()))

    def has_jobs_awaiting_file(self) -> bool:
        """Return whether any job waits only for its file to appear in Plex."""
        return self._db.execute(sql.AWAITS_FILE).fetchone() is not None

    def waiting_count(self) -> int:
        """Return how many rows wait, due or not."""
        return int(self._db.execute(sql.COUNT_WAITING).fetchone()[0])

    def undone_count(self) -> int:
        """Return how many rows wait or are in flight."""
        return int(self._db.execute(sql.COUNT_UNDONE).fetchone()[0])

    def has_waiting(self) -> bool:
        """Return whether any row waits, due or not."""
        return self._db.execute(sql.ANY_WAITING).fetchone() is not None

    def next_due(self) -> float | None:
        """Return when the earliest waiting row is due (epoch seconds; 0 for at once), or None if none waits."""
        moments = [self._db.execute(sql.NEXT_DUE, (priority,)).fetchone()[0] for priority in PRIORITIES]
        known: list[float] = [moment for moment in moments if moment is not None]
        return min(known, default=None)

    def clear_waiting(self) -> int:
        """Delete every waiting row; return their number."""
        return self._db.execute(sql.DELETE_WAITING).rowcount

    def shrink(self) -> bool:
        """Shrink the file that a long queue has left, once the queue is empty; return whether that was worth it.

        The file never shrinks by itself. While it is empty this takes milliseconds, for which a save waits.
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
    """Return whether what is due at ``due`` may be done at ``now``.

    Nothing waits for longer than ``farthest`` seconds: a later time can only come from a clock that was set back.
    """
    return due is not None and (due <= now or due > now + farthest)


def _encoded(job: Job) -> bytes:
    return json.dumps(job.as_row()).encode()

"""Turn dead letters back into jobs: at the user's request, or when the outage that they failed in is over.

Jobs that were given up for want of their file come back when Plex has it (``worker.pending_files``). Jobs that an
outage ended come back when Plex works again, and once more after growing pauses: an outage of only some requests never
opens the circuit breaker, so nothing announces its end.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from common.errors import ENDED_BY_OUTAGE
from common.human_text import counted
from common.job_rows import PRIORITY_BULK
from sync_queue.job import Job
from sync_queue.store import JobStore

log = logging.getLogger("Stash2Plex.worker")

# The pause before a dead letter comes back by itself, doubled each time it failed again: a job that can never succeed
# must not keep Plex busy.
FIRST_PAUSE_S = 900.0
LONGEST_PAUSE_S = 86_400.0
# How often dead letters are checked; without any that is one small query.
CHECK_INTERVAL_S = 300.0
PAGE_SIZE = 500


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter with its job, None if that cannot be read. ``last_at`` tells this failure from a later one."""

    job_key: str
    scene_id: int | None
    job: Job | None
    error_type: str
    last_at: float

    @property
    def revived(self) -> int:
        """How often the job came back by itself."""
        return 0 if self.job is None else self.job.revived

    def is_due(self, now: float) -> bool:
        """Return whether its pause is over. A clock that was set back does not block it."""
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self.revived, 16))
        return now >= self.last_at + pause or self.last_at > now + LONGEST_PAUSE_S


def read_dead_letters(db: sqlite3.Connection, after: str = "") -> list[DeadLetter]:
    """Return the next page of dead letters by job key."""
    rows = db.execute(
        "SELECT job_key, scene_id, job, error_type, last_at FROM dead_letters WHERE job_key > ? "
        "ORDER BY job_key LIMIT ?",
        (after, PAGE_SIZE),
    ).fetchall()
    return [DeadLetter(key, scene_id, _job_of(job), *rest) for key, scene_id, job, *rest in rows]


def _job_of(text: str) -> Job | None:
    try:
        return Job.from_row(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def requeued_job(dead_letter: DeadLetter, *, priority: int, now: float, revived: int = 0) -> Job | None:
    """Return the job as if its event had happened now, None if it cannot be read."""
    if dead_letter.job is None:
        return None
    return dead_letter.job.requeued(dead_letter.job_key, priority=priority, now=now, revived=revived)


def delete_requeued(db: sqlite3.Connection, dead_letters: Iterable[DeadLetter]) -> None:
    """Delete dead letters whose jobs are queued again, but not one that was renewed meanwhile."""
    keys = [(dead_letter.job_key, dead_letter.last_at) for dead_letter in dead_letters]
    db.executemany("DELETE FROM dead_letters WHERE job_key = ? AND last_at = ?", keys)


class DlqRetry:
    """Retries the dead letters of one ``state.db`` that an outage caused. ``clock`` is epoch seconds; ``notify`` takes
    (level, sentence) for Stash's own log. Raises sqlite3.Error."""

    def __init__(
        self,
        db: sqlite3.Connection,
        store: JobStore,
        *,
        clock: Callable[[], float],
        notify: Callable[[str, str], None] = lambda level, text: None,
    ) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._notify = notify
        self._next_check_at = clock() + CHECK_INTERVAL_S

    def retry_after_outage(self) -> int:
        """Retry what an outage that is over ended: without a pause if it is the first time. Return the number."""
        return self._retry(lambda dead_letter: dead_letter.revived == 0)

    def retry_due(self) -> int:
        """Retry what has waited for its pause, if it is time to check. Return the number."""
        now = self._clock()
        # A time further ahead than one interval can only come from a clock that was set back.
        if now < self._next_check_at <= now + CHECK_INTERVAL_S:
            return 0
        self._next_check_at = now + CHECK_INTERVAL_S
        return self._retry(lambda dead_letter: False)

    def _retry(self, at_once: Callable[[DeadLetter], bool]) -> int:
        now = self._clock()
        retried = 0
        after = ""
        while page := read_dead_letters(self._db, after):
            after = page[-1].job_key
            due = [
                dead_letter
                for dead_letter in page
                if dead_letter.error_type in ENDED_BY_OUTAGE and (at_once(dead_letter) or dead_letter.is_due(now))
            ]
            retried += self._queue(due, now)
        if retried:
            sentence = f"Retrying {counted(retried, 'job')} that failed during an outage"
            log.info("%s", sentence)
            self._notify("info", sentence)
        return retried

    def _queue(self, dead_letters: Sequence[DeadLetter], now: float) -> int:
        queued = []
        for dead_letter in dead_letters:
            job = requeued_job(dead_letter, priority=PRIORITY_BULK, now=now, revived=dead_letter.revived + 1)
            if job is not None:
                # First the queue, then the dead letter: a kill in between leaves both, and retrying twice is harmless.
                self._store.wake(dead_letter.job_key, json.dumps(job.as_row()))
                queued.append(dead_letter)
        delete_requeued(self._db, queued)
        return len(queued)

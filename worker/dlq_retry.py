"""Dead letters that become jobs again: because a person asks, or because what they died of is over.

What died for want of a file comes back when Plex has it (``worker.pending_files``). What died of an outage comes back
when that has ended, and once more after growing pauses: an outage that concerned only some requests never opened the
breaker, and nobody would see its end.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import ENDED_BY_OUTAGE
from common.jobs import PRIORITY_BULK
from sync_queue.store import JobStore

log = logging.getLogger("Stash2Plex.worker")

# Before a letter comes back by itself, doubled each time it died again; a poisoned one must not keep Plex busy.
FIRST_PAUSE = 900.0
LONGEST_PAUSE = 86_400.0
# How often it is looked whether one is due; while there is no letter, one small query.
LOOK = 300.0
PAGE = 500
# How often a job came back by itself.
REVIVED = "revived"
# What a job carries of its earlier life.
_TRIED = frozenset(
    (
        *("retry_count", "tries", "next_retry_at", "last_error_type", "last_error", "last_try_at", "first_failed_at"),
        *("awaits_file", "images_only", "pqid", REVIVED),
    )
)


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter as far as its job goes; ``last_at`` tells this death from a later one."""

    job_key: str
    scene_id: int | None
    job: dict[str, Any]
    error_type: str
    last_at: float


def read_letters(db: sqlite3.Connection, after: str = "") -> list[DeadLetter]:
    """The next letters by job key. The job of one that cannot be read is empty."""
    found = db.execute(
        "SELECT job_key, scene_id, job, error_type, last_at FROM dead_letters WHERE job_key > ? "
        "ORDER BY job_key LIMIT ?",
        (after, PAGE),
    ).fetchall()
    return [DeadLetter(key, scene_id, _job_of(job), *rest) for key, scene_id, job, *rest in found]


def _job_of(text: str) -> dict[str, Any]:
    try:
        job = json.loads(text)
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}


def anew(letter: DeadLetter, *, priority: int, now: float, revived: int = 0) -> dict[str, Any] | None:
    """The letter's job as if its event had happened now; None where the letter holds none."""
    job = {name: value for name, value in letter.job.items() if name not in _TRIED}
    if not isinstance(job.get("scene_id", job.get("entity_id")), int):
        return None
    job |= {"job_key": letter.job_key, "priority": priority, "enqueued_at": now}
    job.setdefault("data", {})
    if revived:
        job[REVIVED] = revived
        if "first_failed_at" in letter.job:  # one story, for whoever reads its end
            job["first_failed_at"] = letter.job["first_failed_at"]
    return job


def let_go(db: sqlite3.Connection, letters: Iterable[DeadLetter]) -> None:
    """Take letters out whose jobs are queued again; one that was written anew meanwhile is another, and stays."""
    keys = [(letter.job_key, letter.last_at) for letter in letters]
    db.executemany("DELETE FROM dead_letters WHERE job_key = ? AND last_at = ?", keys)


class DlqRetry:
    """Looks after the letters of one ``state.db`` on behalf of a drainer. ``clock`` is epoch seconds. Raises
    sqlite3.Error."""

    def __init__(
        self,
        db: sqlite3.Connection,
        store: JobStore,
        *,
        clock: Callable[[], float],
        tell: Callable[[str, str], None] = lambda level, text: None,
    ) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._tell = tell
        self._next_look = clock() + LOOK

    def plex_is_back(self) -> int:
        """An outage is over: what died of it comes back, the first time without a pause. Gives the number."""
        return self._bring_back(lambda letter: _revived(letter) == 0)

    def retry_due(self) -> int:
        """While Plex works: bring back what has waited for its pause, if it is time to look. Gives the number."""
        now = self._clock()
        # More than a pause ahead can only come from a clock that was set back.
        if now < self._next_look <= now + LOOK:
            return 0
        self._next_look = now + LOOK
        return self._bring_back(lambda letter: False)

    def _bring_back(self, at_once: Callable[[DeadLetter], bool]) -> int:
        now = self._clock()
        back = 0
        after = ""
        while page := read_letters(self._db, after):
            after = page[-1].job_key
            due = [
                letter
                for letter in page
                if letter.error_type in ENDED_BY_OUTAGE and (at_once(letter) or _is_due(letter, now))
            ]
            back += self._queue(due, now)
        if back:
            sentence = f"{back:,} jobs that an outage had ended are tried again"
            log.info("%s", sentence)
            self._tell("info", sentence)
        return back

    def _queue(self, letters: Sequence[DeadLetter], now: float) -> int:
        queued = []
        for letter in letters:
            job = anew(letter, priority=PRIORITY_BULK, now=now, revived=_revived(letter) + 1)
            if job is not None:
                # Queue first, letter after: a kill in between leaves both, and to do it twice changes nothing.
                self._store.wake(letter.job_key, json.dumps(job))
                queued.append(letter)
        let_go(self._db, queued)
        return len(queued)


def _revived(letter: DeadLetter) -> int:
    known = letter.job.get(REVIVED)
    return known if isinstance(known, int) and not isinstance(known, bool) and known > 0 else 0


def _is_due(letter: DeadLetter, now: float) -> bool:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(_revived(letter), 16))
    return now >= letter.last_at + pause or letter.last_at > now + LONGEST_PAUSE

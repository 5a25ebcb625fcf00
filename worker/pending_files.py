"""Scenes that wait for their file to appear in Plex: one look for all of them, and a try that costs no request.

Ten thousand of them ask no more of Stash and Plex than one (design 4).
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable

from common.jobs import PRIORITY_SCAN, new_job, scene_key
from common.scene import SceneFile
from matching.refresh_policy import MAX_WAITING_INTERVAL_S, WAITING_INTERVAL_S, Urgency
from pipeline.batch import BatchPipeline
from plex.exceptions import PlexNotFound
from state.ledger import Ledger
from sync_queue.dlq import discard
from sync_queue.store import Claimed, JobStore, is_due
from worker.retry import FailureKind, decide

log = logging.getLogger("Stash2Plex.worker")

# A scene that Plex has something new for is looked at at once. Where that comes to nothing and there is something new
# again (a Plex that lists items and then has none of them), it is after a pause that doubles.
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 3_600.0


class PendingFiles:
    """``share`` is a random number from 0 to 1 (full jitter); ``clock`` is epoch seconds."""

    def __init__(
        self,
        db: sqlite3.Connection,
        store: JobStore,
        pipeline: BatchPipeline,
        *,
        clock: Callable[[], float],
        share: Callable[[], float],
    ) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._store = store
        self._pipeline = pipeline
        self._clock = clock
        self._share = share
        # When the next look is due; None while nobody waits.
        self.next_look: float | None = clock()
        # Until when a scene that was woken sleeps on whatever comes, and how long that pause is.
        self._asleep: dict[int, tuple[float, float]] = {}
        self._wake_again: float | None = None

    def check(self) -> bool:
        """Look for new items if somebody waits and it is time, and wake those whose file has come. True where Plex was
        asked. Raises PlexError."""
        now = self._clock()
        looked = False
        if self.is_look_due(now):
            if self._store.any_awaits_file():
                looked = self._pipeline.plex.index.refresh_if_due(Urgency.WAITING)
                self.next_look = now + self._pipeline.plex.index.waiting_interval
            else:
                self.next_look = None
        if self._pipeline.take_index_changes() or is_due(self._wake_again, now, LONGEST_PAUSE):
            self._wake()
        return looked

    def is_due(self, now: float) -> bool:
        """Whether there is something to tend."""
        return self.is_look_due(now) or is_due(self._wake_again, now, LONGEST_PAUSE)

    def is_look_due(self, now: float) -> bool:
        """Whether somebody waits and it is time to look."""
        return is_due(self.next_look, now, MAX_WAITING_INTERVAL_S)

    def postpone(self, rows: Iterable[Claimed]) -> list[Claimed]:
        """Count a look in vain for those rows that only wait for their file; gives the others, which have to be worked
        on. Raises PlexError.

        The index has just been asked on behalf of all: had it anything new under the name of a file, the scene would
        have been woken. Before one is given up it is worked on once more like a new one.
        """
        waiting = [row for row in rows if awaits_file(row.job)]
        if not waiting:
            return list(rows)
        self._pipeline.plex.index.refresh_if_due(Urgency.WAITING)
        if self._pipeline.take_index_changes():
            self._wake()
        now = self._clock()
        later = []
        for row in waiting:
            error = PlexNotFound(str(row.job.get("last_error", "")))
            decision = decide(row.job, FailureKind.NOT_FOUND, error, now=now, share=self._share())
            if decision.at is not None:
                # They come due together, at a look: nobody is woken for each of thousands.
                at = max(decision.at // WAITING_INTERVAL_S, now // WAITING_INTERVAL_S + 1) * WAITING_INTERVAL_S
                later.append((row.row_id, {**row.job, **decision.fields, "next_retry_at": at}))
        self._store.retry_all(later)
        self.next_look = self.next_look or now
        put_off = {row_id for row_id, _ in later}
        return [row for row in rows if row.row_id not in put_off]

    def _wake(self) -> None:
        """Have every scene that waits for its file, was given up for it, or is doubtful, looked at again if what Plex
        has under the names of its files is not what it was."""
        now = self._clock()
        changed = [
            scene_id
            for scene_id, files, before in self._ledger.without_item()
            if self._pipeline.evidence(scene_id, [SceneFile.from_row(row) for row in files]) != before
        ]
        # Who has long had nothing new begins anew, and so does who was woken by a clock that was set back since.
        self._asleep = {
            one: (until, pause)
            for one, (until, pause) in self._asleep.items()
            if until - pause <= now < until + 3 * pause
        }
        never = (now, 0.0)
        woken = [one for one in changed if self._asleep.get(one, never)[0] <= now]
        for scene_id in woken:
            pause = min(LONGEST_PAUSE, 2 * self._asleep.get(scene_id, never)[1] or FIRST_PAUSE)
            self._asleep[scene_id] = (now + pause, pause)
        self._wake_again = min((self._asleep[one][0] for one in {*changed}.difference(woken)), default=None)
        for scene_id in woken:
            key = scene_key(scene_id)
            job = new_job(scene_id, "metadata", {}, priority=PRIORITY_SCAN, now=now)
            self._store.wake(key, json.dumps(job))
            discard(self._db, key)
        if woken:
            log.info("Plex has something new for %s scenes that had no item: they are looked at again", len(woken))


def awaits_file(job: dict[str, object]) -> bool:
    """Whether a job waits for nothing but its file: Plex had no item of its name when it was looked for."""
    return job.get("awaits_file") is True

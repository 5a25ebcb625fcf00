"""Scenes whose file Plex has not scanned yet: one refresh of the index for all, and retries that cost no request.

Ten thousand waiting scenes cause no more requests to Stash and Plex than one.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace

from common.human_text import counted
from common.job_rows import PRIORITY_SCAN, new_job, scene_key
from matching.refresh_policy import MAX_WAITING_INTERVAL_S, WAITING_INTERVAL_S, Urgency
from pipeline.batch import BatchPipeline
from plex.exceptions import PlexNotFound
from state.ledger import Ledger
from sync_queue.dlq import discard
from sync_queue.job import Job
from sync_queue.store import Claimed, JobStore, is_due
from worker.retry import FailureKind, decide

log = logging.getLogger("Stash2Plex.worker")

# A scene is woken at once when Plex has something new for it. If that leads to nothing and there is something new
# again (a Plex that lists items and then does not have them), it pauses first; the pause doubles each time.
FIRST_WAKE_PAUSE_S = 30.0
LONGEST_WAKE_PAUSE_S = 3_600.0


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
        # None while no job waits for a file.
        self._next_refresh_at: float | None = clock()
        # By scene id: until when a woken scene is not woken again, and how long that pause is.
        self._wake_pauses: dict[int, tuple[float, float]] = {}
        self._next_wake_at: float | None = None

    def check(self) -> bool:
        """Refresh the index if jobs wait for files and it is time, and wake those whose file has come.

        Return True if Plex was asked. Raise PlexError.
        """
        now = self._clock()
        has_asked = False
        if self._is_refresh_due(now):
            if self._store.has_jobs_awaiting_file():
                has_asked = self._pipeline.plex.index.refresh_if_due(Urgency.WAITING)
                self._next_refresh_at = now + self._pipeline.plex.index.waiting_interval
            else:
                self._next_refresh_at = None
        if self._pipeline.take_index_changes() or is_due(self._next_wake_at, now, LONGEST_WAKE_PAUSE_S):
            self._wake_changed()
        return has_asked

    def is_due(self, now: float) -> bool:
        """Return whether :meth:`check` has something to do."""
        return self._is_refresh_due(now) or is_due(self._next_wake_at, now, LONGEST_WAKE_PAUSE_S)

    def postpone(self, rows: Iterable[Claimed]) -> list[Claimed]:
        """Count a try for rows that only wait for their file, and return the others. Raise PlexError.

        The index was just refreshed for all of them: had it anything new under the names of their files, they would
        have been woken. Before such a job is given up, it is processed once like a new one.
        """
        waiting = [row for row in rows if row.job.retry.awaits_file]
        if not waiting:
            return list(rows)
        self._pipeline.plex.index.refresh_if_due(Urgency.WAITING)
        if self._pipeline.take_index_changes():
            self._wake_changed()
        now = self._clock()
        postponed: list[tuple[int, Job]] = []
        for row in waiting:
            error = PlexNotFound(row.job.retry.last_error)
            decision = decide(row.job, FailureKind.NOT_FOUND, error, now=now, share=self._share())
            if decision.at is not None:
                # They fall due together with a refresh, so that thousands of jobs do not wake the worker one by one.
                at = max(decision.at // WAITING_INTERVAL_S, now // WAITING_INTERVAL_S + 1) * WAITING_INTERVAL_S
                postponed.append((row.row_id, row.job.with_retry(replace(decision.state, next_retry_at=at))))
        self._store.retry_all(postponed)
        self._next_refresh_at = self._next_refresh_at or now
        postponed_ids = {row_id for row_id, _ in postponed}
        return [row for row in rows if row.row_id not in postponed_ids]

    def _is_refresh_due(self, now: float) -> bool:
        return is_due(self._next_refresh_at, now, MAX_WAITING_INTERVAL_S)

    def _wake_changed(self) -> None:
        """Queue the scenes without an item for which Plex now has something else under the names of their files.

        These wait for their file, were given up for it, or are ambiguous.
        """
        now = self._clock()
        changed = [
            scene_id
            for scene_id, files, evidence in self._ledger.scenes_without_item()
            if self._pipeline.evidence(scene_id, files) != evidence
        ]
        # A pause is forgotten when nothing new came for long, or when the clock was set back since.
        self._wake_pauses = {
            scene_id: (until, pause)
            for scene_id, (until, pause) in self._wake_pauses.items()
            if until - pause <= now < until + 3 * pause
        }
        no_pause = (now, 0.0)
        woken = [scene_id for scene_id in changed if self._wake_pauses.get(scene_id, no_pause)[0] <= now]
        for scene_id in woken:
            pause = min(LONGEST_WAKE_PAUSE_S, 2 * self._wake_pauses.get(scene_id, no_pause)[1] or FIRST_WAKE_PAUSE_S)
            self._wake_pauses[scene_id] = (now + pause, pause)
        paused = set(changed).difference(woken)
        self._next_wake_at = min((self._wake_pauses[scene_id][0] for scene_id in paused), default=None)
        for scene_id in woken:
            key = scene_key(scene_id)
            job = new_job(scene_id, "metadata", {}, priority=PRIORITY_SCAN, now=now)
            self._store.wake(key, json.dumps(job))
            discard(self._db, key)
        if woken:
            log.info("Plex has something new for %s without an item: checking again", counted(len(woken), "scene"))

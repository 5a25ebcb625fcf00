"""Passes over the queue: claim what is due, ask for scenes and settings, process the batch, record the outcomes.

The process, the thread and the tests share these passes; they differ in the source of scenes and settings.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable

from common.job_rows import PRIORITY_SAVE
from hooks.handlers import unmark_scene_pending
from pipeline.batch import BatchPipeline
from pipeline.scene_sync import SceneSync
from plex.exceptions import PlexError
from sync_queue.store import Claimed, JobStore, is_due
from worker.bulk_progress import BulkProgress
from worker.circuit_breaker import BreakerState
from worker.dlq_retry import DlqRetry
from worker.entity_expansion import EntityExpansion
from worker.outcomes import OutcomeRecorder
from worker.pending_files import PendingFiles
from worker.plex_health import PlexHealth
from worker.queue_watch import QueueWatch
from worker.stash_source import SceneSource, SourceAnswer
from worker.status_files import WRITING, StatusFiles

log = logging.getLogger("Stash2Plex.worker")

BATCH_SIZE = 20


class Dispatcher:
    """One pass after the other over a queue. ``clock`` is epoch seconds. ``written`` counts scenes written to Plex."""

    def __init__(
        self,
        pipeline: BatchPipeline,
        store: JobStore,
        source: SceneSource,
        outcomes: OutcomeRecorder,
        health: PlexHealth,
        status: StatusFiles,
        *,
        pending_files: PendingFiles,
        dlq_retry: DlqRetry,
        entities: EntityExpansion,
        progress: BulkProgress,
        watch: QueueWatch,
        clock: Callable[[], float],
    ) -> None:
        self.health = health
        self.written = 0
        self._pipeline = pipeline
        self._store = store
        self._source = source
        self._outcomes = outcomes
        self._status = status
        self._pending_files = pending_files
        self._dlq_retry = dlq_retry
        self._entities = entities
        self._progress = progress
        self._watch = watch
        self._clock = clock

    def process_due_jobs(self, stop: Callable[[], bool]) -> bool:
        """Process jobs until none is due, writing is blocked, or ``stop``. Return True if anything was claimed.

        Raises StashError, sqlite3.Error: the rows of that batch are back in the queue then.
        """
        has_worked = False
        while not stop() and self.health.may_write() and self._wake_waiting_jobs():
            # A half-open breaker allows one trial.
            limit = 1 if self.health.breaker.state is BreakerState.HALF_OPEN else BATCH_SIZE
            rows = self._store.claim(limit, self._clock())
            if not rows:
                self._progress.end()
                break
            has_worked = True
            self._watch.note_activity()
            self._process_or_return(rows, stop)
        return has_worked

    def refresh_settings(self) -> None:
        """Ask for the settings in force and apply them. Raises StashError."""
        self._apply(self._source.ask([]))

    def wait(self, longest: float, stop: Callable[[], bool]) -> bool:
        """Wait until there is something to do, at most ``longest`` seconds. Return True if a row was added."""
        return self._watch.wait(longest, stop, self._pipeline.config.poll_interval, self._is_job_due)

    def _is_job_due(self, now: float) -> bool:
        if not self.health.may_write():
            return False
        return self._pending_files.is_due(now) or is_due(self._store.next_due(), now)

    def _wake_waiting_jobs(self) -> bool:
        """Re-check pending files and retry dead letters. Return False if Plex turned out to be down."""
        try:
            if self._pending_files.check() and self.health.breaker.reason:
                self.health.record_success()
        except PlexError as error:
            self.health.record_failure(error)
            return False
        if self.health.is_fine():
            self._dlq_retry.retry_due()
        return True

    def _process_or_return(self, rows: list[Claimed], stop: Callable[[], bool]) -> None:
        """Process claimed rows; on an error return those that are still in flight to the queue."""
        try:
            self._process(rows, stop)
        except BaseException:
            # Stash is gone, or the disk is full. To repeat a job is harmless.
            with contextlib.suppress(sqlite3.Error):
                self._return_to_queue(rows)
            raise
        finally:
            self._pipeline.records.release()

    def _process(self, rows: list[Claimed], stop: Callable[[], bool]) -> None:
        rows = self._postpone_pending_files(self._one_per_scene(self._expand_entities(rows)))
        if not rows:
            return
        pairs = [(row, SceneSync(row.job)) for row in rows]
        batch = [work for _, work in pairs]
        for work in batch:
            log.debug(
                "Scene %s: claimed, priority %s, tries %s",
                work.scene_id,
                work.job.priority,
                work.job.retry.tries or "none",
            )
            unmark_scene_pending(work.scene_id)
        self._pipeline.prefetch(work.job for work in batch)
        answer = self._source.ask([work.scene_id for work in batch])
        self._apply(answer)
        if self.health.blocked is not None:
            self._return_to_queue(rows)
            return
        self._status.write_status(state=WRITING)
        self._pipeline.prepare(batch, answer.scenes)
        self._write_batch(pairs, stop)

    def _apply(self, answer: SourceAnswer) -> None:
        """Act on what the source answered: settings first, then what blocks writing."""
        if self._pipeline.configure(answer.config):
            self.health.reset()
        self._pipeline.tag_descendants = answer.tag_descendants
        blocker = answer.write_blocker
        if blocker is not None:
            self.health.block(blocker)
        elif self.health.blocked is not None:
            # The user may have fixed what blocked.
            self.health.probe()

    def _write_batch(self, pairs: list[tuple[Claimed, SceneSync]], stop: Callable[[], bool]) -> None:
        generation = self._pipeline.sessions.generation
        is_urgent = pairs[0][0].job.priority == PRIORITY_SAVE
        if not is_urgent:
            self._pipeline.prefetch(self._store.next_bulk_jobs(BATCH_SIZE, self._clock()))
        # Scenes that a save has overtaken while this batch was written: what was read of them here is old.
        overtaken_keys: set[str] = set()
        unwritten: list[Claimed] = []
        for row, work in pairs:
            if not is_urgent:
                overtaken_keys |= self._process_saves(stop)
            if row.job.job_key in overtaken_keys:
                continue
            if self._pipeline.sessions.generation != generation:
                # A save has brought other settings: these items were found in another Plex.
                self._return_to_queue([row for row, _ in pairs])
                return
            if work.is_open and (stop() or not self.health.may_write() or self._store.is_superseded(row)):
                unwritten.append(row)
                continue
            self._pipeline.write(work)
            self._pipeline.write_pictures(work)
            self.health.learn_from(work)
        unwritten_ids = {row.row_id for row in unwritten}
        done = [
            (row, work)
            for row, work in pairs
            if row.row_id not in unwritten_ids and row.job.job_key not in overtaken_keys
        ]
        self._pipeline.verify([work for _, work in done])
        self._record(done)
        self._return_to_queue(unwritten)
        self._store.finish(row.row_id for row, _ in pairs if row.job.job_key in overtaken_keys)

    def _record(self, done: list[tuple[Claimed, SceneSync]]) -> None:
        config = self._pipeline.config
        self._outcomes.record(done, config.fingerprint(), config.max_retries)
        waiting = self._store.waiting_count()
        self._progress.add((work for _, work in done), waiting)
        self.written += sum(1 for _, work in done if work.wrote and work.error is None)
        self._status.write_status(state=WRITING, waiting=waiting, written=self.written)

    def _process_saves(self, stop: Callable[[], bool]) -> set[str]:
        """Process the user's saves before the rest of a bulk. Return their job keys."""
        keys: set[str] = set()
        while not stop() and self.health.may_write() and self._store.has_urgent(self._clock()):
            rows = self._store.claim(BATCH_SIZE, self._clock(), most_urgent_only=True)
            if not rows:
                break
            keys.update(row.job.job_key for row in rows)
            self._process_or_return(rows, stop)
        return keys

    def _expand_entities(self, rows: list[Claimed]) -> list[Claimed]:
        """Replace jobs about a performer, studio, tag or group by their scenes' jobs. Return the other rows."""
        if not any(row.job.entity is not None for row in rows):
            return rows
        # The settings decide how far an edit reaches, and whether we may go on at all.
        self.refresh_settings()
        if self.health.blocked is not None:
            self._return_to_queue(rows)
            return []
        return self._entities.expand(rows, self._pipeline.config)

    def _one_per_scene(self, rows: list[Claimed]) -> list[Claimed]:
        """Return the first row of each scene; the others go back to the queue.

        A second row is about restoring the scene, or about writing it again after that: what is read for the first row
        is old for the second.
        """
        first: dict[int | None, Claimed] = {}
        second = [row for row in rows if first.setdefault(row.job.scene_id, row) is not row]
        self._return_to_queue(second)
        return [row for row in rows if row not in second]

    def _postpone_pending_files(self, rows: list[Claimed]) -> list[Claimed]:
        """Postpone jobs that only wait for their file. Return the others, none if Plex turned out to be down."""
        try:
            rest = self._pending_files.postpone(rows)
        except PlexError as error:
            self.health.record_failure(error)
            self._return_to_queue(rows)
            return []
        if len(rest) < len(rows):
            self.health.confirm()
        return rest

    def _return_to_queue(self, rows: list[Claimed]) -> None:
        for row in rows:
            self._store.retry(row.row_id, row.job)

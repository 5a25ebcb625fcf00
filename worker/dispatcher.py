"""The drainer's loop: claim what is due, have it worked on, settle it, and wait without being a burden (design 2).

One loop for the detached process and for a thread in somebody's process; they differ in what stands around it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from common.jobs import PRIORITY_SAVE, is_entity
from pipeline.scene_reader import Scene
from pipeline.scene_sync import SceneSync
from plex.exceptions import PlexError, PlexNotFound, PlexTemporaryError
from sync_queue.store import Claimed, JobStore, is_due
from worker.bulk_progress import BulkProgress
from worker.circuit_breaker import BreakerState, CircuitBreaker
from worker.dlq_retry import DlqRetry
from worker.entity_expansion import EntityExpansion
from worker.outcomes import NEEDS_A_PERSON, OutcomeRecorder
from worker.pending_files import PendingFiles
from worker.processor import SyncWorker
from worker.status_files import WRITING, StatusFiles

log = logging.getLogger("Stash2Plex.worker")

BATCH = 20
# How quickly new rows are seen: at once while there is something going on, lazily after that.
LIVELY_POLL = 0.1
LIVELY_FOR = 30.0


class Dispatcher:
    """One pass after the other over a queue. ``read`` gives the scenes of a batch (None: the jobs' own data) and may
    change the worker's settings; ``clock`` is epoch seconds, ``sleep`` waits that many seconds."""

    def __init__(
        self,
        worker: SyncWorker,
        store: JobStore,
        settlement: OutcomeRecorder,
        notes: StatusFiles,
        read: Callable[[list[int]], dict[int, Scene] | None],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        tell: Callable[[str, str], None] = lambda level, text: None,
        awaiting: PendingFiles | None = None,
        revival: DlqRetry | None = None,
        entities: EntityExpansion | None = None,
    ) -> None:
        self.worker = worker
        self.breaker = CircuitBreaker()
        self.blocked: str | None = None
        self.written = 0
        self._store = store
        self._settlement = settlement
        self._notes = notes
        self._read = read
        self._clock = clock
        self._sleep = sleep
        self._tell = tell
        self._awaiting = awaiting
        self._revival = revival
        self._tally = BulkProgress(clock, tell)
        self._entities = entities or EntityExpansion(store, None, clock=clock)
        self._version = store.version()
        self._changed_at = clock()
        self._outage_told = False
        # An outage may be left over from an earlier drainer.
        self._plex_known_to_work = False
        self._last_error: BaseException | None = None

    def work_off(self, stop: Callable[[], bool]) -> bool:
        """Work on what is due until nothing is, something blocks, or ``stop``. True when anything was claimed.

        Raises StashError: the rows of that batch are back in the queue then.
        """
        worked = False
        while not stop() and not self._held_up() and self._tend():
            rows = self._store.claim(1 if self.breaker.state is BreakerState.HALF_OPEN else BATCH, self._clock())
            if not rows:
                self._tally.end()
                break
            worked = True
            self._changed_at = self._clock()
            self._batch(rows, stop)
        return worked

    def _tend(self) -> bool:
        """Look after those that wait for their file, and those that an outage has ended. False where that showed that
        Plex does not work."""
        try:
            if self._awaiting is not None and self._awaiting.tend() and self.breaker.reason:
                self.plex_worked()
        except PlexError as error:
            self._look_failed(error)
            return False
        if self._revival is not None and self.breaker.state is BreakerState.CLOSED and self.blocked is None:
            self._revival.tend()
        return True

    def _put_off(self, rows: list[Claimed]) -> list[Claimed]:
        """Let those go that only wait for their file; gives the others. None are left where Plex does not work."""
        if self._awaiting is None:
            return rows
        try:
            rest = self._awaiting.put_off(rows)
        except PlexError as error:
            self._look_failed(error)
            self._give_back(rows)
            return []
        if len(rest) < len(rows) and self.breaker.reason:
            # Perhaps answered out of the index alone: whether Plex works again is still to be seen.
            self._ping()
        return rest

    def _expand(self, rows: list[Claimed]) -> list[Claimed]:
        """Let those go that are about a performer, studio, tag or group: their scenes are queued. Gives the others."""
        if not any(is_entity(row.job) for row in rows):
            return rows
        # How far an edit reaches is a matter of the settings, and so is whether we may go on at all.
        self._read([])
        if self.blocked is not None:
            self._give_back(rows)
            return []
        return self._entities.expand(rows, self.worker.config)

    def _look_failed(self, error: PlexError) -> None:
        if isinstance(error, NEEDS_A_PERSON):
            self.block(f"Stash2Plex waits: {error}. Saves are kept until then")
        else:
            self.plex_failed(error)

    def _held_up(self) -> bool:
        """Whether nothing may be written now: a person is needed, the pause is on, or Plex is left alone."""
        if self.blocked is not None:
            return True
        return self.breaker.state is not BreakerState.CLOSED and not self.breaker.try_now(self._clock())

    def _batch(self, rows: list[Claimed], stop: Callable[[], bool]) -> None:
        try:
            self._work_on(rows, stop)
        except BaseException:
            # Stash went away, or the disk is full: nobody has let go of these rows, and to do one twice is harmless.
            with contextlib.suppress(sqlite3.Error):
                self._give_back(rows)
            raise
        finally:
            self.worker.memory.release()

    def _work_on(self, rows: list[Claimed], stop: Callable[[], bool]) -> None:
        rows = self._put_off(self._one_each(self._expand(rows)))
        if not rows:
            return
        pairs = [(row, SceneSync(row.job)) for row in rows]
        works = [work for _, work in pairs]
        for work in works:
            tries = work.job.get("tries") or "none"
            log.debug("Scene %s: claimed, priority %s, tries %s", work.scene_id, work.job.get("priority"), tries)
        self.worker.ask_ahead(work.job for work in works)
        scenes = self._read([work.scene_id for work in works])
        if self.blocked is not None:
            self._give_back(rows)
            return
        self._notes.status(state=WRITING)
        self.worker.prepare(works, scenes)
        connection = self.worker.left
        urgent = rows[0].job.get("priority") == PRIORITY_SAVE
        if not urgent:
            self.worker.ask_ahead(self._store.coming(BATCH, self._clock()))
        # Scenes that a save has overtaken while this batch was at work: what was read of them here is old.
        overtaken: set[str] = set()
        unwritten: list[Claimed] = []
        for row, work in pairs:
            if not urgent:
                overtaken |= self._let_saves_through(stop)
            if row.job["job_key"] in overtaken:
                continue
            if self.worker.left != connection:
                # A save has brought other settings: these items were found in the Plex of the old ones.
                self._give_back(rows)
                return
            if work.open and (stop() or self._held_up() or self._store.superseded(row)):
                unwritten.append(row)
                continue
            self.worker.write(work)
            self.worker.give_pictures(work)
            self._judge(work)
        left = {row.row_id for row in unwritten}
        kept = [(r, work) for r, work in pairs if r.row_id not in left and r.job["job_key"] not in overtaken]
        self.worker.verify([work for _, work in kept])
        self._settlement.settle(kept, self.worker.config.fingerprint(), self.worker.max_retries)
        waiting = self._store.waiting()
        self._tally.add((work for _, work in kept), waiting)
        self._give_back(unwritten)
        self._store.finish(row.row_id for row in rows if row.job["job_key"] in overtaken)
        self.written += sum(1 for _, work in kept if work.wrote and work.error is None)
        self._notes.status(state=WRITING, waiting=waiting, written=self.written)

    def _one_each(self, rows: list[Claimed]) -> list[Claimed]:
        """The first row of each scene. A second is about its way back, or about writing it again after that: what was
        read for the one is old for the other, so it comes with the next batch."""
        first: dict[Any, Claimed] = {}
        second = [row for row in rows if first.setdefault(row.job.get("scene_id", row.row_id), row) is not row]
        self._give_back(second)
        return [row for row in rows if row not in second]

    def _let_saves_through(self, stop: Callable[[], bool]) -> set[str]:
        """A person's save does not wait for the rest of a bulk. Gives the job keys that were worked on."""
        keys: set[str] = set()
        while not stop() and not self._held_up() and self._store.has_urgent(self._clock()):
            rows = self._store.claim(BATCH, self._clock(), most_urgent_only=True)
            if not rows:
                break
            keys.update(row.job["job_key"] for row in rows)
            self._batch(rows, stop)
        return keys

    def _judge(self, work: SceneSync) -> None:
        """Let the breaker learn from one job, and stop at what only a person can mend."""
        error = work.error or work.pictures_error
        if error is not None and error is self._last_error:
            return  # one failed request that several jobs shared
        self._last_error = error
        if isinstance(error, NEEDS_A_PERSON):
            self.block(f"Stash2Plex waits: {error}. Saves are kept until then")
        elif isinstance(error, PlexTemporaryError) and not isinstance(error, PlexNotFound):
            self.plex_failed(error)
        elif work.verdict is not None and (work.items or work.wrote):
            self.plex_worked()
        elif isinstance(error, PlexNotFound) and self.breaker.reason:
            # Perhaps answered out of the index alone: whether Plex works again is still to be seen.
            self._ping()

    def _ping(self) -> None:
        try:
            self.worker._get_plex_client().get("/identity")
        except PlexError as error:
            self.plex_failed(error)
        else:
            self.plex_worked()

    def fresh_start(self) -> None:
        """Another Plex: what is known of the old one's troubles does not count."""
        self.breaker.worked()

    def plex_failed(self, error: PlexError) -> None:
        """Plex could not be reached or could not do it."""
        if not self.breaker.reason:
            self._settlement.plex_went(str(error))
        opened = self.breaker.failed(self._clock(), str(error))
        self._notes.attention(f"Stash2Plex waits for Plex: {error}. Saves are kept and written as soon as it answers")
        if opened and not self._outage_told:
            self._outage_told = True
            log.warning("Plex is left alone for a while: %s", error)
            self._tell("warning", f"Plex does not work: {error}. Saves are kept and written as soon as it does")

    def plex_worked(self) -> None:
        """Plex did something: whatever was the matter is over."""
        if self.breaker.reason or not self._plex_known_to_work:
            self._settlement.plex_came()
            self._plex_known_to_work = True
        closed = self.breaker.worked()
        self._notes.attention(None)
        if closed and self._revival is not None:
            self._revival.plex_is_back()
        if closed and self._outage_told:
            self._outage_told = False
            log.info("Plex works again")
            self._tell("info", f"Plex works again; {self._store.waiting()} saves wait and are written now")

    def probe(self) -> None:
        """Knock at Plex's door with the settings as they are now, and go on or stay blocked accordingly."""
        self.worker.close()
        try:
            _ = self.worker.plex.sections
        except NEEDS_A_PERSON as error:
            self.block(f"Stash2Plex waits: {error}. Saves are kept until then")
        except PlexError as error:
            self.blocked = None
            self.plex_failed(error)
        else:
            self.block(None)
            self.plex_worked()

    def block(self, sentence: str | None) -> None:
        """Stop writing for a reason only a person can end, or (None) go on."""
        if sentence != self.blocked:
            log.info("%s", sentence or "Nothing is in the way any more")
        if sentence is not None or self.blocked is not None:
            self._notes.attention(sentence)
        self.blocked = sentence

    def wait(self, longest: float, stop: Callable[[], bool], lively: bool = True) -> bool:
        """Wait until a row was added, one falls due, or ``longest`` seconds are over. True when something was added."""
        end = self._clock() + longest
        while not stop():
            version = self._store.version()
            now = self._clock()
            if version != self._version:
                self._version = version
                self._changed_at = now
                return True
            set_back = now < end - longest
            if now >= end or set_back or (lively and not self._held_up() and self._something_due(now)):
                return False
            fresh = 0 <= now - self._changed_at < LIVELY_FOR
            self._sleep(min(LIVELY_POLL if fresh else self.worker.config.poll_interval, max(0.01, end - now)))
        return False

    def _something_due(self, now: float) -> bool:
        look = self._awaiting is not None and self._awaiting.is_due(now)
        return look or is_due(self._store.next_due(), now)

    def _give_back(self, rows: list[Claimed]) -> None:
        for row in rows:
            self._store.retry(row.row_id, row.job)

"""Whether Plex may be written to now: the circuit breaker, what only the user can fix, and the report of outages."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable

from common.human_text import counted
from pipeline.plex_session import SessionHolder
from pipeline.scene_sync import SceneSync
from pipeline.write_blockers import NEEDS_USER
from plex.exceptions import PlexError, PlexNotFound, PlexTemporaryError
from state.events import OUTAGE_BEGAN, OUTAGE_ENDED, Event, Events
from sync_queue.store import JobStore
from worker.circuit_breaker import BreakerState, CircuitBreaker
from worker.dlq_retry import DlqRetry
from worker.status_files import StatusFiles

log = logging.getLogger("Stash2Plex.worker")


class PlexHealth:
    """``blocked`` is the sentence for the user while only they can help, else None. ``clock`` is epoch seconds;
    ``notify`` takes (level, sentence) for Stash's own log. Raises sqlite3.Error."""

    def __init__(
        self,
        sessions: SessionHolder,
        store: JobStore,
        db: sqlite3.Connection,
        status: StatusFiles,
        dlq_retry: DlqRetry,
        *,
        clock: Callable[[], float],
        notify: Callable[[str, str], None],
    ) -> None:
        self.breaker = CircuitBreaker()
        self.blocked: str | None = None
        self._sessions = sessions
        self._store = store
        self._events = Events(db)
        self._status = status
        self._dlq_retry = dlq_retry
        self._clock = clock
        self._notify = notify
        self._is_outage_reported = False
        # An outage may be left over from an earlier worker.
        self._is_known_to_work = False
        self._last_error: BaseException | None = None

    def may_write(self) -> bool:
        """Return whether writing is allowed now. An open breaker whose pause is over allows one trial."""
        if self.blocked is not None:
            return False
        return self.breaker.state is BreakerState.CLOSED or self.breaker.allows_trial(self._clock())

    def is_fine(self) -> bool:
        """Return whether nothing is blocked and the breaker is closed."""
        return self.blocked is None and self.breaker.state is BreakerState.CLOSED

    def learn_from(self, work: SceneSync) -> None:
        """Count the success or failure of one job, and block if only the user can fix its error."""
        error = work.error or work.pictures_error
        if error is not None and error is self._last_error:
            return  # one failed request that several jobs shared
        self._last_error = error
        is_missing = isinstance(error, PlexNotFound)
        if isinstance(error, (*NEEDS_USER, PlexTemporaryError)) and not is_missing:
            self.record_failure(error)
        elif work.verdict is not None and (work.items or work.wrote):
            self.record_success()
        elif is_missing:
            self.confirm()

    def confirm(self) -> None:
        """Ask Plex whether it works again, after something that the index alone may have answered."""
        if not self.breaker.reason:
            return
        try:
            self._sessions.client.get("/identity")
        except PlexError as error:
            self.record_failure(error)
        else:
            self.record_success()

    def record_failure(self, error: PlexError) -> None:
        """Count a failure, or block if only the user can fix it."""
        if isinstance(error, NEEDS_USER):
            self.block(f"Stash2Plex is paused: {error}. Saves are kept until this is fixed")
            return
        if not self.breaker.reason:
            self._record_outage_start(str(error))
        opened = self.breaker.record_failure(self._clock(), str(error))
        self._status.set_attention(
            f"Stash2Plex is waiting for Plex: {error}. Saves are kept and written when Plex answers"
        )
        if opened and not self._is_outage_reported:
            self._is_outage_reported = True
            log.warning("Pausing requests to Plex: %s", error)
            self._notify("warning", f"Plex is not available: {error}. Saves are kept and written when it is")

    def record_success(self) -> None:
        """Close the breaker and end the outage, if there is one."""
        if self.breaker.reason or not self._is_known_to_work:
            self._record_outage_end()
            self._is_known_to_work = True
        closed = self.breaker.record_success()
        self._status.set_attention(None)
        if closed:
            self._dlq_retry.retry_after_outage()
        if closed and self._is_outage_reported:
            self._is_outage_reported = False
            log.info("Plex is available again")
            self._notify(
                "info",
                f"Plex is available again. {counted(self._store.waiting_count(), 'waiting save')} will be written now",
            )

    def reset(self) -> None:
        """Forget the failures: the settings name another Plex."""
        self.breaker.record_success()

    def probe(self) -> None:
        """Connect to Plex with the settings in force, and unblock or stay blocked accordingly."""
        self._sessions.close()
        try:
            _ = self._sessions.session.index.libraries
        except NEEDS_USER as error:
            self.record_failure(error)
        except PlexError as error:
            self.blocked = None
            self.record_failure(error)
        else:
            self.block(None)
            self.record_success()

    def block(self, sentence: str | None) -> None:
        """Stop writing for a reason that only the user can remove, or (None) go on."""
        if sentence != self.blocked:
            log.info("%s", sentence or "Writing to Plex is possible again")
        if sentence is not None or self.blocked is not None:
            self._status.set_attention(sentence)
        self.blocked = sentence

    def _record_outage_start(self, reason: str) -> None:
        if not self._is_outage_open():
            self._events.record([Event(self._clock(), OUTAGE_BEGAN, None, reason, self._store.waiting_count())])

    def _record_outage_end(self) -> None:
        if self._is_outage_open():
            self._events.record([Event(self._clock(), OUTAGE_ENDED, None, "", self._store.waiting_count())])

    def _is_outage_open(self) -> bool:
        return any(outage.ended is None for outage in self._events.outages())

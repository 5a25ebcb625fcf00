"""The circuit breaker: after three failures in a row Plex is asked only with growing pauses. Pure.

States: closed (work), open (wait until ``probe_at``), half-open (one trial decides).
"""

from __future__ import annotations

from enum import Enum

FAILURES_TO_OPEN = 3
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class BreakerState(Enum):
    """What the breaker allows."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """Times are epoch seconds, passed in by the caller."""

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self.reason = ""
        self.since: float | None = None
        self.probe_at = 0.0
        self._failures = 0
        self._pause = FIRST_PAUSE_S

    def record_failure(self, now: float, reason: str) -> bool:
        """Count a failure of Plex. Return True if it opened the breaker."""
        self._failures += 1
        self.reason = reason
        was_closed = self.state is BreakerState.CLOSED
        if was_closed and self._failures < FAILURES_TO_OPEN:
            return False
        if was_closed:
            self.since = now
            self._pause = FIRST_PAUSE_S
        else:
            self._pause = min(LONGEST_PAUSE_S, self._pause * 2)
        self.state = BreakerState.OPEN
        self.probe_at = now + self._pause
        return was_closed

    def record_success(self) -> bool:
        """Forget all failures. Return True if this closed the breaker."""
        was_closed = self.state is BreakerState.CLOSED
        self.__init__()  # type: ignore[misc]  # back to the beginning
        return not was_closed

    def allows_trial(self, now: float) -> bool:
        """Return whether an open breaker allows its one trial now; it is half-open then.

        A clock that was set back does not block it.
        """
        if self.state is BreakerState.OPEN and (now >= self.probe_at or self.probe_at > now + LONGEST_PAUSE_S):
            self.state = BreakerState.HALF_OPEN
        return self.state is BreakerState.HALF_OPEN

"""The circuit breaker: after three failures in a row Plex is left alone, and asked with growing pauses. Pure.

States: closed (work), open (wait until ``probe_at``), half-open (one trial decides).
"""

from __future__ import annotations

from enum import Enum

THRESHOLD = 3
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0


class BreakerState(Enum):
    """What the breaker allows."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """Times are epoch seconds, given by the caller."""

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self.reason = ""
        self.since: float | None = None
        self.probe_at = 0.0
        self._failures = 0
        self._pause = FIRST_PAUSE

    def failed(self, now: float, reason: str) -> bool:
        """Plex could not be reached or could not do it. True when this opened the breaker."""
        self._failures += 1
        self.reason = reason
        if self.state is BreakerState.CLOSED and self._failures < THRESHOLD:
            return False
        opened = self.state is BreakerState.CLOSED
        if opened:
            self.since = now
            self._pause = FIRST_PAUSE
        else:
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
        self.state = BreakerState.OPEN
        self.probe_at = now + self._pause
        return opened

    def worked(self) -> bool:
        """Plex did something. True when this closed the breaker."""
        closed = self.state is not BreakerState.CLOSED
        self.__init__()  # type: ignore[misc]  # back to the beginning
        return closed

    def try_now(self, now: float) -> bool:
        """Whether an open breaker allows its one trial now; it is half-open then. A clock set back does not block."""
        if self.state is BreakerState.OPEN and (now >= self.probe_at or self.probe_at > now + LONGEST_PAUSE):
            self.state = BreakerState.HALF_OPEN
        return self.state is BreakerState.HALF_OPEN

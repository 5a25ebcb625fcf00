"""The requests that a fault applies to: by method and path, by number, by time. Both simulators use it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable


class FaultScope:
    """Switches that limit the other switches; with the defaults, a fault applies to every request.

    - ``only``: a regular expression, searched in ``"PUT /library/sections/1/all"``; other requests are not affected.
    - ``skip``: let this many of those requests pass first. ``every``: of the others, affect every n-th.
    - ``times``: the fault ends after this many affected requests.
    - ``between``: (from, until) on ``clock``; the fault applies only within. Clearing the switches keeps ``clock``.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.time
        self._scope_lock = threading.Lock()
        self.clear_scope()

    def clear_scope(self) -> None:
        """Apply to every request again and restart the count."""
        self.only: str | None = None
        self.skip = 0
        self.every = 1
        self.times: int | None = None
        self.between: tuple[float, float] | None = None
        self._seen = 0

    def applies_to(self, line: str) -> bool:
        """Return whether the fault applies to the request ``line`` (method and path), and count the request."""
        with self._scope_lock:
            if self.only is not None and not re.search(self.only, line):
                return False
            if self.between is not None and not self.between[0] <= self.clock() < self.between[1]:
                return False
            if self.is_used_up:
                return False
            self._seen += 1
            number = self._seen - self.skip
            if number <= 0 or number % self.every:
                return False
            if self.times is not None:
                self.times -= 1
            return True

    @property
    def is_used_up(self) -> bool:
        """Whether the fault has affected ``times`` requests."""
        return self.times is not None and self.times <= 0

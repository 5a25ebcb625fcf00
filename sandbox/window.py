"""Which requests a fault meets: by what they ask for, by their number, by the time. Both simulators use it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable


class Window:
    """Switches that narrow all the others; as they are made, every request is met.

    - ``only``: a regular expression searched in ``"PUT /library/sections/1/all"``; other requests go undisturbed.
    - ``skip``: so many of the requests concerned pass first. ``every``: of the others, every so many-th is met.
    - ``times``: the fault is over after so many requests that met it.
    - ``between``: (from, until) on ``clock``; outside of it nothing is met. ``clock`` stays when the switches are
      cleared.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.time
        self._window_lock = threading.Lock()
        self.open_wide()

    def open_wide(self) -> None:
        """Back to every request, and begin to count anew."""
        self.only: str | None = None
        self.skip = 0
        self.every = 1
        self.times: int | None = None
        self.between: tuple[float, float] | None = None
        self._seen = 0

    def meets(self, line: str) -> bool:
        """Whether the request ``line`` (method and path) is met. Counts it where it is concerned."""
        with self._window_lock:
            if self.only is not None and not re.search(self.only, line):
                return False
            if self.between is not None and not self.between[0] <= self.clock() < self.between[1]:
                return False
            if self.over:
                return False
            self._seen += 1
            number = self._seen - self.skip
            if number <= 0 or number % self.every:
                return False
            if self.times is not None:
                self.times -= 1
            return True

    @property
    def over(self) -> bool:
        """Whether ``times`` requests were met."""
        return self.times is not None and self.times <= 0

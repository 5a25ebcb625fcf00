"""The request log: every request, counted by kind, and every applied edit."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple


class RequestLine(NamedTuple):
    """One request.

    ``time`` is monotonic seconds at arrival, ``duration`` seconds until the answer was ready. ``status`` is 0 if the
    connection was closed without an answer.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    status: int
    time: float
    duration: float


class Write(NamedTuple):
    """One applied edit: monotonic seconds, the rating keys, its parameters as sent."""

    time: float
    rating_keys: list[int]
    params: list[tuple[str, str]]


class RequestLog:
    """The request log. Every attribute may be read at any time from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: list[RequestLine] = []
        self.writes: list[Write] = []
        self.warnings: list[str] = []
        self.counters: Counter[str] = Counter()
        self.hidden_reloads = 0

    def arrived(self, kind: str, query: list[tuple[str, str]], single_item: bool) -> None:
        """Count a request before it is answered, so that a hanging request is counted as well."""
        with self._lock:
            self.counters[kind] += 1
            # plexapi sends this on its own when an attribute of a partial object is read (plex 3.6)
            if single_item and any(name == "includeBandwidths" for name, _ in query):
                self.hidden_reloads += 1

    def answered(self, line: RequestLine) -> None:
        with self._lock:
            self.requests.append(line)

    def wrote(self, write: Write) -> None:
        with self._lock:
            self.writes.append(write)

    def warn(self, text: str) -> None:
        """Record something that no careful client would send."""
        with self._lock:
            self.warnings.append(text)

    def reset_counters(self) -> None:
        """Reset the counters and the log; keep writes and warnings."""
        with self._lock:
            self.requests.clear()
            self.counters.clear()
            self.hidden_reloads = 0

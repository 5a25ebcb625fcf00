"""What the server was asked: every request, counted by kind, and every edit it carried out."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple


class RequestLine(NamedTuple):
    """One request. ``time`` is monotonic seconds at arrival, ``duration`` seconds until the answer was ready.

    ``status`` is 0 where the connection was closed without an answer.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    status: int
    time: float
    duration: float


class Write(NamedTuple):
    """One edit that was applied: monotonic seconds, the rating keys it reached, its parameters as sent."""

    time: float
    rating_keys: list[int]
    params: list[tuple[str, str]]


class RequestLog:
    """The request log. All of it may be read at any time from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: list[RequestLine] = []
        self.writes: list[Write] = []
        self.warnings: list[str] = []
        self.counters: Counter[str] = Counter()
        self.hidden_reloads = 0

    def arrived(self, kind: str, query: list[tuple[str, str]], single_item: bool) -> None:
        """Count a request before it is answered, so that one that hangs is seen."""
        with self._lock:
            self.counters[kind] += 1
            # what plexapi sends on its own when an attribute of a partial object is read (plex 3.6)
            if single_item and any(name == "includeBandwidths" for name, _ in query):
                self.hidden_reloads += 1

    def answered(self, line: RequestLine) -> None:
        with self._lock:
            self.requests.append(line)

    def wrote(self, write: Write) -> None:
        with self._lock:
            self.writes.append(write)

    def warn(self, text: str) -> None:
        """Note something no careful client would send."""
        with self._lock:
            self.warnings.append(text)

    def reset_counters(self) -> None:
        """Zero the counters and empty the log; writes and warnings stay."""
        with self._lock:
            self.requests.clear()
            self.counters.clear()
            self.hidden_reloads = 0

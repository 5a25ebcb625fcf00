"""Relay lines for the user to Stash's own log, through the plugin's operation ``say``.

The worker's own streams do not lead there; the process of an operation has Stash's log on its standard error.
"""

from __future__ import annotations

from collections.abc import Callable

from common.stash_log import redacted
from stash.client import StashClient, StashError
from stash.queries import RUN_OPERATION

SEND_INTERVAL_S = 60.0
MAX_LINES = 20


class StashLogRelay:
    """Collects lines and sends them together, at most once a minute. ``clock`` is monotonic seconds."""

    def __init__(self, client: StashClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._lines: list[tuple[str, str]] = []
        self._dropped = 0
        self._sent_at = float("-inf")

    def notify(self, level: str, text: str) -> None:
        """Collect a line (level: info, warning or error). Beyond MAX_LINES they are only counted."""
        if len(self._lines) < MAX_LINES:
            self._lines.append((level, redacted(text)))  # redacted here, where the names of the files are known
        else:
            self._dropped += 1

    def send(self, *, now: bool = False) -> None:
        """Send the lines if it is time (or ``now``). If Stash does not answer they are kept for the next time."""
        if not self._lines or (not now and self._clock() - self._sent_at < SEND_INTERVAL_S):
            return
        lines = [[level, text] for level, text in self._lines]
        if self._dropped:
            lines.append(["info", f"... and {self._dropped} more lines like these: see View Queue Status"])
        self._sent_at = self._clock()
        try:
            self._client.call(RUN_OPERATION, {"args": {"mode": "say", "lines": lines}})
        except StashError:
            return
        self._lines.clear()
        self._dropped = 0

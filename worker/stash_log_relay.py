"""What a person should see in Stash's own log, sent through the plugin's operation ``say`` (design 2).

The drainer's streams do not lead there; the operation's process has Stash's log on its standard error.
"""

from __future__ import annotations

from collections.abc import Callable

from common.stash_log import shown
from stash.client import StashClient, StashError
from stash.queries import RUN_OPERATION

PAUSE = 60.0
MOST_LINES = 20


class StashLogRelay:
    """Collects lines and sends them in one go, at most once a minute. ``clock`` is monotonic seconds."""

    def __init__(self, client: StashClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._lines: list[tuple[str, str]] = []
        self._unsaid = 0
        self._last = float("-inf")

    def tell(self, level: str, text: str) -> None:
        """Remember a line (level: info, warning or error). Of many, the first are kept and the rest counted."""
        if len(self._lines) < MOST_LINES:
            self._lines.append((level, shown(text)))  # here, where the files are known to the letter
        else:
            self._unsaid += 1

    def send(self, *, now: bool = False) -> None:
        """Send what is there, if it is time (or ``now``). A Stash that cannot be asked loses nothing but words."""
        if not self._lines or (not now and self._clock() - self._last < PAUSE):
            return
        lines = [[level, text] for level, text in self._lines]
        if self._unsaid:
            lines.append(["info", f"... and {self._unsaid} more of the kind: see View Queue Status"])
        self._last = self._clock()
        try:
            self._client.call(RUN_OPERATION, {"args": {"mode": "say", "lines": lines}})
        except StashError:
            return
        self._lines.clear()
        self._unsaid = 0

"""The server's log, and the line protocol of plugins on stderr (stash 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .clock import Clock

LONGEST_LINE = 64 * 1024
_LETTERS = {"t": "Trace", "d": "Debug", "i": "Info", "w": "Warning", "e": "Error", "p": "Progress"}
_SHOWN = {"Info", "Progress", "Warning", "Error"}


@dataclass(frozen=True)
class LogLine:
    """One line: ``time`` as the API writes it, ``level`` as its enum names it."""

    time: str
    level: str
    message: str


class Log:
    """Every line of every level, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: list[LogLine] = []

    def write(self, level: str, message: str) -> None:
        """Add a line of that level."""
        self.lines.append(LogLine(self._clock.precise(), level, message))

    def newest(self, count: int = 30) -> list[LogLine]:
        """Return what the ``logs`` query answers: newest first, at level Info or above."""
        return [line for line in reversed(self.lines) if line.level in _SHOWN][:count]


class PluginLog:
    """Turns a plugin's stderr into log lines and progress.

    ``default`` is the level of lines without one (None: they are dropped). ``on_progress`` gets 0.0 to 1.0.
    """

    def __init__(self, log: Log, name: str, default: str | None, on_progress: Callable[[float], None]) -> None:
        self._log, self._prefix, self._default = log, f"[Plugin / {name}] ", default
        self._on_progress = on_progress
        self._buffer = b""

    def feed(self, data: bytes) -> bool:
        """Process some bytes. Return False if a line was too long: then nothing more is read."""
        self._buffer += data
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if len(line) >= LONGEST_LINE:
                self._buffer = b""
                return False
            if not newline:
                return True
            self._buffer = rest
            self._line(line)

    def finish(self) -> None:
        """Handle the end of the stream; text without a newline is a line as well."""
        if self._buffer:
            self._line(self._buffer)
            self._buffer = b""

    def _line(self, raw: bytes) -> None:
        raw = raw[:-1] if raw.endswith(b"\r") else raw
        if not raw:
            return
        level, text = self._default, raw.decode("utf-8", "replace")
        if len(raw) >= 4 and raw[0] == 1 and raw[2] == 2 and chr(raw[1]) in _LETTERS:
            level, text = _LETTERS[chr(raw[1])], raw[3:].decode("utf-8", "replace").strip()
        if level == "Progress":
            self._progress(text)
        elif level is not None:
            self._log.write(level, self._prefix + text)

    def _progress(self, text: str) -> None:
        try:
            self._on_progress(min(1.0, max(0.0, float(text))))
        except ValueError:
            message = f"Error parsing progress value '{text}': strconv.ParseFloat: parsing \"{text}\": invalid syntax"
            self._log.write("Error", message)

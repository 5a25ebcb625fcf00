"""Writes lines to Stash's log: one message per line on standard error, with a level byte in front (stash 3).

Imports only ``os``: hook processes use it.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "[Stash2Plex] "
# Stash stops reading at a line of 64 KiB and closes the pipe (stash 3).
MAX_LINE_BYTES = 60_000

_LEVELS = {"trace": b"t", "debug": b"d", "info": b"i", "warning": b"w", "error": b"e"}
# Applied to every text before it is logged (``common.redaction``), or None.
_redactor: "Callable[[str], str] | None" = None


def set_redactor(redactor: "Callable[[str], str] | None") -> None:
    """Apply ``redactor`` to every text before it is logged; None logs texts as they are."""
    global _redactor
    _redactor = redactor


def current_redactor() -> "Callable[[str], str] | None":
    """Return the redactor in use, or None."""
    return _redactor


def redacted(text: str) -> str:
    """Return a text as it may be logged."""
    return text if _redactor is None else _redactor(text)


def encode(level: str, text: str) -> bytes:
    """Return ``text`` at ``level`` (trace to error) as bytes, one protocol line for each of its lines."""
    start = b"\x01" + _LEVELS[level] + b"\x02" + PREFIX.encode()
    rows = []
    for row in redacted(text).splitlines():
        data = row.encode("utf-8", "replace")
        if len(data) > MAX_LINE_BYTES:
            data = data[:MAX_LINE_BYTES].decode("utf-8", "ignore").encode() + b" ..."
        rows.append(start + data + b"\n")
    return b"".join(rows)


def _write(data: bytes) -> None:
    try:
        os.write(2, data)
    except OSError:
        # Stash has closed its end (stash 2.4). The work must go on.
        pass


def trace(text: str) -> None:
    """Log something for developers."""
    _write(encode("trace", text))


def debug(text: str) -> None:
    """Log what helps to follow one decision; Stash hides it by default."""
    _write(encode("debug", text))


def info(text: str) -> None:
    """Log what was done."""
    _write(encode("info", text))


def warning(text: str) -> None:
    """Log what the user may want to look at."""
    _write(encode("warning", text))


def error(text: str) -> None:
    """Log what the user has to fix."""
    _write(encode("error", text))


def progress(share: float) -> None:
    """Move the progress bar of the running task to ``share`` (0 to 1; clipped)."""
    _write(b"\x01p\x02" + f"{min(1.0, max(0.0, share)):.4f}".encode() + b"\n")

"""Lines for Stash's log: one message a line, a level byte in front, on standard error (stash 3).

Imports nothing but ``os``, so that the hook process may use it.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "[Stash2Plex] "
# Stash stops reading at a line of 64 KiB and closes the pipe (stash 3): cut well before, in bytes.
LINE_LIMIT = 60_000

_LEVELS = {"trace": b"t", "debug": b"d", "info": b"i", "warning": b"w", "error": b"e"}
# What every text goes through before it is said (``common.redaction``), or None.
_change: "Callable[[str], str] | None" = None


def through(change: "Callable[[str], str] | None") -> None:
    """Have every text changed before it is said; None ends that."""
    global _change
    _change = change


def changed_by() -> "Callable[[str], str] | None":
    """What texts go through, or None."""
    return _change


def shown(text: str) -> str:
    """A text as it may be said."""
    return text if _change is None else _change(text)


def encode(level: str, text: str) -> bytes:
    """The bytes of ``text`` at ``level`` (trace to error), a protocol line for each of its lines."""
    start = b"\x01" + _LEVELS[level] + b"\x02" + PREFIX.encode()
    rows = []
    for row in shown(text).splitlines():
        data = row.encode("utf-8", "replace")
        if len(data) > LINE_LIMIT:
            data = data[:LINE_LIMIT].decode("utf-8", "ignore").encode() + b" ..."
        rows.append(start + data + b"\n")
    return b"".join(rows)


def _write(data: bytes) -> None:
    try:
        os.write(2, data)
    except OSError:
        # Stash has closed its end (stash 2.4): there is nobody left to tell, and the work must go on.
        pass


def trace(text: str) -> None:
    """Say something only a developer wants."""
    _write(encode("trace", text))


def debug(text: str) -> None:
    """Say something that helps to follow one decision; Stash hides it by default."""
    _write(encode("debug", text))


def info(text: str) -> None:
    """Say what was done."""
    _write(encode("info", text))


def warning(text: str) -> None:
    """Say what a person may want to look at."""
    _write(encode("warning", text))


def error(text: str) -> None:
    """Say what a person has to mend."""
    _write(encode("error", text))


def progress(share: float) -> None:
    """Move the progress bar of the running task to ``share`` (0 to 1; clipped)."""
    _write(b"\x01p\x02" + f"{min(1.0, max(0.0, share)):.4f}".encode() + b"\n")

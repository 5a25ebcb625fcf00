"""What the worker leaves for others to read: ``attention``, ``worker_status.json``, its log, ``worker.wait``."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import time
from typing import Any

from common.detached_process import WAIT_FILE
from common.files import replace
from common.stash_log import shown
from state.worker_status import ATTENTION as ATTENTION
from state.worker_status import STATUS as STATUS
from state.worker_status import lives as lives
from state.worker_status import read_status as read_status
from state.worker_status import read_text as read_text

LOG = "stash2plex.log"
LOG_BYTES = 1_000_000
# The state of a drainer that is at work, in which its counts are written once in so many seconds.
WRITING = "writing"
OFTEN = 0.25
# Pauses after leaving for want of something: doubled at each recurrence.
FIRST_WAIT = 10.0
LONGEST_WAIT = 600.0


class StatusFiles:
    """The files of one data directory."""

    def __init__(self, data_dir: str) -> None:
        self._dir = data_dir
        self._attention: str | None = None
        # As it is, as it was written last, and when that was.
        self._status: dict[str, Any] = {}
        self._written: dict[str, Any] = {}
        self._at = 0.0

    def attention(self, sentence: str | None) -> None:
        """Say why edits wait and what to do, or that nothing is the matter. Hooks repeat it in Stash's log."""
        if sentence == self._attention:
            return
        path = os.path.join(self._dir, ATTENTION)
        if sentence is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            write_text(path, shown(sentence))  # hooks repeat it as it stands there
        self._attention = sentence

    def recall(self) -> None:
        """Take over what an earlier drainer has said."""
        path = os.path.join(self._dir, ATTENTION)
        said = read_text(path)
        # what nobody can read is something to be taken back, too
        self._attention = "" if said is None and os.path.exists(path) else said

    def status(self, **values: Any) -> None:
        """Write ``worker_status.json`` if anything changed: state, since, breaker, counts. In a bulk the counts are
        written now and then."""
        known = {**self._status, **values}
        now = time.time()
        moved = known.get("state") != self._status.get("state")
        if moved:
            known["since"] = now
        self._status = known
        if known == self._written or (not moved and known.get("state") == WRITING and 0 <= now - self._at < OFTEN):
            return
        self._written, self._at = known, now
        # Written often and worth nothing after a power cut: not forced onto the disk.
        write_text(os.path.join(self._dir, STATUS), json.dumps({**known, "pid": os.getpid(), "at": now}))

    def begin_wait(self) -> None:
        """The next drainer is to wait: twice as long as the last time."""
        pause = read_wait(self._dir)[1]
        pause = min(LONGEST_WAIT, pause * 2) if pause else FIRST_WAIT
        write_text(os.path.join(self._dir, WAIT_FILE), f"{time.time() + pause:.1f} {pause:g}")

    def no_wait(self) -> None:
        """What was wanting is there again."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._dir, WAIT_FILE))


def remove_old_names(data_dir: str) -> None:
    """Remove the files that version 0.1.0 kept under other names: what they say is outdated."""
    for name in ("drainer.json", "drainer.wait"):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(data_dir, name))


def read_wait(data_dir: str) -> tuple[float, float]:
    """Until when a drainer waits (epoch seconds) and how long that pause is; zeros for no wait."""
    try:
        until, pause = (read_text(os.path.join(data_dir, WAIT_FILE)) or "").split()
        return float(until), float(pause)
    except ValueError:
        return 0.0, 0.0


def write_text(path: str, text: str) -> None:
    """Replace a small file whole. Raises OSError."""
    temporary = f"{path}.new"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    replace(temporary, path)


class _Discreet(logging.Formatter):
    """Lines and tracebacks as they may be shown (the setting ``obfuscate_paths``)."""

    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


def open_log(data_dir: str, debug: bool = False) -> logging.Handler:
    """Send the plugin's own log lines into a small rotating file. Raises OSError."""
    path = os.path.join(data_dir, LOG)
    if not os.path.exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(_Discreet("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger("Stash2Plex")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    root.propagate = False
    return handler


def close_log(handler: logging.Handler) -> None:
    """End what :func:`open_log` began: a handler that is only closed opens its file again."""
    logging.getLogger("Stash2Plex").removeHandler(handler)
    handler.close()

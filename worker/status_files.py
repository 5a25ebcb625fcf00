"""Write the small files that others read: ``attention``, ``worker_status.json`` and ``worker.wait``."""

from __future__ import annotations

import contextlib
import json
import os
import time

from common.detached_process import WAIT_FILE
from common.files import replace
from common.stash_log import redacted
from state.worker_status import ATTENTION, STATUS, read_text

# The state of a worker that is writing to Plex; its counts are written at most this often.
WRITING = "writing"
WRITE_INTERVAL_S = 0.25
# How long the next worker pauses after one left because something was wrong: doubled each time.
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 600.0


class StatusFiles:
    """The files of one data directory."""

    def __init__(self, data_dir: str) -> None:
        self._dir = data_dir
        self._attention: str | None = None
        self._status: dict[str, object] = {}
        self._written_status: dict[str, object] = {}
        self._written_at = 0.0

    def set_attention(self, sentence: str | None) -> None:
        """Write why edits wait and what to do, or (None) that nothing is wrong. Hooks repeat it in Stash's log."""
        if sentence == self._attention:
            return
        path = os.path.join(self._dir, ATTENTION)
        if sentence is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            write_text(path, redacted(sentence))  # redacted here: hooks repeat it as it stands
        self._attention = sentence

    def load_attention(self) -> None:
        """Take over the sentence of an earlier worker, so that it is removed when it no longer holds."""
        path = os.path.join(self._dir, ATTENTION)
        sentence = read_text(path)
        is_unreadable = sentence is None and os.path.exists(path)
        self._attention = "" if is_unreadable else sentence

    def write_status(self, **values: object) -> None:
        """Write ``worker_status.json`` if anything changed: state, since, breaker, counts. In a bulk the counts are
        written now and then."""
        status = {**self._status, **values}
        now = time.time()
        has_new_state = status.get("state") != self._status.get("state")
        if has_new_state:
            status["since"] = now
        self._status = status
        is_too_soon = status.get("state") == WRITING and 0 <= now - self._written_at < WRITE_INTERVAL_S
        if status == self._written_status or (is_too_soon and not has_new_state):
            return
        self._written_status, self._written_at = status, now
        # Written often and worth nothing after a power cut: not flushed to the disk.
        write_text(os.path.join(self._dir, STATUS), json.dumps({**status, "pid": os.getpid(), "at": now}))

    def begin_pause(self) -> None:
        """Make the next worker pause: twice as long as the last time."""
        pause = read_wait(self._dir)[1]
        pause = min(LONGEST_PAUSE_S, pause * 2) if pause else FIRST_PAUSE_S
        write_text(os.path.join(self._dir, WAIT_FILE), f"{time.time() + pause:.1f} {pause:g}")

    def end_pause(self) -> None:
        """Let the next worker start at once: the work goes on."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._dir, WAIT_FILE))


def remove_old_names(data_dir: str) -> None:
    """Remove the files that version 0.1.0 kept under other names: what they say is outdated."""
    for name in ("drainer.json", "drainer.wait"):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(data_dir, name))


def read_wait(data_dir: str) -> tuple[float, float]:
    """Return until when the next worker pauses (epoch seconds) and how long that pause is; zeros for none."""
    try:
        until, pause = (read_text(os.path.join(data_dir, WAIT_FILE)) or "").split()
        return float(until), float(pause)
    except ValueError:
        return 0.0, 0.0


def write_text(path: str, text: str) -> None:
    """Replace a small file atomically. Raise OSError."""
    temporary = f"{path}.new"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    replace(temporary, path)

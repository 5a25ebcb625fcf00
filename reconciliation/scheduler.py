"""When the next automatic run is due, and what came of the last one."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from common import reconcile_due
from common.data_dir import make_private_dir
from common.files import replace
from state import database
from state.events import RECONCILED, Event, Events
from state.reconciliation_state import FILE as FILE
from state.reconciliation_state import load
from state.timestamps import replace_json

INTERVALS = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 7 * 86_400.0}
# After a run that had to stop early, doubled at each recurrence.
FIRST_PAUSE = 600.0
LONGEST_PAUSE = 3_600.0
# Clocks are corrected by a little all the time; more than this is a clock that was set back.
_SET_BACK = 60.0


@dataclass
class ReconciliationState:
    """The last run: when (epoch seconds, 0 for never), over what, and its numbers. ``last_full_run_time`` is the end
    of the last complete run over all scenes; ``failures`` counts the runs in a row that had to stop early."""

    last_run_time: float = 0.0
    last_scope: str = ""
    last_scenes_checked: int = 0
    last_gaps_found: int = 0
    last_enqueued: int = 0
    last_gaps_by_type: dict[str, int] = field(default_factory=dict)
    last_enqueued_by_type: dict[str, int] = field(default_factory=dict)
    last_full_run_time: float = 0.0
    last_error: str = ""
    failures: int = 0


class ReconciliationScheduler:
    """The schedule of one data directory. Nothing is kept in memory: several processes ask."""

    def __init__(self, data_dir: str) -> None:
        self.data_dir = data_dir

    def load_state(self) -> ReconciliationState:
        """What is known of the last run; as before the first run where the file is missing or damaged."""
        return ReconciliationState(**load(self.data_dir))

    def save_state(self, state: ReconciliationState) -> None:
        """Replace the file as a whole. Raises OSError."""
        make_private_dir(self.data_dir)
        replace_json(os.path.join(self.data_dir, FILE), asdict(state))

    def record_run(self, scope: str, result: Any, now: float | None = None) -> None:
        """Remember a run, automatic or not: it resets the timer. ``result`` is a GapDetectionResult. Raises OSError."""
        now = time.time() if now is None else now
        before = self.load_state()
        complete = bool(getattr(result, "complete", True))
        whole = complete and str(scope) == "all"
        errors = list(getattr(result, "errors", ()))
        self.save_state(
            ReconciliationState(
                last_run_time=now,
                last_scope=str(scope),
                last_scenes_checked=int(result.scenes_checked),
                last_gaps_found=int(result.total_gaps),
                last_enqueued=int(result.enqueued_count),
                last_gaps_by_type=dict(getattr(result, "gaps_by_type", {})),
                last_enqueued_by_type=dict(getattr(result, "enqueued_by_type", {})),
                last_full_run_time=now if whole else before.last_full_run_time,
                last_error="" if complete or not errors else str(errors[-1]),
                failures=0 if complete else before.failures + 1,
            )
        )
        self._tell_history(now)

    def _tell_history(self, now: float) -> None:
        """One event for the history; whoever has none of it misses a line there, and nothing else."""
        last = self.load_state()
        told = {
            "scope": last.last_scope[:40],
            "checked": last.last_scenes_checked,
            "found": last.last_gaps_found,
            "queued": last.last_enqueued,
            "error": last.last_error[:120],
        }
        with contextlib.suppress(sqlite3.Error, OSError), closing(database.connect(self.data_dir)) as db:
            # As it is, not escaped: an event's detail is short, and half a JSON is none.
            Events(db).record([Event(now, RECONCILED, None, json.dumps(told, ensure_ascii=False))])

    def is_due(self, config: Any, now: float | None = None) -> bool:
        """Whether the periodic run is due that the settings ask for."""
        now = time.time() if now is None else now
        at = self.next_run(config)
        return at <= now or (at < math.inf and self.load_state().last_run_time > now + _SET_BACK)

    def is_startup_due(self, now: float | None = None) -> bool:
        """Whether the last run is more than an hour ago."""
        now = time.time() if now is None else now
        last = self.load_state().last_run_time
        return now - last > reconcile_due.QUIET or last > now + _SET_BACK

    def next_run(self, config: Any) -> float:
        """When the next periodic run is due (epoch seconds; 0 where there was none yet); infinity for never."""
        interval = INTERVALS.get(str(getattr(config, "reconcile_interval", "never")).strip().lower())
        if interval is None:
            return math.inf
        last = self.load_state()
        if not last.last_run_time:
            return 0.0
        return last.last_run_time + (min(interval, _pause(last.failures)) if last.failures else interval)

    def arrange(self, config: Any, stash_process: str | None = None, now: float | None = None) -> None:
        """Tell the hooks when to look again: after a run, and whenever the settings may have changed.

        ``stash_process`` is the process of Stash that is known from now on (None: as before). Raises OSError.
        """
        now = time.time() if now is None else now
        last, periodic = self.load_state(), self.next_run(config)
        if stash_process is None:
            stash_process = self.known_process()
        quiet_until = min(last.last_run_time + reconcile_due.QUIET, now + reconcile_due.QUIET)
        self._write(periodic, stash_process, max(now, min(periodic, quiet_until)))

    def pause(self, now: float | None = None) -> None:
        """A run begins: whatever becomes of it, hooks start no other for a while. Raises OSError."""
        now = time.time() if now is None else now
        self._write(0.0, self.known_process(), now + _pause(self.load_state().failures + 1))

    def known_process(self) -> str:
        """The process of Stash that the last run knew; empty for none."""
        try:
            return reconcile_due.read(os.path.join(self.data_dir, reconcile_due.FILE))[1]
        except (OSError, ValueError):
            return ""

    def _write(self, periodic: float, stash_process: str, at: float) -> None:
        make_private_dir(self.data_dir)
        import tempfile  # half of what a status would import, which writes nothing

        handle, temporary = tempfile.mkstemp(dir=self.data_dir, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{periodic:.0f} {stash_process}")
            # The time is set before the name is: no hook may see the file with another.
            os.utime(temporary, (at, at))
            replace(temporary, os.path.join(self.data_dir, reconcile_due.FILE))
        except BaseException:  # raised again; no temporary file is left behind
            os.unlink(temporary)
            raise


def _pause(failures: int) -> float:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(10, max(0, failures - 1)))

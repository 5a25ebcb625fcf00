"""When the next automatic run is due, and what the last run found."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Protocol

from common import reconcile_due
from common.data_dir import make_private_dir
from common.files import replace
from state import database
from state.events import RECONCILED, Event, Events
from state.reconciliation_state import FILE as FILE
from state.reconciliation_state import load
from state.timestamps import replace_json

INTERVALS = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 7 * 86_400.0}
# The pause after a run that had to stop early; it doubles with each such run in a row.
FIRST_PAUSE_S = 600.0
MAX_PAUSE_S = 3_600.0
# Small corrections of the clock are normal; beyond this it was set back.
_CLOCK_TOLERANCE_S = 60.0


@dataclass
class ReconciliationState:
    """The last run: when it ended (epoch seconds, 0 for never), its scope and its numbers. ``last_full_run_time`` is
    the end of the last complete run over all scenes; ``failures`` counts the runs in a row that had to stop early."""

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


class RecordedResult(Protocol):
    """The numbers of a GapDetectionResult that are recorded; others are recorded where there are any."""

    scenes_checked: int
    total_gaps: int
    enqueued_count: int


class ReconciliationScheduler:
    """The schedule of one data directory. Nothing is cached, since several processes ask."""

    def __init__(self, data_dir: str) -> None:
        self.data_dir = data_dir

    def load_state(self) -> ReconciliationState:
        """Return the last run; as before the first run if the file is missing or damaged."""
        return ReconciliationState(**load(self.data_dir))

    def save_state(self, state: ReconciliationState) -> None:
        """Replace the file. Raise OSError."""
        make_private_dir(self.data_dir)
        replace_json(os.path.join(self.data_dir, FILE), asdict(state))

    def record_run(self, scope: str, result: RecordedResult, now: float | None = None) -> None:
        """Record a run, automatic or not: it resets the timer. Raise OSError."""
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
        self._record_event(now)

    def _record_event(self, now: float) -> None:
        """Record an event for the history. An error costs a line there, and nothing else."""
        last = self.load_state()
        detail = {
            "scope": last.last_scope[:40],
            "checked": last.last_scenes_checked,
            "found": last.last_gaps_found,
            "queued": last.last_enqueued,
            "error": last.last_error[:120],
        }
        with contextlib.suppress(sqlite3.Error, OSError), closing(database.connect(self.data_dir)) as db:
            # Not escaped: the length of an event's detail is limited, and a truncated JSON cannot be read.
            Events(db).record([Event(now, RECONCILED, None, json.dumps(detail, ensure_ascii=False))])

    def is_due(self, config: object, now: float | None = None) -> bool:
        """Tell whether the periodic run of the settings is due."""
        now = time.time() if now is None else now
        at = self.next_run(config)
        return at <= now or (at < math.inf and self.load_state().last_run_time > now + _CLOCK_TOLERANCE_S)

    def is_startup_due(self, now: float | None = None) -> bool:
        """Tell whether the last run was more than an hour ago."""
        now = time.time() if now is None else now
        last = self.load_state().last_run_time
        return now - last > reconcile_due.QUIET_AFTER_RUN_S or last > now + _CLOCK_TOLERANCE_S

    def next_run(self, config: object) -> float:
        """Return when the next periodic run is due, in epoch seconds: 0 before the first run, infinity for never."""
        interval = INTERVALS.get(str(getattr(config, "reconcile_interval", "never")).strip().lower())
        if interval is None:
            return math.inf
        last = self.load_state()
        if not last.last_run_time:
            return 0.0
        return last.last_run_time + (min(interval, _pause(last.failures)) if last.failures else interval)

    def arrange(self, config: object, stash_process: str | None = None, now: float | None = None) -> None:
        """Set when the hooks check again: after a run, and whenever the settings may have changed.

        ``stash_process`` is the process of Stash that is known from now on (None: as before). Raise OSError.
        """
        now = time.time() if now is None else now
        last, periodic = self.load_state(), self.next_run(config)
        if stash_process is None:
            stash_process = self.known_process()
        quiet_until = min(last.last_run_time + reconcile_due.QUIET_AFTER_RUN_S, now + reconcile_due.QUIET_AFTER_RUN_S)
        self._write(periodic, stash_process, max(now, min(periodic, quiet_until)))

    def pause(self, now: float | None = None) -> None:
        """Keep hooks from starting another run for a while, whatever becomes of the one that begins. Raise OSError."""
        now = time.time() if now is None else now
        self._write(0.0, self.known_process(), now + _pause(self.load_state().failures + 1))

    def known_process(self) -> str:
        """Return the process of Stash that the last run recorded; empty for none."""
        try:
            return reconcile_due.read(os.path.join(self.data_dir, reconcile_due.FILE))[1]
        except (OSError, ValueError):
            return ""

    def _write(self, periodic: float, stash_process: str, at: float) -> None:
        make_private_dir(self.data_dir)
        import tempfile  # costs as much as all else that a status imports, and a status writes nothing

        handle, temporary = tempfile.mkstemp(dir=self.data_dir, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{periodic:.0f} {stash_process}")
            # Set the time before the name: no hook may see the file with another time.
            os.utime(temporary, (at, at))
            replace(temporary, os.path.join(self.data_dir, reconcile_due.FILE))
        except BaseException:  # raised again; no temporary file is left behind
            os.unlink(temporary)
            raise


def _pause(failures: int) -> float:
    return min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(10, max(0, failures - 1)))

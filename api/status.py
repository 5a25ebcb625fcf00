"""Operation ``status``: queue, worker, outage and reconciliation at a glance, for the page and its icon."""

from __future__ import annotations

import os
import time

from api import VERSION
from api.read_model import (
    current_outage,
    dead_letters_by_code,
    finished_jobs,
    has_active_jobs,
    in_step_count,
    last_reconciliation,
    needs_you_count,
    newest_dead_letter_time,
    next_reconciliation,
    open_queue,
    open_state,
    queue_counts,
    scenes_in_flight,
)
from state import last_known
from state.worker_status import ATTENTION, lives, read_status, read_text

# ``moving`` stays true for this long after a job left the queue.
JUST_FINISHED_S = 10.0
# Scenes in flight that are named.
MAX_NAMED = 5


def status(args: dict[str, object], data_dir: str) -> dict[str, object]:
    """Return the status. Raise sqlite3.Error, OSError."""
    now = time.time()
    queue, writing, active = _queue(data_dir, now)
    waiting, in_flight = queue["waiting"], queue["in_flight"]
    db = open_state(data_dir)
    try:
        dead_letters = dead_letters_by_code(db)
        newest_dead_letter = newest_dead_letter_time(db) if dead_letters else None
        in_step = in_step_count(db)
        outage = current_outage(db)
        done, first_done, last_done = finished_jobs(db, now)
        server = last_known.get(db, last_known.SERVER)
        settings = last_known.get(db, last_known.SETTINGS) or {}
    finally:
        db.close()
    rate = done / max(1.0, now - first_done) if first_done is not None else None
    moving = active or (waiting > 0 and outage is not None)
    last_run = last_reconciliation(data_dir)
    return {
        "version": VERSION,
        "now": now,
        "server": server or {"name": None, "version": None, "machine": None},
        "queue": {"waiting": waiting, "in_flight": in_flight},
        "writing": writing,
        "in_step": in_step,
        "needs_you": needs_you_count(dead_letters),
        "newest_letter": newest_dead_letter,
        "attention": read_text(os.path.join(data_dir, ATTENTION)) or None,
        "drainer": _worker(data_dir, rate, waiting if moving else 0),
        "outage": {"began": outage[0], "reason": outage[1], "waiting": waiting + in_flight} if outage else None,
        "compared": {
            "when": last_run["last_run_time"],
            "scope": str(last_run.get("last_scope") or ""),
            "complete": not last_run.get("last_error"),
        }
        if last_run
        else None,
        "last_full": last_run.get("last_full_run_time") or None,
        "next_run": next_reconciliation(data_dir),
        "enabled": bool(settings.get("enabled", True)),
        "moving": moving or (last_done is not None and 0 <= now - last_done < JUST_FINISHED_S),
        "plex_web_url": settings.get("plex_web_url"),
        "show_marks": bool(settings.get("show_marks", True)),
    }


def _queue(data_dir: str, now: float) -> tuple[dict[str, int], list[int], bool]:
    """Return rows by state, some scenes in flight, and whether a job is in flight, due or failing."""
    db = open_queue(data_dir)
    if db is None:
        return queue_counts(None), [], False
    try:
        counts = queue_counts(db)
        scenes = scenes_in_flight(db, MAX_NAMED) if counts["in_flight"] else []
        active = counts["in_flight"] > 0 or (counts["waiting"] > 0 and has_active_jobs(db, now))
    finally:
        db.close()
    return counts, scenes, active


def _worker(data_dir: str, rate: float | None, moving_jobs: int) -> dict[str, object]:
    """Return the worker's status. ``rate`` is in scenes per second."""
    status = read_status(data_dir)
    return {
        "state": status.get("state"),
        "reason": status.get("reason"),
        "since": status.get("since"),
        "alive": lives(status),
        "breaker": status.get("breaker"),
        "written": status.get("written") or 0,
        "rate": rate,
        "left": moving_jobs / rate if rate and moving_jobs else None,
    }

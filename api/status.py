"""``status``: how things are, for the page and its icon. Out of our own files alone, with as few imports as can be."""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import json
import os
import time

from api.causes import IN_STEP, VERSION
from api.read_model import (
    LETTERS_BY_TYPE,
    last_comparison,
    next_comparison,
    open_queue,
    open_state,
    rows_by_state,
)
from common.errors import ENDED_BY_OUTAGE
from state import last_known
from state.worker_status import ATTENTION, lives, read_status, read_text
from sync_queue import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Something that is due within so many seconds moves, and so does what has happened within so many.
SOON = 5.0
JUST_NOW = 10.0
# The speed is that of the last so many seconds.
WINDOW = 60.0
# A time further ahead can only come from a clock that was set back (sync_queue.store).
_FAR_AHEAD = 600.0
# So many of the scenes that are being written are named.
NAMED = 5
# So many of the rows that are not due yet are looked at, those due first: a row that failed is tried again long before
# one that waits for its file.
_NEXT = 20

_NEWEST_LETTER = "SELECT MAX(last_at) FROM dead_letters"
# SQLite counts a table faster than a part of it, and the others are few as a rule.
_ALL = "SELECT COUNT(*) FROM ledger"
_OTHERS = "SELECT COUNT(*) FROM ledger WHERE verdict < ? OR (verdict > ? AND verdict < ?) OR verdict > ?"
# The plus keeps SQLite from walking through all events to the last outage: their own index has them.
_LAST_OUTAGE = (
    "SELECT at, kind, detail FROM events WHERE kind IN ('outage began','outage ended') ORDER BY +id DESC LIMIT 1"
)
# What left the queue of late: how much, since when, and when last.
_DONE = (
    "SELECT COUNT(*), MIN(at), MAX(at) FROM (SELECT at, kind, scene_id FROM events ORDER BY id DESC LIMIT 1000) "
    "WHERE at > ? AND scene_id IS NOT NULL AND kind != 'waits'"
)


def status(args: dict[str, Any], data_dir: str) -> dict[str, Any]:
    """How things are. Raises sqlite3.Error, OSError."""
    now = time.time()
    drainer = read_status(data_dir)
    queue, writing, at_work = _queue(data_dir, now)
    db = open_state(data_dir)
    try:
        letters: dict[str, int] = dict(db.execute(LETTERS_BY_TYPE).fetchall())
        newest_letter = db.execute(_NEWEST_LETTER).fetchone()[0] if letters else None
        low, high = sorted(IN_STEP)
        in_step = db.execute(_ALL).fetchone()[0] - db.execute(_OTHERS, (low, low, high, high)).fetchone()[0]
        outage = _outage(db, queue["waiting"] + queue["in_flight"])
        done, since, last = db.execute(_DONE, (now - WINDOW,)).fetchone()
        server = last_known.get(db, last_known.SERVER)
        settings = last_known.get(db, last_known.SETTINGS) or {}
    finally:
        db.close()
    rate = done / max(1.0, now - since) if done else None
    waiting = bool(queue["waiting"])
    moving = at_work or (waiting and outage is not None)
    compared = last_comparison(data_dir)
    return {
        "version": VERSION,
        "now": now,
        "server": server or {"name": None, "version": None, "machine": None},
        "queue": queue,
        "writing": writing,
        "in_step": in_step,
        "needs_you": sum(number for kind, number in letters.items() if kind not in ENDED_BY_OUTAGE),
        "newest_letter": newest_letter,
        "attention": read_text(os.path.join(data_dir, ATTENTION)) or None,
        "drainer": {
            "state": drainer.get("state"),
            "reason": drainer.get("reason"),
            "since": drainer.get("since"),
            "alive": lives(drainer),
            "breaker": drainer.get("breaker"),
            "written": drainer.get("written") or 0,
            "rate": rate,
            "left": queue["waiting"] / rate if rate and moving and waiting else None,
        },
        "outage": outage,
        "compared": {
            "when": compared["last_run_time"],
            "scope": str(compared.get("last_scope") or ""),
            "complete": not compared.get("last_error"),
        }
        if compared
        else None,
        "last_full": compared.get("last_full_run_time") or None,
        "next_run": next_comparison(data_dir),
        "enabled": bool(settings.get("enabled", True)),
        "moving": moving or (last is not None and 0 <= now - last < JUST_NOW),
        "plex_web_url": settings.get("plex_web_url"),
        "show_marks": bool(settings.get("show_marks", True)),
    }


def _queue(data_dir: str, now: float) -> tuple[dict[str, int], list[int], bool]:
    """Rows by state, some of the scenes in flight, and whether a row is in flight, due or failing."""
    db = open_queue(data_dir)
    if db is None:
        return {"waiting": 0, "in_flight": 0}, [], False
    try:
        counts = rows_by_state(db)
        queue = {"waiting": counts["waiting"], "in_flight": counts["in_flight"]}
        in_flight = map(_job, db.execute(sql.JOBS_IN_FLIGHT).fetchmany(NAMED)) if queue["in_flight"] else ()
        scenes = [job["scene_id"] for job in in_flight if isinstance(job.get("scene_id"), int)]
        at_work = bool(queue["in_flight"]) or (bool(queue["waiting"]) and _is_at_work(db, now))
    finally:
        db.close()
    return queue, scenes, at_work


def _is_at_work(db: sqlite3.Connection, now: float) -> bool:
    """Whether a row that waits is due, or has failed and is tried again."""
    for priority in (0, 1, 2):
        moment = db.execute(sql.NEXT_DUE, (priority,)).fetchone()[0]
        if moment is not None and (moment <= now + SOON or moment > now + _FAR_AHEAD):
            return True
    for priority in (0, 1, 2):
        later = db.execute(sql.DUE_BY_CLOCK_SET_BACK, (priority, now, _NEXT)).fetchall()
        if any(job.get("last_error") and not job.get("awaits_file") for job in map(_job, (row[1:] for row in later))):
            return True
    return False


def _job(row: tuple[bytes | str, ...]) -> dict[str, Any]:
    try:
        job = json.loads(row[0])
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}


def _outage(db: sqlite3.Connection, waiting: int) -> dict[str, Any] | None:
    """The outage that is going on, with what waits for its end; None where Plex works."""
    row = db.execute(_LAST_OUTAGE).fetchone()
    if row is None or row[1] != "outage began":
        return None
    return {"began": row[0], "reason": row[2], "waiting": waiting}

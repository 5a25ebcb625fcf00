"""What the status, the page's other quick operations and View Queue Status read: queue, state.db and small files.

Changes nothing. Imports little and avoids ``contextlib``, which would make a status a tenth slower: callers close what
they open.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # sqlite3 itself would also import datetime
import json
import os
import time

from common import reconcile_due
from common.errors import ENDED_BY_OUTAGE
from common.sqlite import connect_existing
from common.verdicts import SYNCED, Verdict
from state import database
from state.reconciliation_state import FILE as RECONCILIATION_FILE
from state.reconciliation_state import load as load_reconciliation_state
from state.worker_status import ATTENTION, read_status, read_text
from sync_queue import sql
from sync_queue.writer import DATABASE, queue_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypedDict

    class DeadLetterRow(TypedDict):
        """A dead letter without its job. Times are epoch seconds; ``detail`` may hold candidates."""

        scene_id: int | None
        error_type: str
        message: str
        attempts: int
        first_at: float
        last_at: float
        detail: dict[str, object]

    class DeadLetterFacts(TypedDict):
        """Dead letters: their number, by error code, and the newest rows."""

        count: int
        by_type: dict[str, int]
        newest: list[DeadLetterRow]

    class OutageFacts(TypedDict):
        """An outage of Plex. ``ended`` is None while it lasts; ``waiting`` counts jobs."""

        began: float
        ended: float | None
        reason: str
        waiting: int

    class LearnedPair(TypedDict):
        """A folder of Stash and the same folder in Plex, with the number of scenes that show it."""

        stash: str
        plex: str
        files: int

    class QueueStatusFacts(TypedDict):
        """The answer of the task View Queue Status."""

        queue: dict[str, int]
        drainer: dict[str, object]
        attention: str | None
        reconciliation: dict[str, object]
        learned: list[LearnedPair]
        dead_letters: DeadLetterFacts
        verdicts: dict[str, int]
        not_in_plex: list[dict[str, object]]
        outages: list[OutageFacts]


# Rows of each list in the facts of View Queue Status.
MAX_LISTED = 10
OUTAGES_WINDOW_S = 7 * 86_400.0
# A job that is due within this time counts as active.
DUE_SOON_S = 5.0
# Jobs that are not due yet are searched for one that failed: those due first. A failed job is due again long before one
# that waits for its file.
MAX_LATER_JOBS = 20
THROUGHPUT_WINDOW_S = 60.0
# The task Purge Old DLQ Entries deletes dead letters that are older.
PURGE_AFTER_DAYS = 30.0
DAY_S = 86_400.0

_DEAD_LETTERS_BY_CODE = "SELECT error_type, COUNT(*) FROM dead_letters GROUP BY error_type"
_NEWEST_DEAD_LETTER_TIME = "SELECT MAX(last_at) FROM dead_letters"
_OLD_DEAD_LETTERS = "SELECT COUNT(*) FROM dead_letters WHERE last_at < ?"
# First the newest row ids, then their columns: sorting whole rows is slower.
_NEWEST_DEAD_LETTERS = (
    "SELECT scene_id, error_type, message, attempts, first_at, last_at, detail FROM dead_letters "
    "WHERE rowid IN (SELECT rowid FROM dead_letters ORDER BY last_at DESC LIMIT ?) ORDER BY last_at DESC"
)
# SQLite counts a whole table faster than a part of it, and most scenes are in step: count all, and those that are not.
_LEDGER_ROWS = "SELECT COUNT(*) FROM ledger"
_NOT_IN_STEP = "SELECT COUNT(*) FROM ledger WHERE verdict < ? OR (verdict > ? AND verdict < ?) OR verdict > ?"
_OTHER_VERDICTS = (
    "SELECT verdict, COUNT(*) FROM ledger WHERE verdict < ? GROUP BY verdict UNION ALL "
    "SELECT verdict, COUNT(*) FROM ledger WHERE verdict > ? GROUP BY verdict"
)
_NEWEST_WITH_VERDICT = "SELECT scene_id, reason FROM ledger WHERE verdict = ? ORDER BY at DESC LIMIT ?"
# The plus keeps SQLite from walking through all events: it then uses the index of outages.
_LAST_OUTAGE_EVENT = (
    "SELECT at, kind, detail FROM events WHERE kind IN ('outage began','outage ended') ORDER BY +id DESC LIMIT 1"
)
# Jobs that left the queue lately: how many, the first and the last time.
_FINISHED_JOBS = (
    "SELECT COUNT(*), MIN(at), MAX(at) FROM (SELECT at, kind, scene_id FROM events ORDER BY id DESC LIMIT 1000) "
    "WHERE at > ? AND scene_id IS NOT NULL AND kind != 'waits'"
)


# The queue


def open_queue(data_dir: str) -> sqlite3.Connection | None:
    """Open the queue for reading. Return None if there is none yet. Raise sqlite3.Error."""
    path = os.path.join(queue_dir(data_dir), DATABASE)
    if not os.path.exists(path):
        return None
    db = connect_existing(path, read_only=True)
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (sql.TABLE,)).fetchone() is None:
        db.close()
        return None  # another process is setting it up
    return db


def queue_counts(db: sqlite3.Connection | None) -> dict[str, int]:
    """Return rows by state, as ``sync_queue.operations.get_stats`` does. Raise sqlite3.Error."""
    counts = dict(db.execute(sql.COUNT_ALL_AND_OTHERS).fetchall()) if db is not None else {}
    fresh = counts.pop(None, 0) - sum(counts.values())
    return {
        "waiting": fresh + counts.get(1, 0),
        "in_flight": counts.get(2, 0),
        "acknowledged": counts.get(5, 0),
        "failed": counts.get(9, 0),
    }


def scenes_in_flight(db: sqlite3.Connection, limit: int) -> list[int]:
    """Return the ids of scenes that the worker has claimed, of the first ``limit`` jobs."""
    jobs = map(_job, db.execute(sql.JOBS_IN_FLIGHT).fetchmany(limit))
    return [scene_id for job in jobs if isinstance(scene_id := job.get("scene_id"), int)]


def has_active_jobs(db: sqlite3.Connection, now: float) -> bool:
    """Return whether a waiting job is due, or has failed and will be tried again.

    A job that only waits for its file in Plex is not active.
    """
    for priority in (0, 1, 2):
        due = db.execute(sql.NEXT_DUE, (priority,)).fetchone()[0]
        if due is not None and (due <= now + DUE_SOON_S or due > now + sql.MAX_DUE_AHEAD_S):
            return True
    for priority in (0, 1, 2):
        later = db.execute(sql.DUE_BY_CLOCK_SET_BACK, (priority, now, MAX_LATER_JOBS)).fetchall()
        if any(job.get("last_error") and not job.get("awaits_file") for job in map(_job, (row[1:] for row in later))):
            return True
    return False


def jobs_of_scenes(data_dir: str, scene_ids: Iterable[int]) -> dict[int, dict[str, object]]:
    """Return the job of each scene that waits or is in flight; of two, the one that waits, which is newer."""
    from common.job_rows import scene_key  # a status has no use for it

    jobs: dict[int, dict[str, object]] = {}
    db = open_queue(data_dir)
    if db is None:
        return jobs
    try:
        scenes = {scene_key(scene_id): scene_id for scene_id in scene_ids}
        for job in map(_job, db.execute(sql.JOBS_IN_FLIGHT)):
            if (key := job.get("job_key")) in scenes:
                jobs[scenes[str(key)]] = job
        for key, scene_id in scenes.items():
            row = db.execute(sql.JOB_BY_KEY, (key,)).fetchone()
            if row is not None:
                jobs[scene_id] = _job(row)
    finally:
        db.close()
    return jobs


def _job(row: tuple[bytes | str, ...]) -> dict[str, object]:
    return json_object(row[0])


def json_object(text: bytes | str) -> dict[str, object]:
    """Return the JSON object in a text, or an empty one if there is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


# state.db


def open_state(data_dir: str) -> sqlite3.Connection:
    """Open ``state.db``, or an empty one in memory if there is none yet. Raise sqlite3.Error, OSError."""
    exists = os.path.exists(os.path.join(data_dir, database.FILE))
    return database.connect(data_dir) if exists else database.in_memory()


def dead_letters_by_code(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of dead letters by error code."""
    return dict(db.execute(_DEAD_LETTERS_BY_CODE).fetchall())


def needs_you_count(by_code: Mapping[str, int]) -> int:
    """Return how many dead letters need a person: those that an outage ended are retried without one."""
    return sum(count for code, count in by_code.items() if code not in ENDED_BY_OUTAGE)


def newest_dead_letter_time(db: sqlite3.Connection) -> float | None:
    """Return when the last dead letter was written (epoch seconds), or None if there is none."""
    newest: float | None = db.execute(_NEWEST_DEAD_LETTER_TIME).fetchone()[0]
    return newest


def old_dead_letter_count(db: sqlite3.Connection, now: float) -> int:
    """Return how many dead letters the task Purge Old DLQ Entries would delete, whatever their error."""
    return int(db.execute(_OLD_DEAD_LETTERS, (now - PURGE_AFTER_DAYS * DAY_S,)).fetchone()[0])


def newest_dead_letters(db: sqlite3.Connection, limit: int) -> list[DeadLetterRow]:
    """Return the newest dead letters, without their jobs."""
    return [
        {
            "scene_id": scene_id,
            "error_type": code,
            "message": message,
            "attempts": attempts,
            "first_at": first_at,
            "last_at": last_at,
            "detail": json_object(detail),
        }
        for scene_id, code, message, attempts, first_at, last_at, detail in db.execute(_NEWEST_DEAD_LETTERS, (limit,))
    ]


def in_step_count(db: sqlite3.Connection) -> int:
    """Return how many scenes showed the same values in Plex when last synced."""
    low, high = sorted(verdict.value for verdict in SYNCED)
    others: int = db.execute(_NOT_IN_STEP, (low, low, high, high)).fetchone()[0]
    return int(db.execute(_LEDGER_ROWS).fetchone()[0]) - others


def verdict_counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of scenes by verdict."""
    frequent = Verdict.WRITTEN.value
    counts: dict[str, int] = dict(db.execute(_OTHER_VERDICTS, (frequent, frequent)).fetchall())
    counts[frequent] = db.execute(_LEDGER_ROWS).fetchone()[0] - sum(counts.values())
    return {verdict: count for verdict, count in counts.items() if count}


def newest_with_verdict(db: sqlite3.Connection, verdict: str, limit: int) -> list[dict[str, object]]:
    """Return scene id and reason of the scenes with a verdict, the newest first."""
    rows = db.execute(_NEWEST_WITH_VERDICT, (verdict, limit))
    return [{"scene_id": scene_id, "reason": reason} for scene_id, reason in rows]


def current_outage(db: sqlite3.Connection) -> tuple[float, str] | None:
    """Return when the outage of Plex began that has not ended, and its reason; None if Plex works."""
    row = db.execute(_LAST_OUTAGE_EVENT).fetchone()
    return None if row is None or row[1] != "outage began" else (row[0], row[2])


def finished_jobs(db: sqlite3.Connection, now: float) -> tuple[int, float | None, float | None]:
    """Return how many jobs left the queue within the last minute, and the first and last time."""
    count, first, last = db.execute(_FINISHED_JOBS, (now - THROUGHPUT_WINDOW_S,)).fetchone()
    return count, first, last


# Reconciliation


def last_reconciliation(data_dir: str) -> dict[str, object]:
    """Return what is stored about the last reconciliation; empty if there was none."""
    stored = json_object(read_text(os.path.join(data_dir, RECONCILIATION_FILE)) or "{}")
    return stored if stored.get("last_run_time") else {}


def next_reconciliation(data_dir: str) -> float | None:
    """Return when the next automatic reconciliation is due (epoch seconds; the past for now), or None for never."""
    try:
        due = reconcile_due.read(os.path.join(data_dir, reconcile_due.FILE))[0]
    except (OSError, ValueError):  # none was scheduled yet
        return None
    return None if due == float("inf") else due


# View Queue Status


def queue_status_facts(data_dir: str) -> QueueStatusFacts:
    """Return everything that View Queue Status shows, as plain data. Raise sqlite3.Error, OSError."""
    # Only this function needs them, and the page's status should not pay for them.
    from matching.learned_mapping import learned
    from state.outages import outages

    queue = open_queue(data_dir)
    try:
        rows = queue_counts(queue)
    finally:
        if queue is not None:
            queue.close()
    db = open_state(data_dir)
    try:
        by_code = dead_letters_by_code(db)
        return {
            "queue": rows,
            "drainer": read_status(data_dir),
            "attention": read_text(os.path.join(data_dir, ATTENTION)),
            "reconciliation": {
                **load_reconciliation_state(data_dir),
                "next_run_time": next_reconciliation(data_dir),
            },
            "learned": [
                {"stash": stash, "plex": plex, "files": files} for (stash, plex), files in learned(data_dir).items()
            ],
            "dead_letters": {
                "count": sum(by_code.values()),
                "by_type": by_code,
                "newest": newest_dead_letters(db, MAX_LISTED),
            },
            "verdicts": verdict_counts(db),
            "not_in_plex": newest_with_verdict(db, Verdict.NOT_IN_PLEX.value, MAX_LISTED),
            "outages": [
                {"began": began, "ended": ended, "reason": reason, "waiting": waiting}
                for began, ended, reason, waiting in outages(db, time.time() - OUTAGES_WINDOW_S)
            ],
        }
    finally:
        db.close()

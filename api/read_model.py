"""Our own files as the status and the quick operations of the page read them: queue, state.db and small ones.

Without contextlib, which would cost a status a tenth of its time: whoever opens closes.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import json
import os

from common import reconcile_due
from common.sqlite import connect_existing
from state import database
from state.reconciliation_state import FILE as RECONCILIATION
from state.worker_status import read_text
from sync_queue import sql
from sync_queue.writer import DATABASE, queue_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LETTERS_BY_TYPE = "SELECT error_type, COUNT(*) FROM dead_letters GROUP BY error_type"


def open_queue(data_dir: str) -> sqlite3.Connection | None:
    """The queue, only to read; None where there is none yet. Raises sqlite3.Error."""
    path = os.path.join(queue_dir(data_dir), DATABASE)
    if not os.path.exists(path):
        return None
    db = connect_existing(path, read_only=True)
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (sql.TABLE,)).fetchone() is None:
        db.close()
        return None  # it is just being set up
    return db


def rows_by_state(db: sqlite3.Connection | None) -> dict[str, int]:
    """The queue's rows by state, as ``sync_queue.operations.get_stats`` has them. Raises sqlite3.Error."""
    counts = dict(db.execute(sql.COUNT_ALL_AND_OTHERS).fetchall()) if db is not None else {}
    fresh = counts.pop(None, 0) - sum(counts.values())
    return {
        "waiting": fresh + counts.get(1, 0),
        "in_flight": counts.get(2, 0),
        "acknowledged": counts.get(5, 0),
        "failed": counts.get(9, 0),
    }


def open_state(data_dir: str) -> sqlite3.Connection:
    """``state.db``; an empty one in memory where there is none yet. Raises sqlite3.Error, OSError."""
    there = os.path.exists(os.path.join(data_dir, database.FILE))
    return database.connect(data_dir) if there else database.in_memory()


def last_comparison(data_dir: str) -> dict[str, Any]:
    """What is remembered of the last reconciliation; empty where there was none."""
    try:
        known = json.loads(read_text(os.path.join(data_dir, RECONCILIATION)) or "{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) and known.get("last_run_time") else {}


def next_comparison(data_dir: str) -> float | None:
    """When the next reconciliation runs by itself (epoch seconds, the past for at once); None for never."""
    try:
        following = reconcile_due.read(os.path.join(data_dir, reconcile_due.FILE))[0]
    except (OSError, ValueError):  # nothing was arranged yet
        return None
    return None if following == float("inf") else following

"""A queue that another plugin, or an older version of this one, left in the data directory: find it, move it aside.

Rows that are pickles are never read, because unpickling runs what it is given.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from common.files import unused_name
from common.sqlite import connect_existing
from sync_queue.writer import DATABASE, LAYOUT, QUEUE, TABLE

# The end of the name of what was moved aside.
ASIDE = ".older"
# A pickle of protocol 2 to 5 begins with its number.
_PICKLE_STARTS = "x'8002',x'8003',x'8004',x'8005'"
_COLUMNS = ["_id", "data", "timestamp", "status"]
_FIRST_ROW_WITHOUT_JSON = f"SELECT 1 FROM {TABLE} WHERE NOT json_valid(CAST(data AS TEXT)) LIMIT 1"


def move_aside(data_dir: str) -> str | None:
    """Rename a queue that is not ours; return its new name. The caller holds ``setup.lock``.

    A queue whose rows are all JSON is used as it is. Raise OSError, sqlite3.Error.
    """
    folder = os.path.join(data_dir, QUEUE)
    database = os.path.join(folder, DATABASE)
    if os.path.isfile(folder):
        return _rename(folder)
    if not os.path.exists(database):
        return None
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as db:
        if db.execute("PRAGMA user_version").fetchone()[0] == LAYOUT or not _is_foreign(db):
            return None
        # One renaming must move all of it: a WAL that stays behind would be taken for that of the new file.
        if db.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
            raise sqlite3.OperationalError("the queue of an older installation is in use: end the older plugin")
    return _rename(database)


def holds_pickles(path: str) -> bool:
    """Return whether a file is a queue of persist-queue with a pickled row. Nothing of it is decoded."""
    try:
        with open(path, "rb") as file:
            if file.read(16) != b"SQLite format 3\x00":
                return False
        with closing(connect_existing(path, timeout=1, read_only=True)) as db:
            return _any_pickle(db)
    except (OSError, sqlite3.Error):
        return False


def _is_foreign(db: sqlite3.Connection) -> bool:
    """Return whether there are pickles, or our table has other columns or rows that are not JSON."""
    if _any_pickle(db):
        return True
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({TABLE})")]
    if not columns:
        return False
    return columns != _COLUMNS or db.execute(_FIRST_ROW_WITHOUT_JSON).fetchone() is not None


def _any_pickle(db: sqlite3.Connection) -> bool:
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return any(_has_pickle(db, table) for table in tables if "queue" in table or "dict" in table)


def _has_pickle(db: sqlite3.Connection, table: str) -> bool:
    quoted = table.replace('"', '""')
    columns = {row[1] for row in db.execute(f'PRAGMA table_info("{quoted}")')}
    if "data" not in columns:
        return False
    rows = db.execute(f'SELECT 1 FROM "{quoted}" WHERE substr(data,1,2) IN ({_PICKLE_STARTS}) LIMIT 1')
    return rows.fetchone() is not None


def _rename(path: str) -> str:
    aside = unused_name(path, ASIDE)
    os.rename(path, aside)
    os.chmod(aside, 0o600)
    return aside

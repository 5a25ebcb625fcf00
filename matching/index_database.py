"""The file ``cache.db``: its layout, how it is opened, and what happens to a damaged one."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable

from common.sqlite import transaction

_VERSION = 4
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS origin (machine TEXT, sections TEXT, built_at REAL)",
    """CREATE TABLE IF NOT EXISTS items (
        rating_key INTEGER PRIMARY KEY, section INTEGER, title TEXT, updated_at INTEGER, added_at INTEGER,
        says_something INTEGER, trashed INTEGER)""",
    # The keys are checksums of lookup keys of path and name: an index over numbers is a third of one over paths.
    """CREATE TABLE IF NOT EXISTS parts (
        rating_key INTEGER, place INTEGER, path TEXT, path_key INTEGER, base_key INTEGER, size INTEGER, duration REAL,
        PRIMARY KEY (rating_key, place)) WITHOUT ROWID""",
    # Proven matches: a scene's file (its number) and the part that proved it, without its path if it is the same.
    # And the pairs of folders that they suggest.
    "CREATE TABLE IF NOT EXISTS matches (file INTEGER PRIMARY KEY, rating_key INTEGER, section INTEGER, path TEXT)",
    "CREATE INDEX IF NOT EXISTS matches_by_item ON matches(rating_key)",
    "CREATE TABLE IF NOT EXISTS views (here TEXT, there TEXT, votes INTEGER, PRIMARY KEY (here, there))",
)
INDEXES = {"parts_by_path": "parts(path_key)", "parts_by_base": "parts(base_key, size)"}
CREATE_INDEXES = tuple(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" for name, columns in INDEXES.items())


_TABLES = ("origin", "items", "parts", "matches", "views")
DELETE_ALL = tuple(f"DELETE FROM {table}" for table in _TABLES)
_DROP_OLD = tuple(f"DROP TABLE IF EXISTS {table}" for table in _TABLES)


def open_index(path: str, put_aside: Callable[[str], None]) -> sqlite3.Connection:
    """Open the index, laid out; a damaged file is replaced. Raise sqlite3.Error, OSError."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # Damaged: reading it again costs only a few requests.
        put_aside(path)
        return _prepared(path)


def _prepared(path: str) -> sqlite3.Connection:
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _lay_out(db)
        # A power cut may damage the file: then it is built again.
        db.execute("PRAGMA synchronous=OFF")
        # Find damage behind the first page now, while the file can be replaced.
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the file is damaged")
    except BaseException:  # raised again; nobody else could close it
        db.close()
        raise
    return db


def _lay_out(db: sqlite3.Connection) -> None:
    # Worker and reconciliation may open a new file at the same moment: the second one finds it laid out.
    _write_ahead(db)
    with transaction(db):
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            for statement in _DROP_OLD:  # of an older version: building it again is cheaper than converting it
                db.execute(statement)
            for statement in (*_LAYOUT, *CREATE_INDEXES, f"PRAGMA user_version={_VERSION}"):
                db.execute(statement)


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to WAL. Of two processes that do so at once one gets an error, whatever its time-out (libraries A3)."""
    for tries_left in range(100, -1, -1):
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # noqa: PERF203 - rarely more than one try
            if "locked" not in str(error) or not tries_left:
                raise
            time.sleep(0.02)

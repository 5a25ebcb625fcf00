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
    # The keys are checksums of path and name in a form that never tells apart what might be the same: an index over
    # numbers is a third of one over paths.
    """CREATE TABLE IF NOT EXISTS parts (
        rating_key INTEGER, place INTEGER, path TEXT, path_key INTEGER, base_key INTEGER, size INTEGER, duration REAL,
        PRIMARY KEY (rating_key, place)) WITHOUT ROWID""",
    # Proven once: a scene's file (its number) and the item's part that proved it, whose path is left out where it is
    # the same. And what the pairs say about the two views.
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
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # Damaged: nothing in it is worth more than a few requests.
        put_aside(path)
        return _prepared(path)


def _prepared(path: str) -> sqlite3.Connection:
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _lay_out(db)
        # A power cut may damage it: then it is built anew.
        db.execute("PRAGMA synchronous=OFF")
        # Damage behind the first page is met by some query, some day: better now, while it can be put right.
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the file is damaged")
    except BaseException:  # raised again; nobody else could close it
        db.close()
        raise
    return db


def _lay_out(db: sqlite3.Connection) -> None:
    # The drainer and a comparison may open it for the first time at the same moment: who comes second finds it done.
    _write_ahead(db)
    with transaction(db):
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            for statement in _DROP_OLD:  # of an older version: it is a cache, and cheaper built anew than converted
                db.execute(statement)
            for statement in (*_LAYOUT, *CREATE_INDEXES, f"PRAGMA user_version={_VERSION}"):
                db.execute(statement)


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to WAL. Two that do so at the same moment trip over each other, whatever their patience (libraries A3)."""
    for patience in range(100, -1, -1):
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # noqa: PERF203 - it seldom comes round
            if "locked" not in str(error) or not patience:
                raise
            time.sleep(0.02)

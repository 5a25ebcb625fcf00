"""``state.db``: what must not be lost beside the queue. One small layout, opened the same way by everybody."""

import os
import sqlite3

from sync_queue.setup import make_dir

FILE = "state.db"

_LAYOUT = (
    # One row a scene: the last verdict, what it was reached with, and what was pushed (design 3).
    """CREATE TABLE IF NOT EXISTS ledger (
        scene_id INTEGER PRIMARY KEY,
        verdict TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        updated_at REAL,
        settings TEXT NOT NULL DEFAULT '',
        files TEXT NOT NULL DEFAULT '[]',
        items TEXT NOT NULL DEFAULT '[]',
        fields TEXT NOT NULL DEFAULT '{}',
        at REAL NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS dead_letters (
        job_key TEXT PRIMARY KEY,
        scene_id INTEGER,
        job TEXT NOT NULL,
        error_type TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first_at REAL NOT NULL,
        last_at REAL NOT NULL,
        detail TEXT NOT NULL DEFAULT '{}')""",
    # Sync timestamps not yet in sync_timestamps.json; NULL takes one out of it.
    "CREATE TABLE IF NOT EXISTS sync_timestamps (scene_id INTEGER PRIMARY KEY, timestamp REAL)",
)


def connect(data_dir: str, timeout: float = 30.0) -> sqlite3.Connection:
    """Open ``state.db`` of a data directory, made where it is missing. Raises sqlite3.Error, OSError."""
    make_dir(data_dir)
    path = os.path.join(data_dir, FILE)
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    if db.execute("PRAGMA user_version").fetchone()[0] != 1:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        for statement in _LAYOUT:
            db.execute(statement)
        db.execute("PRAGMA user_version=1")
        db.execute("COMMIT")
    db.execute("PRAGMA synchronous=NORMAL")
    return db

"""``state.db``: its tables, how it is opened, and how older layouts are migrated."""

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import os

from common import damaged_files
from common.data_dir import has_synced_before, make_private_dir
from common.file_locks import SETUP_LOCK, unlock, wait_lock
from common.sqlite import transaction
from common.verdicts import FORMER, SYNCED

FILE = "state.db"
_VERSION = 7

_LAYOUT = (
    # One row for each scene: its last verdict, what that was based on, and what was sent (state.ledger).
    """CREATE TABLE IF NOT EXISTS ledger (
        scene_id INTEGER PRIMARY KEY,
        verdict TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        updated_at REAL,
        settings TEXT NOT NULL DEFAULT '',
        files TEXT NOT NULL DEFAULT '[]',
        items TEXT NOT NULL DEFAULT '[]',
        fields TEXT NOT NULL DEFAULT '{}',
        at REAL NOT NULL,
        fingerprint TEXT NOT NULL DEFAULT '',
        says INTEGER NOT NULL DEFAULT 0,
        evidence TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS ledger_by_verdict ON ledger(verdict)",
    # The synced scenes by item: the ledger's items, the other way round.
    """CREATE TABLE IF NOT EXISTS held (
        rating_key INTEGER, scene_id INTEGER, section INTEGER, PRIMARY KEY (rating_key, scene_id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS held_by_scene ON held(scene_id)",
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
    "CREATE INDEX IF NOT EXISTS dead_letters_by_type ON dead_letters(error_type)",
    # What an item showed before our first write, and what of it is ours (state.snapshots).
    """CREATE TABLE IF NOT EXISTS written (
        rating_key INTEGER PRIMARY KEY,
        machine TEXT NOT NULL,
        section INTEGER NOT NULL,
        file TEXT NOT NULL,
        scene_id INTEGER NOT NULL,
        at REAL NOT NULL,
        before TEXT NOT NULL,
        ours TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS written_by_scene ON written(scene_id)",
    # One row for each change of a job's state, bounded, and sums by the hour (state.events).
    """CREATE TABLE IF NOT EXISTS events (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, scene_id INTEGER, detail TEXT,
        waiting INTEGER)""",
    "CREATE INDEX IF NOT EXISTS outages ON events(kind) WHERE kind IN ('outage began','outage ended')",
    """CREATE TABLE IF NOT EXISTS hours (
        hour INTEGER PRIMARY KEY, written INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0)""",
    # The items that the user has chosen for scenes, and those rejected (state.manual_matches).
    """CREATE TABLE IF NOT EXISTS bindings (
        scene_id INTEGER PRIMARY KEY, machine TEXT NOT NULL, section INTEGER NOT NULL, rating_key INTEGER NOT NULL,
        files TEXT NOT NULL, at REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS bindings_by_item ON bindings(rating_key)",
    """CREATE TABLE IF NOT EXISTS refused (
        scene_id INTEGER NOT NULL, section INTEGER NOT NULL, rating_key INTEGER NOT NULL, path TEXT NOT NULL,
        size INTEGER, at REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS refused_by_scene ON refused(scene_id)",
    # Server and settings as the worker last read them, for processes that must not ask (state.last_known).
    "CREATE TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # Sync timestamps not yet in sync_timestamps.json; NULL takes one out of it.
    "CREATE TABLE IF NOT EXISTS sync_timestamps (scene_id INTEGER PRIMARY KEY, timestamp REAL)",
)

# Columns of the ledger that an older layout does not have.
_LATER = (
    ("fingerprint", "TEXT NOT NULL DEFAULT ''"),
    ("says", "INTEGER NOT NULL DEFAULT 0"),
    ("evidence", "TEXT NOT NULL DEFAULT ''"),
)

# An older layout repeated the items' files in it.
_REBUILD_HELD = """INSERT OR IGNORE INTO held
    SELECT json_extract(value,'$.rating_key'), scene_id, json_extract(value,'$.section') FROM ledger, json_each(items)
    WHERE verdict IN (?,?)"""

# Versions 0.1.0 and older called some verdicts by other words.
_RENAME_IN_LEDGER = "UPDATE ledger SET verdict = ? WHERE verdict = ?"
_RENAME_IN_EVENTS = "UPDATE events SET kind = ? WHERE kind = ?"


def connect(data_dir: str, timeout: float = 30.0) -> sqlite3.Connection:
    """Open ``state.db`` of a data directory, created if it is missing. Raise sqlite3.Error, OSError."""
    path = os.path.join(data_dir, FILE)
    if not os.path.exists(path):
        make_private_dir(data_dir)
    db = _open(path, timeout)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            _lay_out(db, data_dir, timeout)
        db.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def in_memory() -> sqlite3.Connection:
    """Return a database of the same layout for a process without a data directory."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in _LAYOUT:
        db.execute(statement)
    return db


def rename_former_verdicts(db: sqlite3.Connection) -> None:
    """Rename the verdicts that a worker of version 0.1.0 recorded after the layout was migrated: it may have lived on
    for a moment. To be called by the worker, whose lock shows that the other one is gone. Raise sqlite3.Error."""
    with transaction(db):
        _rename_verdicts(db)


def _rename_verdicts(db: sqlite3.Connection) -> None:
    renamed = [(now, former) for former, now in FORMER.items()]
    db.executemany(_RENAME_IN_LEDGER, renamed)
    db.executemany(_RENAME_IN_EVENTS, renamed)


def _open(path: str, timeout: float) -> sqlite3.Connection:
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(path, timeout=timeout, isolation_level=None)


def _lay_out(db: sqlite3.Connection, data_dir: str, timeout: float) -> None:
    # Processes that switch to WAL at the same moment disturb each other, however long they wait (libraries A3): one
    # after the other, as with the queue.
    lock = wait_lock(os.path.join(data_dir, SETUP_LOCK), timeout)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] == 0 and has_synced_before(data_dir):
            damaged_files.add_notice(
                f"{os.path.join(data_dir, FILE)} was missing, or empty, and was created again. If you did not delete "
                "it, what items showed before the first write is lost. Reconcile Library (All) checks every scene again"
            )
        db.execute("PRAGMA journal_mode=WAL")
        with transaction(db):
            held = {row[1] for row in db.execute("PRAGMA table_info(held)")}
            if "file" in held:
                db.execute("DROP TABLE held")
            for statement in _LAYOUT:
                db.execute(statement)
            _rename_verdicts(db)
            if "file" in held:
                db.execute(_REBUILD_HELD, [verdict.value for verdict in SYNCED])
            there = {row[1] for row in db.execute("PRAGMA table_info(ledger)")}
            for name, kind in _LATER:
                if name not in there:
                    db.execute(f"ALTER TABLE ledger ADD COLUMN {name} {kind}")
            db.execute(f"PRAGMA user_version={_VERSION}")
    finally:
        if lock is not None:
            unlock(lock)

"""Checks of the data directory and its databases."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing

from common.sqlite import connect_existing
from matching import index_store
from state import database
from sync_queue.writer import DATABASE, QUEUE
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe

# What to do about a database that is damaged.
_ADVICE_BY_DATABASE = {
    f"{QUEUE}/{DATABASE}": "Stop Stash, move the file elsewhere, and run Reconcile Library (All): it finds the edits "
    "that were waiting",
    database.FILE: "Stop Stash and restore the file from a backup, or move it elsewhere: every scene is then compared "
    "again",
    index_store.FILE: "Nothing to do: it is replaced and read from Plex again automatically",
}


def check_data_dir(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the data directory can be written to, and by whom it can be read."""
    try:
        with tempfile.NamedTemporaryFile(dir=probe.data_dir, prefix=".new-") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield HealthFinding(
            "Data directory",
            False,
            f"{probe.data_dir} cannot be written to: {error.strerror or error}",
            "Free some space, or let the user that Stash runs as write there",
        )
        return
    mode = os.stat(probe.data_dir).st_mode & 0o777
    if os.name != "nt" and mode & 0o077:
        yield HealthFinding(
            "Data directory",
            False,
            f"{probe.data_dir} is open to other users ({mode:o})",
            f"Run chmod 700 {probe.data_dir}",
        )
    else:
        yield HealthFinding("Data directory", True, f"{probe.data_dir} can be written to")


def check_journal_mode(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the databases are in WAL mode, in which reading does not block writing."""
    for name, path in _database_paths(probe):
        try:
            with closing(connect_existing(path)) as db:
                mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        except sqlite3.Error:
            continue  # check_integrity says what is wrong
        if mode == "wal":
            yield HealthFinding("Journal mode", True, f"{name}: wal")
        else:
            yield HealthFinding(
                "Journal mode",
                None,
                f"{name}: {mode} instead of wal. That works, but is slower",
                "Network drives do not support wal. Set STASH_PLUGIN_DATA to a folder on a local disk",
            )


def check_integrity(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the databases are not damaged."""
    existing = dict(_database_paths(probe))
    for name, advice in _ADVICE_BY_DATABASE.items():
        path = existing.get(name)
        if path is None:
            yield HealthFinding("Databases", True, f"{name}: does not exist yet")
            continue
        try:
            with closing(connect_existing(path)) as db:
                result = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            yield HealthFinding("Databases", None, f"{name}: cannot be read now ({error})")
            continue
        except sqlite3.DatabaseError as error:
            result = str(error)
        if result == "ok":
            yield HealthFinding("Databases", True, f"{name}: intact, {os.path.getsize(path) / 1e6:,.1f} MB")
        else:
            ok = None if name == index_store.FILE else False
            yield HealthFinding("Databases", ok, f"{name}: damaged ({' '.join(result.split())[:200]})", advice)


def _database_paths(probe: HealthProbe) -> Iterator[tuple[str, str]]:
    """Yield name and path of the databases that exist."""
    for name in _ADVICE_BY_DATABASE:
        path = os.path.join(probe.data_dir, *name.split("/"))
        if os.path.exists(path):
            yield name, path

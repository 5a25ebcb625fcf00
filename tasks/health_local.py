"""The health check's look at this machine: data directory, databases, queue, worker, processes, Python."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing

from common.human_text import ago, until
from common.missing_packages import command
from common.sqlite import connect_existing
from matching import index
from state import database
from sync_queue.dlq import DeadLetterQueue
from sync_queue.operations import get_stats
from sync_queue.writer import DATABASE, QUEUE
from tasks.health_probe import HealthFinding, HealthProbe
from worker.status_files import ATTENTION, lives, read_status, read_text, read_wait

# The databases, and what to do about a damaged one.
_DATABASES = {
    f"{QUEUE}/{DATABASE}": "End Stash, move it elsewhere, and run Reconcile Library (All): it finds what waited",
    database.FILE: "End Stash and restore it from a backup, or move it elsewhere: every scene is then compared anew",
    index.FILE: "Nothing: it is put aside and built anew from Plex by itself",
}
_PACKAGES = ("plexapi", "stashapp-tools", "persist-queue", "requests")
_PROC = "/proc"
# Seconds in which Stash has surely fetched a process that has ended just now.
FETCHED_WITHIN = 2.0


def writable(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether files can be made in the data directory, and for whom they are."""
    try:
        with tempfile.NamedTemporaryFile(dir=look.data_dir, prefix=".new-") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield HealthFinding(
            "Data directory",
            False,
            f"{look.data_dir} cannot be written to: {error.strerror or error}",
            "Make room there, or give the user Stash runs as the right to write",
        )
        return
    mode = os.stat(look.data_dir).st_mode & 0o777
    if os.name != "nt" and mode & 0o077:
        yield HealthFinding(
            "Data directory", False, f"{look.data_dir} is open to other users ({mode:o})", f"chmod 700 {look.data_dir}"
        )
    else:
        yield HealthFinding("Data directory", True, f"{look.data_dir} can be written to")


def journal(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the databases have the journal that lets readers and a writer work at once."""
    for name, db in _open(look):
        with closing(db):
            mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        if mode == "wal":
            yield HealthFinding("Journal mode", True, f"{name}: wal")
        else:
            yield HealthFinding(
                "Journal mode",
                None,
                f"{name}: {mode} instead of wal; that works, and is slower",
                "Network drives do not know wal: have the data on a local disk (STASH_PLUGIN_DATA)",
            )


def integrity(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the databases are whole."""
    for name, advice in _DATABASES.items():
        path = os.path.join(look.data_dir, *name.split("/"))
        if not os.path.exists(path):
            yield HealthFinding("Databases", True, f"{name}: not there yet")
            continue
        try:
            with closing(_connect(path)) as db:
                said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            yield HealthFinding("Databases", None, f"{name}: cannot be read now ({error})")
            continue
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said == "ok":
            yield HealthFinding("Databases", True, f"{name}: whole, {os.path.getsize(path) / 1e6:,.1f} MB")
        else:
            ok = None if name == index.FILE else False
            yield HealthFinding("Databases", ok, f"{name}: damaged ({' '.join(said.split())[:200]})", advice)


def _open(look: HealthProbe) -> Iterator[tuple[str, sqlite3.Connection]]:
    for name in _DATABASES:
        path = os.path.join(look.data_dir, *name.split("/"))
        if os.path.exists(path):
            try:
                db = _connect(path)
                db.execute("PRAGMA schema_version").fetchone()
            except sqlite3.Error:
                continue  # what is the matter with it stands in another line
            yield name, db


def _connect(path: str) -> sqlite3.Connection:
    return connect_existing(path)


def queue(look: HealthProbe) -> Iterator[HealthFinding]:
    """How much waits, and whether a row could not be read."""
    counts = get_stats(look.context.queue_dir)
    said = f"{counts['waiting']:,} wait, {counts['in_flight']:,} are being written"
    if counts["failed"]:
        yield HealthFinding("Queue", False, f"{said}, {counts['failed']:,} rows cannot be read", "Please report it")
    else:
        yield HealthFinding("Queue", True, said)


def dead_letters(look: HealthProbe) -> Iterator[HealthFinding]:
    """How many jobs failed for good."""
    counts: dict[str, int] = {}
    if os.path.exists(os.path.join(look.data_dir, database.FILE)):
        counts = DeadLetterQueue(look.data_dir).counts()
    if not counts:
        yield HealthFinding("Dead letters", True, "none")
        return
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
    yield HealthFinding(
        "Dead letters",
        None,
        kinds,
        "View Queue Status says why each failed; when that is mended, Retry Dead Letters",
    )


def drainer(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the background worker is well. Its lock is left alone: who tries it keeps a hook from starting one."""
    status = read_status(look.data_dir)
    waiting = get_stats(look.context.queue_dir)["waiting"]
    said = read_text(os.path.join(look.data_dir, ATTENTION))
    if said:
        yield HealthFinding("Background worker", False, said)
    now = time.time()
    if lives(status):
        since = status.get("since")
        for_ = f" since {ago(now - since)}" if isinstance(since, (int, float)) else ""
        yield HealthFinding(
            "Background worker",
            True,
            f"process {status['pid']}, {status.get('state', 'at work')}{for_}, "
            f"the way to Plex is {status.get('breaker', 'not tried yet')}",
        )
        return
    wait = read_wait(look.data_dir)[0]
    if wait > now:
        yield HealthFinding(
            "Background worker", None, f"none; the next one begins {until(wait, now)}", "Process Queue ends the wait"
        )
    elif waiting:
        yield HealthFinding(
            "Background worker",
            False,
            f"none, though {waiting:,} jobs wait",
            "Process Queue starts one; so does a save",
        )
    else:
        reason = status.get("reason")
        how = f"none at work (the last one left: {reason})" if reason else "none at work"
        yield HealthFinding("Background worker", True, f"{how}; the next save starts one")


def defunct(look: HealthProbe, proc: str = _PROC, parent: int | None = None) -> Iterator[HealthFinding]:
    """Whether Stash has children that ended and were never fetched: nobody does in a container without an init."""
    if not os.path.isdir(os.path.join(proc, "self")):
        yield HealthFinding("Defunct processes", None, "cannot be seen on this system")
        return
    parent = os.getppid() if parent is None else parent
    dead = _dead_children(proc, parent)
    end = time.monotonic() + FETCHED_WITHIN
    while dead and time.monotonic() < end:
        time.sleep(0.1)
        dead &= _dead_children(proc, parent)
    if dead:
        yield HealthFinding(
            "Defunct processes",
            False,
            f"{len(dead):,} processes have ended, and Stash keeps their entries",
            "Give its container an init: docker run --init, or init: true in the compose file",
        )
    else:
        yield HealthFinding("Defunct processes", True, "none")


def _dead_children(proc: str, parent: int) -> set[str]:
    return {
        entry
        for entry in os.listdir(proc)
        if entry.isdecimal() and _is_dead_child(os.path.join(proc, entry, "stat"), parent)
    }


def _is_dead_child(path: str, parent: int) -> bool:
    # pid (name) state parent ...; a name may hold brackets and spaces
    fields = (read_text(path) or "").rpartition(")")[2].split()
    return fields[:2] == ["Z", str(parent)]


def interpreter(look: HealthProbe) -> Iterator[HealthFinding]:
    """Which Python runs this, with which packages."""
    from importlib.metadata import PackageNotFoundError, version

    found, missing = [], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # noqa: PERF203 - four packages
            missing.append(package)
    said = f"{platform.python_version()} at {sys.executable} on {platform.system()}, SQLite {sqlite3.sqlite_version}"
    if missing:
        yield HealthFinding(
            "Python",
            False,
            f"{said}; not installed: {', '.join(missing)}",
            f"Install what is missing: {command(look.context.plugin_dir)}",
        )
    else:
        yield HealthFinding("Python", True, f"{said}; {', '.join(found)}")

"""Take over what an older installation of a plugin of this name left in the data directory.

Its sync timestamps are taken over. Rows that are pickles are never read: unpickling runs what it is given. Their scenes
are found by reconciliation, which compares the timestamps. Everything else is left where it is.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone

from common.file_locks import SETUP_LOCK, unlock, wait_lock
from state import database, timestamps
from sync_queue.foreign_queue import ASIDE, holds_pickles, move_aside
from sync_queue.writer import DATABASE, QUEUE

# Exists once the directory was searched; says what was found.
FILE = "older.json"
_PATIENCE = 30.0
# How deep older data may lie, and how many entries are looked at: a data directory is no archive.
_DEPTH = 3
_MANY = 10_000
# Files of ours, and temporary ones: never reported.
_OURS = frozenset(
    (
        timestamps.FILE,
        "reconciliation_state.json",
        "worker_status.json",
        "drainer.json",
        "redaction.json",
        "discretion.json",
        FILE,
        "state.db",
        "cache.db",
    )
)
# Files beside a database that may be open in this process: opening and closing one of them releases SQLite's locks on
# the database, and the next process then truncates a file that this one has mapped.
_BESIDE = ("-wal", "-shm", "-journal")
# After this many seconds (the year 5138) a time is one in milliseconds.
_FAR = 1e11
_NAMES_OF_TIME = ("timestamp", "updated_at", "last_synced", "last_sync", "synced_at", "time", "at")
_NAMES_OF_SCENE = ("scene_id", "id", "scene")


def migrate(data_dir: str, patience: float = _PATIENCE) -> str | None:
    """Take over what an older installation left, once. Return the line to log, or None if there is nothing to report.

    Safe for any number of processes, and to be killed at any moment: what was done is done again, with the same result.
    Raise OSError, sqlite3.Error.
    """
    marker = os.path.join(data_dir, FILE)
    if os.path.exists(marker) or not os.path.isdir(data_dir):
        return None
    if os.path.exists(os.path.join(data_dir, timestamps.FILE)):
        # From the marker on, timestamps without it mean that it was lost.
        database.connect(data_dir, patience).close()
    lock = wait_lock(os.path.join(data_dir, SETUP_LOCK), patience)
    if lock is None:
        return None  # its holder migrates; the next process looks again
    try:
        if os.path.exists(marker):
            return None
        move_aside(data_dir)
        taken = _take_over_timestamps(data_dir)
        found = _others(data_dir)
        _close_to_others(data_dir)
        timestamps.replace_json(marker, {"timestamps": taken, "found": found})
    finally:
        unlock(lock)
    return _sentence(taken, found)


# sync timestamps


def _take_over_timestamps(data_dir: str) -> int:
    """Rewrite the older file in our shape; gives the number of its entries, 0 where it is ours already."""
    path = os.path.join(data_dir, timestamps.FILE)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError):
        return 0  # missing, or damaged: the next reader moves it aside
    if _is_ours(content):
        return len(content) if os.path.exists(path + ASIDE) else 0  # of a try that was killed
    known = dict(_entries(content))
    shutil.copyfile(path, path + ASIDE)
    timestamps.replace_json(path, {str(scene): moment for scene, moment in known.items()})
    return len(known)


def _is_ours(content: object) -> bool:
    return isinstance(content, dict) and all(
        scene.isdecimal() and _moment(moment) == moment and not isinstance(moment, bool)
        for scene, moment in content.items()
    )


def _entries(content: object, depth: int = 0) -> Iterator[tuple[int, float]]:
    """(scene, epoch seconds) out of whatever shape they were kept in."""
    if depth > _DEPTH:
        return
    if isinstance(content, list):
        for one in content:
            yield from _entries(one, depth + 1)
    elif isinstance(content, dict):
        own = _scene(next((content[name] for name in _NAMES_OF_SCENE if name in content), None))
        moment = _moment_in(content)
        if own is not None and moment is not None:
            yield own, moment
            return
        for name, value in content.items():
            scene = _scene(name)
            moment = _moment_in(value) if isinstance(value, dict) else _moment(value)
            if scene is not None and moment is not None:
                yield scene, moment
            elif scene is None:
                yield from _entries(value, depth + 1)


def _scene(name: object) -> int | None:
    text = str(name).removeprefix("scene_")
    if isinstance(name, bool) or not (text.isascii() and text.isdecimal()):
        return None
    return int(text) if 0 < int(text) < 2**63 else None


def _moment_in(entry: dict[str, object]) -> float | None:
    return next((moment for name in _NAMES_OF_TIME if (moment := _moment(entry.get(name))) is not None), None)


def _moment(value: object) -> float | None:
    if isinstance(value, str):
        try:
            # Python 3.10 does not know the Z.
            moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
            return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
        except (ValueError, OverflowError):
            pass
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        moment_ = float(value)
    except OverflowError:
        return None
    if not math.isfinite(moment_) or moment_ < 0:
        return None
    return moment_ / 1000 if moment_ > _FAR else moment_


# what else there is


def _others(data_dir: str) -> list[str]:
    """The names of files that are not ours: queues with pickled rows, and JSON."""
    found = []
    live = os.path.join(data_dir, QUEUE, DATABASE)
    for path in _files(data_dir):
        name = os.path.relpath(path, data_dir).replace(os.sep, "/")
        base = os.path.basename(path)
        if base.endswith(ASIDE) or ASIDE + "-" in base:
            # Moved by us; a list of ours knows the timestamps' file as what was taken over.
            if not base.startswith(timestamps.FILE):
                found.append(name)
        elif (
            path != live
            and base not in _OURS
            and not base.endswith(_BESIDE)
            and ((base.endswith(".json") and not base.startswith(".new-")) or holds_pickles(path))
        ):
            found.append(name)
    return sorted(found)


def _files(data_dir: str) -> Iterator[str]:
    seen = 0
    start = data_dir.rstrip(os.sep).count(os.sep)
    for folder, folders, names in os.walk(data_dir):
        if folder.count(os.sep) - start >= _DEPTH:
            folders.clear()
        for name in names:
            seen += 1
            if seen > _MANY:
                return
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def _close_to_others(data_dir: str) -> None:
    """Make the files of the directory readable for the owner only."""
    with contextlib.suppress(OSError):  # a file of another user stays as it is
        os.chmod(data_dir, 0o700)
    for path in _files(data_dir):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o600)
            os.chmod(os.path.dirname(path), 0o700)


def _sentence(taken: int, found: list[str]) -> str | None:
    if not taken and not found:
        return None
    words = []
    if taken:
        words.append(f"{taken:,} sync timestamps were taken over")
    if found:
        named = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        words.append(f"left unread: {named}")
    return (
        f"Data of an older installation was found: {'; '.join(words)}. "
        "Reconcile Library (All) finds the scenes that were still waiting"
    )

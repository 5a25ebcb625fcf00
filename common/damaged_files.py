"""Damaged files in the data directory: moving aside those that can be rebuilt, naming those that cannot.

A file that cannot be rebuilt is left as it is and never replaced. Standard library only.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import os

from common.files import unused_name
from common.sqlite import connect_existing

DAMAGED_SUFFIX = ".damaged"
# What to do about each, and what is lost with it.
_ADVICE = {
    "queue/data.db": (
        "Saves are not queued until this is fixed: restore a backup, or move the file away; then run Reconcile "
        "Library (All)"
    ),
    "state.db": (
        "Saves wait until this is fixed: restore a backup, or move the file away, which forgets what items showed "
        "before the first write; then run Reconcile Library (All)"
    ),
}
_notices: list[str] = []


def put_aside(path: str) -> None:
    """Move a damaged file aside so that it can be rebuilt, and add a notice. Raise OSError."""
    aside = unused_name(path, DAMAGED_SUFFIX)
    os.replace(path, aside)
    _notices.append(f"{path} was damaged: it was moved to {os.path.basename(aside)} and is rebuilt")


def add_notice(sentence: str) -> None:
    """Add a sentence about a file; the next part of this process that can reach the user logs it."""
    _notices.append(sentence)


def take_notices() -> list[str]:
    """Return the notices and clear them."""
    notices, _notices[:] = list(_notices), []
    return notices


def describe_damage(data_dir: str) -> str | None:
    """Return the sentence about a damaged database that cannot be rebuilt, or None if both are intact."""
    for name, advice in _ADVICE.items():
        path = os.path.join(data_dir, *name.split("/"))
        damage = _find_damage(path)
        if damage is not None:
            return f"{path} is damaged ({damage}). It is kept as it is. {advice}"
    return None


def _find_damage(path: str) -> str | None:
    if not os.path.exists(path):
        return None
    try:
        db = connect_existing(path, timeout=5)
        try:
            answer = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            db.close()
    except sqlite3.OperationalError:
        return None  # it cannot be opened or is locked, which is not damage
    except sqlite3.DatabaseError as error:
        answer = str(error)
    return None if answer == "ok" else " ".join(answer.split())[:200]

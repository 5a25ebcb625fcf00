"""Files of ours that are not whole: which they are, and putting aside those that can be made anew (design 5).

What cannot be made anew is left as it is, named, and never replaced. Standard library only.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import os

from common.files import free_name
from common.sqlite import connect_existing

DAMAGED = ".damaged"
# What a person loses with each, and so what to do.
_ADVICE = {
    "queue/data.db": (
        "Saves are not queued until it is mended: put a copy back, or move it away; then run Reconcile Library (All)"
    ),
    "state.db": (
        "Saves wait until it is mended: put a copy back, or move it away, which forgets what items were before; then "
        "run Reconcile Library (All)"
    ),
}
_found: list[str] = []


def put_aside(path: str) -> None:
    """Move a file that cannot be read out of the way of a new one, and remember to say so. Raises OSError."""
    aside = free_name(path, DAMAGED)
    os.replace(path, aside)
    _found.append(f"{path} was damaged: it was put aside as {os.path.basename(aside)}, and is made anew")


def remember(sentence: str) -> None:
    """Something a person should know of a file, to be said by whoever can."""
    _found.append(sentence)


def take() -> list[str]:
    """What there is to say, once."""
    found, _found[:] = list(_found), []
    return found


def diagnosis(data_dir: str) -> str | None:
    """Which of the databases that cannot be made anew is damaged, and what to do; None where both are whole."""
    for name, advice in _ADVICE.items():
        path = os.path.join(data_dir, *name.split("/"))
        said = _said(path)
        if said is not None:
            return f"{path} is damaged ({said}). It is kept as it is. {advice}"
    return None


def _said(path: str) -> str | None:
    if not os.path.exists(path):
        return None
    try:
        db = connect_existing(path, timeout=5)
        try:
            said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            db.close()
    except sqlite3.OperationalError:
        return None  # cannot be opened, or is held: no damage
    except sqlite3.DatabaseError as error:
        said = str(error)
    return None if said == "ok" else " ".join(said.split())[:200]

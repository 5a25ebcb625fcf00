"""Outages of Plex, read from the events. Few imports, because the status operations use this."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

OUTAGE_BEGAN = "outage began"
OUTAGE_ENDED = "outage ended"

_ALL = "SELECT at, kind, detail, waiting FROM events WHERE kind IN (?,?) ORDER BY id"


def outages(db: sqlite3.Connection, since: float) -> list[tuple[float, float | None, str, int]]:
    """The outages that were not over by ``since`` (epoch seconds), oldest first: beginning, end (None: it goes on),
    reason, and how many jobs waited at its end, or at its beginning where it goes on. Raise sqlite3.Error."""
    found: list[tuple[float, float | None, str, int]] = []
    for at, kind, detail, waiting in db.execute(_ALL, (OUTAGE_BEGAN, OUTAGE_ENDED)):
        if kind == OUTAGE_BEGAN:
            found.append((at, None, detail, waiting or 0))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], at, found[-1][2], waiting or 0)
    return [one for one in found if one[1] is None or one[1] >= since]

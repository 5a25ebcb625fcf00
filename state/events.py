"""What happened, newest last: one row for each change of a job's state, and for outages. Bounded.

Status, history and reports of outages read the same rows; sums by the hour outlive them.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from state.outages import OUTAGE_BEGAN as OUTAGE_BEGAN
from state.outages import OUTAGE_ENDED as OUTAGE_ENDED
from state.outages import outages

# So many rows are kept; older ones go, a few at a time.
KEPT = 20_000
_SLACK = 500
# Sums by the hour are kept so long, in hours.
HOURS_KEPT = 24 * 62

# A reconciliation ended; its detail is JSON: scope, checked, found, queued, error.
RECONCILED = "reconciled"
# Which column of the hourly sums an outcome counts in; others count in none.
_COUNTED = {"written": "written", "unchanged": "unchanged", "failed": "failed", "given up": "failed"}


@dataclass(frozen=True)
class Event:
    """``at`` is epoch seconds; ``kind`` is a verdict's word, or what happened; ``scene_id`` is None where it is about
    no scene; ``waiting`` is how many jobs waited, where that matters."""

    at: float
    kind: str
    scene_id: int | None = None
    detail: str = ""
    waiting: int | None = None


@dataclass(frozen=True)
class Outage:
    """Plex was unavailable from ``began`` to ``ended`` (epoch seconds; None: it still is). ``waiting`` jobs waited at
    its end, or at its beginning if it goes on."""

    began: float
    ended: float | None
    reason: str
    waiting: int


class Events:
    """The events over an open ``state.db``. Each call is part of whatever transaction the caller has."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def record(self, events: Iterable[Event]) -> None:
        """Add events in order, and delete the oldest. Raise sqlite3.Error."""
        last = 0
        for one in events:
            values = (one.at, one.kind, one.scene_id, one.detail[:300], one.waiting)
            last = (
                self._db.execute(
                    "INSERT INTO events (at, kind, scene_id, detail, waiting) VALUES (?,?,?,?,?)", values
                ).lastrowid
                or last
            )
            column = _COUNTED.get(one.kind)
            if column is not None:
                hour = int(one.at // 3600)
                self._db.execute(
                    f"INSERT INTO hours (hour, {column}) VALUES (?,1) "
                    f"ON CONFLICT(hour) DO UPDATE SET {column} = {column} + 1",
                    (hour,),
                )
                if last % _SLACK == 0:
                    self._db.execute("DELETE FROM hours WHERE hour < ?", (hour - HOURS_KEPT,))
        if last > KEPT:
            oldest = self._db.execute("SELECT MIN(id) FROM events").fetchone()[0]
            if oldest is not None and last - oldest >= KEPT + _SLACK:
                self._db.execute("DELETE FROM events WHERE id <= ?", (last - KEPT,))

    def newest(self, limit: int = 200, before: int | None = None) -> list[tuple[int, Event]]:
        """The newest events with their ids, newest first; ``before`` an id for the next page."""
        where, values = ("WHERE id < ?", (before, limit)) if before is not None else ("", (limit,))
        rows = self._db.execute(
            f"SELECT id, at, kind, scene_id, detail, waiting FROM events {where} ORDER BY id DESC LIMIT ?", values
        )
        return [(row[0], Event(*row[1:])) for row in rows]

    def newest_of_kind(self, kind: str, since: float, limit: int) -> list[Event]:
        """The newest events of a kind since then (epoch seconds), newest first."""
        rows = self._db.execute(
            "SELECT at, kind, scene_id, detail, waiting FROM events WHERE kind = ? AND at >= ? "
            "ORDER BY id DESC LIMIT ?",
            (kind, since, limit),
        )
        return [Event(*row) for row in rows]

    def outages(self, since: float = 0.0) -> list[Outage]:
        """The outages that were not over by ``since`` (epoch seconds), oldest first."""
        return [Outage(*one) for one in outages(self._db, since)]

    def hourly_counts(self, since: float) -> list[tuple[int, int, int, int]]:
        """By hour (epoch seconds of its beginning) since then: scenes written, found equal, and failed."""
        rows = self._db.execute(
            "SELECT hour * 3600, written, unchanged, failed FROM hours WHERE hour >= ? ORDER BY hour",
            (int(since // 3600),),
        )
        return rows.fetchall()

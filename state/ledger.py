"""The ledger: one row for each scene, with its last verdict and what was sent to Plex."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.verdicts import SYNCED, Verdict


@dataclass(frozen=True)
class LedgerRow:
    """A scene's row. ``updated_at`` and ``at`` are epoch seconds; ``items`` are rating keys with the proving file,
    and ``guess`` where it proves nothing; ``fields`` are the values we wrote, by Plex field. ``fingerprint`` is of what
    was last pushed, images aside, and ``says`` whether that said anything but title and rating. ``evidence`` is what
    Plex's index held under the names of the scene's files when the verdict was reached
    (``matching.index_store.PlexCache.evidence``)."""

    scene_id: int
    verdict: Verdict
    at: float
    reason: str = ""
    updated_at: float | None = None
    settings: str = ""
    files: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    says: bool = False
    evidence: str = ""

    def is_guess(self, rating_key: int) -> bool:
        """Return whether the scene was synced to an item without a proof. Version 0.1.0 did not record that."""
        return any(item["rating_key"] == rating_key and item.get("guess") is True for item in self.items)


_COLUMNS = "scene_id, verdict, at, reason, updated_at, settings, fingerprint, says, evidence, files, items, fields"


class Ledger:
    """The ledger over an open ``state.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, scene_id: int) -> LedgerRow | None:
        """Return a scene's row, or None if it was never synced."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM ledger WHERE scene_id = ?", (scene_id,)).fetchone()
        return None if row is None else _entry(row)

    def of(self, scene_ids: Sequence[int]) -> dict[int, LedgerRow]:
        """Return the rows of some scenes, at most a batch of them."""
        marks = ",".join("?" * len(scene_ids))
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM ledger WHERE scene_id IN ({marks})", scene_ids)
        return {row[0]: _entry(row) for row in rows}

    def between(self, first: int, last: int) -> dict[int, LedgerRow]:
        """Return the rows of all scenes from one id to another, both included."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM ledger WHERE scene_id BETWEEN ? AND ?", (first, last))
        return {row[0]: _entry(row) for row in rows}

    def put(self, entry: LedgerRow, before: LedgerRow | None = None) -> None:
        """Insert or replace a scene's row; ``before`` is the stored one, if the caller knows it."""
        self._db.execute(
            f"INSERT OR REPLACE INTO ledger ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                entry.scene_id,
                entry.verdict.value,
                entry.at,
                entry.reason,
                entry.updated_at,
                entry.settings,
                entry.fingerprint,
                entry.says,
                entry.evidence,
                *map(_compact, (entry.files, entry.items, entry.fields)),
            ),
        )
        in_step = entry.verdict in SYNCED
        if before is not None and (before.verdict in SYNCED, before.items) == (in_step, entry.items):
            return  # it holds what it held
        self._db.execute("DELETE FROM held WHERE scene_id = ?", (entry.scene_id,))
        if in_step:
            rows = [(item["rating_key"], entry.scene_id, item["section"]) for item in entry.items]
            self._db.executemany("INSERT OR REPLACE INTO held (rating_key, scene_id, section) VALUES (?,?,?)", rows)

    def drop(self, scene_id: int) -> None:
        """Forget a scene that is gone from Stash."""
        self._db.execute("DELETE FROM held WHERE scene_id = ?", (scene_id,))
        self._db.execute("DELETE FROM ledger WHERE scene_id = ?", (scene_id,))

    def heirs(self, scene_id: int) -> set[int]:
        """Return the scenes that lost an item to this one, as far as the names of its files tell."""
        entry = self.get(scene_id)
        if entry is None or entry.verdict not in SYNCED or not entry.items:
            return set()
        names = {_name(item["file"]) for item in entry.items}
        rows = self._db.execute(
            "SELECT scene_id, files FROM ledger WHERE verdict = ? AND scene_id != ?", (Verdict.SHARED.value, scene_id)
        )
        return {other for other, files in rows if names & {_name(one["path"]) for one in json.loads(files)}}

    def synced_to(self, rating_key: int, section: int) -> list[LedgerRow]:
        """Return the rows of the scenes that were last synced to an item, by id."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM ledger WHERE scene_id IN "
            "(SELECT scene_id FROM held WHERE rating_key = ? AND section = ?) ORDER BY scene_id",
            (rating_key, section),
        )
        return [_entry(row) for row in rows]

    def held_by(self, scene_ids: Sequence[int]) -> list[tuple[int, int]]:
        """What some scenes are in step with, as (scene, rating key); a batch of them at the most."""
        marks = ",".join("?" * len(scene_ids))
        return self._db.execute(
            f"SELECT scene_id, rating_key FROM held WHERE scene_id IN ({marks})", scene_ids
        ).fetchall()

    def without_item(self) -> Iterator[tuple[int, list[dict[str, Any]], str]]:
        """The scenes that have no item, or only doubtful ones: id, files, evidence."""
        rows = self._db.execute(
            "SELECT scene_id, files, evidence FROM ledger WHERE verdict IN (?,?)",
            (Verdict.NOT_IN_PLEX.value, Verdict.AMBIGUOUS.value),
        )
        return ((scene_id, json.loads(files), evidence) for scene_id, files, evidence in rows)

    def scenes(self, *verdicts: Verdict) -> set[int]:
        """Return the scenes that have one of these verdicts."""
        marks = ",".join("?" * len(verdicts))
        rows = self._db.execute(
            f"SELECT scene_id FROM ledger WHERE verdict IN ({marks})", [verdict.value for verdict in verdicts]
        )
        return {row[0] for row in rows}

    def counts(self) -> dict[str, int]:
        """Return the number of scenes by verdict."""
        return dict(self._db.execute("SELECT verdict, COUNT(*) FROM ledger GROUP BY verdict").fetchall())


def _entry(row: tuple[Any, ...]) -> LedgerRow:
    scene_id, verdict, at, reason, updated_at, settings, fingerprint, says, evidence, *lists = row
    files, items, fields = map(_loaded, lists)
    known = (scene_id, Verdict(verdict), at, reason, updated_at, settings)
    return LedgerRow(*known, files, items, fields, fingerprint, bool(says), evidence)


def _loaded(text: str) -> Any:
    # Most scenes have no rating, and those without an item no items.
    return {} if text == "{}" else [] if text == "[]" else json.loads(text)


def _compact(part: object) -> str:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].casefold()

"""The ledger: one row for each scene, with its last verdict and what was sent to Plex."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from common.scene import SceneFile
from common.verdicts import SYNCED, Verdict

_COLUMNS = "scene_id, verdict, at, reason, updated_at, settings, fingerprint, says, evidence, files, items, fields"

_SELECT_ROW = f"SELECT {_COLUMNS} FROM ledger WHERE scene_id = ?"
_SELECT_ROWS = f"SELECT {_COLUMNS} FROM ledger WHERE scene_id IN ({{}})"
_SELECT_RANGE = f"SELECT {_COLUMNS} FROM ledger WHERE scene_id BETWEEN ? AND ?"
_SELECT_SYNCED_TO_ITEM = f"""SELECT {_COLUMNS} FROM ledger
    WHERE scene_id IN (SELECT scene_id FROM held WHERE rating_key = ? AND section = ? AND scene_id != ?)
    ORDER BY scene_id"""
_SELECT_OTHER_FILES = "SELECT scene_id, files FROM ledger WHERE verdict = ? AND scene_id != ?"
_SELECT_WITHOUT_ITEM = "SELECT scene_id, files, evidence FROM ledger WHERE verdict IN (?,?)"
_SELECT_SCENES = "SELECT scene_id FROM ledger WHERE verdict IN ({})"
_COUNT_BY_VERDICT = "SELECT verdict, COUNT(*) FROM ledger GROUP BY verdict"
_PUT_ROW = f"INSERT OR REPLACE INTO ledger ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_DELETE_ROW = "DELETE FROM ledger WHERE scene_id = ?"

# The items of the synced scenes.
_SELECT_HELD = "SELECT scene_id, rating_key FROM held WHERE scene_id IN ({})"
_PUT_HELD = "INSERT OR REPLACE INTO held (rating_key, scene_id, section) VALUES (?,?,?)"
_DELETE_HELD = "DELETE FROM held WHERE scene_id = ?"


@dataclass(frozen=True)
class LedgerItem:
    """An item that a scene was synced to. ``file`` is the path in Plex that proved it to be the scene's; with ``guess``
    it proves nothing."""

    rating_key: int
    section: int
    file: str
    guess: bool = False


class OwnedFields(TypedDict, total=False):
    """The values that we wrote and may therefore clear, by Plex field."""

    userRating: float


@dataclass(frozen=True)
class LedgerRow:
    """A scene's row. ``updated_at`` and ``at`` are epoch seconds. ``fingerprint`` is of what was last pushed, images
    aside, and ``says`` whether that said anything but title and rating. ``evidence`` is what Plex's index held under
    the names of the scene's files when the verdict was reached (``matching.index_store.PlexCache.evidence``)."""

    scene_id: int
    verdict: Verdict
    at: float
    reason: str = ""
    updated_at: float | None = None
    settings: str = ""
    files: tuple[SceneFile, ...] = ()
    items: tuple[LedgerItem, ...] = ()
    fields: OwnedFields = field(default_factory=OwnedFields)
    fingerprint: str = ""
    says: bool = False
    evidence: str = ""

    def is_guess(self, rating_key: int) -> bool:
        """Return whether the scene was synced to an item without a proof. Version 0.1.0 did not record that."""
        return any(item.rating_key == rating_key and item.guess for item in self.items)


class Ledger:
    """The ledger over an open ``state.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, scene_id: int) -> LedgerRow | None:
        """Return a scene's row, or None if it was never synced."""
        row = self._db.execute(_SELECT_ROW, (scene_id,)).fetchone()
        return None if row is None else _read_row(row)

    def rows_of(self, scene_ids: Sequence[int]) -> dict[int, LedgerRow]:
        """Return the rows of some scenes, at most a batch of them."""
        rows = self._db.execute(_SELECT_ROWS.format(_marks(scene_ids)), scene_ids)
        return {row[0]: _read_row(row) for row in rows}

    def rows_between(self, first: int, last: int) -> dict[int, LedgerRow]:
        """Return the rows of all scenes from one id to another, both included."""
        rows = self._db.execute(_SELECT_RANGE, (first, last))
        return {row[0]: _read_row(row) for row in rows}

    def put(self, row: LedgerRow, before: LedgerRow | None = None) -> None:
        """Insert or replace a scene's row; ``before`` is the stored one, if the caller knows it."""
        self._db.execute(
            _PUT_ROW,
            (
                row.scene_id,
                row.verdict.value,
                row.at,
                row.reason,
                row.updated_at,
                row.settings,
                row.fingerprint,
                row.says,
                row.evidence,
                _compact([_file_json(file) for file in row.files]),
                _compact([_item_json(item) for item in row.items]),
                _compact(row.fields),
            ),
        )
        is_synced = row.verdict in SYNCED
        if before is not None and (before.verdict in SYNCED, before.items) == (is_synced, row.items):
            return  # the rows of its items are already right
        self._db.execute(_DELETE_HELD, (row.scene_id,))
        if is_synced:
            self._db.executemany(_PUT_HELD, [(item.rating_key, row.scene_id, item.section) for item in row.items])

    def drop(self, scene_id: int) -> None:
        """Delete the row of a scene that is gone from Stash."""
        self._db.execute(_DELETE_HELD, (scene_id,))
        self._db.execute(_DELETE_ROW, (scene_id,))

    def losing_rivals(self, scene_id: int) -> set[int]:
        """Return the scenes that lost an item to this one, as far as the names of its files tell."""
        row = self.get(scene_id)
        if row is None or row.verdict not in SYNCED or not row.items:
            return set()
        names = {_name(item.file) for item in row.items}
        others = self._db.execute(_SELECT_OTHER_FILES, (Verdict.SHARED.value, scene_id))
        return {other for other, files in others if names & {_name(file.path) for file in _read_files(files)}}

    def rows_synced_to_item(self, rating_key: int, section: int, but: int) -> list[LedgerRow]:
        """Return the rows of the scenes other than ``but`` that were last synced to an item, by id."""
        return [_read_row(row) for row in self._db.execute(_SELECT_SYNCED_TO_ITEM, (rating_key, section, but))]

    def synced_items_of(self, scene_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return the items that some scenes (at most a batch) are synced to, as (scene id, rating key)."""
        return self._db.execute(_SELECT_HELD.format(_marks(scene_ids)), scene_ids).fetchall()

    def scenes_without_item(self) -> Iterator[tuple[int, tuple[SceneFile, ...], str]]:
        """Yield id, files and evidence of the scenes that have no item, or only doubtful ones."""
        rows = self._db.execute(_SELECT_WITHOUT_ITEM, (Verdict.NOT_IN_PLEX.value, Verdict.AMBIGUOUS.value))
        return ((scene_id, _read_files(files), evidence) for scene_id, files, evidence in rows)

    def scenes_with_verdict(self, *verdicts: Verdict) -> set[int]:
        """Return the scenes that have one of these verdicts."""
        rows = self._db.execute(_SELECT_SCENES.format(_marks(verdicts)), [verdict.value for verdict in verdicts])
        return {row[0] for row in rows}

    def counts_by_verdict(self) -> dict[str, int]:
        """Return the number of scenes by verdict."""
        return dict(self._db.execute(_COUNT_BY_VERDICT).fetchall())


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _read_row(row: tuple[Any, ...]) -> LedgerRow:
    scene_id, verdict, at, reason, updated_at, settings, fingerprint, says, evidence, files, items, fields = row
    return LedgerRow(
        scene_id,
        Verdict(verdict),
        at,
        reason,
        updated_at,
        settings,
        _read_files(files),
        # Scenes without an item are common, and so are scenes without a rating.
        tuple(map(_read_item, json.loads(items))) if items != "[]" else (),
        json.loads(fields) if fields != "{}" else {},
        fingerprint,
        bool(says),
        evidence,
    )


def _read_files(text: str) -> tuple[SceneFile, ...]:
    return tuple(map(SceneFile.from_row, json.loads(text))) if text != "[]" else ()


def _read_item(stored: dict[str, Any]) -> LedgerItem:
    return LedgerItem(stored["rating_key"], stored["section"], stored["file"], stored.get("guess") is True)


def _item_json(item: LedgerItem) -> dict[str, object]:
    stored: dict[str, object] = {"rating_key": item.rating_key, "section": item.section, "file": item.file}
    return {**stored, "guess": True} if item.guess else stored


def _file_json(file: SceneFile) -> dict[str, str | float | None]:
    # Nearly every scene has such a row, usually without a duration.
    stored = file.as_row()
    if file.duration is None:
        del stored["duration"]
    return stored


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].casefold()

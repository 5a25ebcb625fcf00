"""What the user has decided about a scene's item: a manual match with one item, or the rejection of candidates.

A manual match counts while the item has one of the files it had then. A rejection concerns an item with none but
rejected files. Rating keys alone do not identify an item: a rebuilt library gives them to other files.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from state import database

# A file of Plex: its path, and its size in bytes if Plex knows it.
PlexFile = tuple[str, int | None]


@dataclass(frozen=True)
class ManualMatch:
    """The item that the user chose for a scene, on the server ``machine``; ``at`` is epoch seconds."""

    scene_id: int
    machine: str
    section: int
    rating_key: int
    files: tuple[PlexFile, ...]
    at: float

    def has_any_file(self, files: Iterable[PlexFile]) -> bool:
        """Tell whether one of these files is one that the item had: the same path, or the same name and size."""
        return any(_is_same_file(file, own) for file in files for own in self.files)


@dataclass(frozen=True)
class ManualDecisions:
    """All decisions about the items of one server: manual matches and rejected files by scene."""

    chosen: dict[int, ManualMatch] = field(default_factory=dict)
    rejected: dict[int, frozenset[PlexFile]] = field(default_factory=dict)


class ManualMatches:
    """The decisions in an open ``state.db``. The caller begins transactions. Raise sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, scene_id: int) -> ManualMatch | None:
        """Return a scene's manual match, or None."""
        row = self._db.execute("SELECT * FROM bindings WHERE scene_id = ?", (scene_id,)).fetchone()
        return None if row is None else _manual_match(row)

    def decisions_of(self, scene_ids: Sequence[int]) -> tuple[dict[int, ManualMatch], dict[int, frozenset[PlexFile]]]:
        """Return the manual matches and the rejected files of some scenes, at most a batch of them."""
        marks = ",".join("?" * len(scene_ids))
        rows = self._db.execute(f"SELECT * FROM bindings WHERE scene_id IN ({marks})", scene_ids)
        chosen = {row[0]: _manual_match(row) for row in rows}
        rows = self._db.execute(f"SELECT scene_id, path, size FROM refused WHERE scene_id IN ({marks})", scene_ids)
        return chosen, _by_scene(rows)

    def with_item(self, rating_key: int, machine: str) -> list[ManualMatch]:
        """Return the manual matches with an item, by scene."""
        rows = self._db.execute(
            "SELECT * FROM bindings WHERE rating_key = ? AND machine = ? ORDER BY scene_id", (rating_key, machine)
        )
        return [_manual_match(row) for row in rows]

    def put(self, match: ManualMatch) -> None:
        """Store a scene's manual match. Rejected files of the item are no longer rejected."""
        files = json.dumps([list(one) for one in match.files], ensure_ascii=False)
        self._db.execute(
            "INSERT OR REPLACE INTO bindings VALUES (?,?,?,?,?,?)",
            (match.scene_id, match.machine, match.section, match.rating_key, files, match.at),
        )
        self._db.executemany(
            "DELETE FROM refused WHERE scene_id = ? AND path = ?",
            [(match.scene_id, path) for path, _ in match.files],
        )

    def rejected_files(self, scene_id: int) -> frozenset[PlexFile]:
        """Return the files of the items that the user has rejected for a scene."""
        rows = self._db.execute("SELECT path, size FROM refused WHERE scene_id = ?", (scene_id,))
        return frozenset((path, size) for path, size in rows)

    def reject(self, scene_id: int, section: int, rating_key: int, files: Iterable[PlexFile], at: float) -> None:
        """Reject an item with these files for a scene."""
        for path, size in files:
            self._db.execute("DELETE FROM refused WHERE scene_id = ? AND path = ?", (scene_id, path))
            self._db.execute(
                "INSERT INTO refused VALUES (?,?,?,?,?,?)", (scene_id, section, rating_key, path, size, at)
            )

    def remove(self, scene_id: int) -> ManualMatch | None:
        """Remove a scene's manual match and return it."""
        known = self.get(scene_id)
        self._db.execute("DELETE FROM bindings WHERE scene_id = ?", (scene_id,))
        return known

    def clear_rejections(self, scene_id: int) -> int:
        """Clear the rejections of a scene. Return the number of files."""
        return self._db.execute("DELETE FROM refused WHERE scene_id = ?", (scene_id,)).rowcount

    def drop(self, scene_id: int) -> None:
        """Remove all decisions about a scene that is gone from Stash."""
        self.remove(scene_id)
        self.clear_rejections(scene_id)

    def decisions_on(self, machine: str) -> ManualDecisions:
        """Return all decisions that concern this server. They are few: each was a click on the page."""
        rows = self._db.execute("SELECT * FROM bindings WHERE machine = ?", (machine,))
        chosen = {row[0]: _manual_match(row) for row in rows}
        return ManualDecisions(chosen, _by_scene(self._db.execute("SELECT scene_id, path, size FROM refused")))


def read_decisions(data_dir: str, machine: str, sections: Collection[int]) -> ManualDecisions:
    """Return all decisions about the items of one server in these libraries. Raise sqlite3.Error, OSError."""
    if not os.path.exists(os.path.join(data_dir, database.FILE)):
        return ManualDecisions()
    with closing(database.connect(data_dir)) as db:
        found = ManualMatches(db).decisions_on(machine)
    chosen = {scene_id: match for scene_id, match in found.chosen.items() if match.section in sections}
    return ManualDecisions(chosen, found.rejected)


def is_rejected(files: Iterable[PlexFile], rejected: frozenset[PlexFile]) -> bool:
    """Tell whether an item with these files was rejected: all its files are. One with any other file is new."""
    item_files = set(files)
    return bool(item_files) and item_files <= rejected


def _by_scene(rows: Iterable[tuple[int, str, int | None]]) -> dict[int, frozenset[PlexFile]]:
    rejected: dict[int, set[PlexFile]] = {}
    for scene_id, path, size in rows:
        rejected.setdefault(scene_id, set()).add((path, size))
    return {scene_id: frozenset(files) for scene_id, files in rejected.items()}


def _is_same_file(one: PlexFile, other: PlexFile) -> bool:
    if one[0] == other[0]:
        return True
    return bool(one[1]) and one[1] == other[1] and _name(one[0]) == _name(other[0])


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _manual_match(row: tuple[int, str, int, int, str, float]) -> ManualMatch:
    scene_id, machine, section, rating_key, files, at = row
    return ManualMatch(
        scene_id, machine, section, rating_key, tuple((path, size) for path, size in json.loads(files)), at
    )

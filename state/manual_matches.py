"""What a person has decided about a scene's item: this one (a binding), or none of these (refused candidates).

A binding holds while the item still has one of the files it was made with; a refusal concerns an item with exactly the
files that were refused. Rating keys alone say little: a rebuilt library gives them to other files.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from state import database

# A file of Plex: its path and its size in bytes, where Plex knows it.
PlexFile = tuple[str, int | None]


@dataclass(frozen=True)
class ManualMatch:
    """A scene's item, chosen by hand on the server ``machine`` (as ``state.snapshots`` calls it)."""

    scene_id: int
    machine: str
    section: int
    rating_key: int
    files: tuple[PlexFile, ...]
    at: float

    def holds(self, files: Iterable[PlexFile]) -> bool:
        """Whether one of these files is one it was made with: the same path, or the same name and size."""
        return any(_same(one, other) for one in files for other in self.files)


@dataclass(frozen=True)
class ManualDecisions:
    """Everything that was decided about the items of one server: bindings and refused files by scene."""

    bound: dict[int, ManualMatch] = field(default_factory=dict)
    refused: dict[int, frozenset[PlexFile]] = field(default_factory=dict)


class ManualMatches:
    """The decisions over an open ``state.db``. Transactions are the caller's. Raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, scene_id: int) -> ManualMatch | None:
        """A scene's binding, or None."""
        row = self._db.execute("SELECT * FROM bindings WHERE scene_id = ?", (scene_id,)).fetchone()
        return None if row is None else _binding(row)

    def of(self, scene_ids: Sequence[int]) -> tuple[dict[int, ManualMatch], dict[int, frozenset[PlexFile]]]:
        """The bindings of some scenes, and what was refused for them; a batch of them at the most."""
        marks = ",".join("?" * len(scene_ids))
        rows = self._db.execute(f"SELECT * FROM bindings WHERE scene_id IN ({marks})", scene_ids)
        bound = {row[0]: _binding(row) for row in rows}
        rows = self._db.execute(f"SELECT scene_id, path, size FROM refused WHERE scene_id IN ({marks})", scene_ids)
        return bound, _by_scene(rows)

    def of_item(self, rating_key: int, machine: str) -> list[ManualMatch]:
        """The bindings to an item, by scene."""
        rows = self._db.execute(
            "SELECT * FROM bindings WHERE rating_key = ? AND machine = ? ORDER BY scene_id", (rating_key, machine)
        )
        return [_binding(row) for row in rows]

    def put(self, binding: ManualMatch) -> None:
        """Bind a scene, or bind it anew. What was refused and is chosen now is refused no more."""
        files = json.dumps([list(one) for one in binding.files], ensure_ascii=False)
        self._db.execute(
            "INSERT OR REPLACE INTO bindings VALUES (?,?,?,?,?,?)",
            (binding.scene_id, binding.machine, binding.section, binding.rating_key, files, binding.at),
        )
        self._db.executemany(
            "DELETE FROM refused WHERE scene_id = ? AND path = ?",
            [(binding.scene_id, path) for path, _ in binding.files],
        )

    def refused(self, scene_id: int) -> frozenset[PlexFile]:
        """The files that a person has said are not the scene's."""
        rows = self._db.execute("SELECT path, size FROM refused WHERE scene_id = ?", (scene_id,))
        return frozenset((path, size) for path, size in rows)

    def refuse(self, scene_id: int, section: int, rating_key: int, files: Iterable[PlexFile], at: float) -> None:
        """An item with these files is none of the scene's."""
        for path, size in files:
            self._db.execute("DELETE FROM refused WHERE scene_id = ? AND path = ?", (scene_id, path))
            self._db.execute(
                "INSERT INTO refused VALUES (?,?,?,?,?,?)", (scene_id, section, rating_key, path, size, at)
            )

    def unbind(self, scene_id: int) -> ManualMatch | None:
        """Take a scene's binding away; gives it."""
        known = self.get(scene_id)
        self._db.execute("DELETE FROM bindings WHERE scene_id = ?", (scene_id,))
        return known

    def admit(self, scene_id: int) -> int:
        """Forget what was refused for a scene. Gives the number of files."""
        return self._db.execute("DELETE FROM refused WHERE scene_id = ?", (scene_id,)).rowcount

    def drop(self, scene_id: int) -> None:
        """Forget a scene that is gone from Stash."""
        self.unbind(scene_id)
        self.admit(scene_id)

    def all(self, machine: str) -> ManualDecisions:
        """Everything that was decided, as far as it concerns this server. They are few: each was a person's click."""
        rows = self._db.execute("SELECT * FROM bindings WHERE machine = ?", (machine,))
        bound = {row[0]: _binding(row) for row in rows}
        return ManualDecisions(bound, _by_scene(self._db.execute("SELECT scene_id, path, size FROM refused")))


def decisions(data_dir: str, machine: str, sections: Collection[int]) -> ManualDecisions:
    """Everything that was decided about the items of one server, in these libraries. Raises sqlite3.Error, OSError."""
    if not os.path.exists(os.path.join(data_dir, database.FILE)):
        return ManualDecisions()
    with closing(database.connect(data_dir)) as db:
        found = ManualMatches(db).all(machine)
    bound = {scene_id: one for scene_id, one in found.bound.items() if one.section in sections}
    return ManualDecisions(bound, found.refused)


def is_refused(files: Iterable[PlexFile], refused: frozenset[PlexFile]) -> bool:
    """Whether a candidate with these files was refused: one that has any other file too is a new one."""
    there = set(files)
    return bool(there) and there <= refused


def _by_scene(rows: Iterable[tuple[int, str, int | None]]) -> dict[int, frozenset[PlexFile]]:
    refused: dict[int, set[PlexFile]] = {}
    for scene_id, path, size in rows:
        refused.setdefault(scene_id, set()).add((path, size))
    return {scene_id: frozenset(files) for scene_id, files in refused.items()}


def _same(one: PlexFile, other: PlexFile) -> bool:
    if one[0] == other[0]:
        return True
    return bool(one[1]) and one[1] == other[1] and _name(one[0]) == _name(other[0])


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _binding(row: tuple[Any, ...]) -> ManualMatch:
    scene_id, machine, section, rating_key, files, at = row
    return ManualMatch(
        scene_id, machine, section, rating_key, tuple((path, size) for path, size in json.loads(files)), at
    )

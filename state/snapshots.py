"""Snapshots: what an item showed before our first write, so that it can be restored, and what of it is ours."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from state.packed_rows import pack, unpack


@dataclass(frozen=True)
class ItemSnapshot:
    """``before`` is the item as it was when we first wrote to it: fields, lists, locks, and the keys of the pictures it
    showed. ``ours`` is what we made of it: ``collections`` we put it in, and what is remembered of its pictures.
    ``machine`` is the server, ``file`` the part that proved the item to be ``scene_id``'s."""

    rating_key: int
    machine: str
    section: int
    file: str
    scene_id: int
    at: float
    before: dict[str, Any] = field(default_factory=dict)
    ours: dict[str, Any] = field(default_factory=dict)

    def is_of(self, machine: str, files: Iterable[str]) -> bool:
        """Return whether this is the snapshot of the item with these files on that server.

        A rebuilt library gives old rating keys to other files, and another server has its own.
        """
        return self.machine == machine and self.file in files


_COLUMNS = "rating_key, machine, section, file, scene_id, at, before, ours"


class Snapshots:
    """The items over an open ``state.db``. Each call is one statement; transactions are the caller's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, rating_key: int) -> ItemSnapshot | None:
        """What was written under a rating key; it need not be the item that has the key now, see
        :meth:`ItemSnapshot.is_of`."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM written WHERE rating_key = ?", (rating_key,)).fetchone()
        return None if row is None else _written(row)

    def with_keys(self, rating_keys: Sequence[int]) -> dict[int, ItemSnapshot]:
        """The same for some rating keys, those of a batch at the most."""
        marks = ",".join("?" * len(rating_keys))
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM written WHERE rating_key IN ({marks})", rating_keys)
        return {row[0]: _written(row) for row in rows}

    def put(self, item: ItemSnapshot) -> None:
        """Insert or replace an item's row."""
        values = (item.rating_key, item.machine, item.section, item.file, item.scene_id, item.at)
        parts = (pack(item.before), pack(item.ours))
        self._db.execute(f"INSERT OR REPLACE INTO written ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", (*values, *parts))

    def of_scenes(self, scene_ids: Collection[int] | None = None) -> Iterator[ItemSnapshot]:
        """The items written for these scenes, or all, by rating key."""
        if scene_ids is None:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM written ORDER BY rating_key").fetchall()
        else:
            rows = [
                row
                for scene_id in sorted(set(scene_ids))
                for row in self._db.execute(f"SELECT {_COLUMNS} FROM written WHERE scene_id = ?", (scene_id,))
            ]
        return map(_written, rows)

    def scene_ids(self) -> list[int]:
        """The scenes that items were written for, ascending."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT scene_id FROM written ORDER BY scene_id")]

    def delete(self, rating_key: int) -> None:
        """Delete the snapshot of an item that was restored or is gone."""
        self._db.execute("DELETE FROM written WHERE rating_key = ?", (rating_key,))

    def count(self) -> int:
        """Return the number of items that were written."""
        return int(self._db.execute("SELECT COUNT(*) FROM written").fetchone()[0])


def _written(row: tuple[Any, ...]) -> ItemSnapshot:
    rating_key, machine, section, file, scene_id, at, before, ours = row
    return ItemSnapshot(rating_key, machine, section, file, scene_id, at, unpack(before), unpack(ours))

"""What is recorded of Plex items: a snapshot before our first write, and what of the item is ours since.

A snapshot is durable before the write that it undoes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from metadata.diff import Diff
from metadata.plex_collections import owned_after_write
from metadata.restore_diff import snapshot_state
from metadata.text import unique_names
from pipeline.scene_sync import SceneSync
from plex.items import FullItem
from state.snapshots import ItemSnapshot, Snapshots

# Older versions of SQLite take 999 parameters in a statement.
MAX_SQL_PARAMS = 900


class ItemRecords:
    """``clock`` is epoch seconds. Raises sqlite3.Error.

    Between :meth:`load` and :meth:`release` the records of a batch's items are kept in memory: only this process
    changes them then.
    """

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._snapshots = Snapshots(db)
        self._clock = clock
        self._loaded: dict[int, ItemSnapshot | None] = {}
        self._is_batch_open = False

    def begin_batch(self) -> None:
        """Keep what is read in memory from now on."""
        self._is_batch_open = True

    def load(self, rating_keys: Iterable[int]) -> None:
        """Read the records of a batch's items in one statement."""
        keys = sorted(set(rating_keys))[:MAX_SQL_PARAMS]
        if self._is_batch_open and keys:
            found = self._snapshots.with_keys(keys)
            self._loaded = {key: found.get(key) for key in keys}

    def release(self) -> None:
        """Forget what is in memory."""
        self._loaded = {}
        self._is_batch_open = False

    def owned_collections(self, item: FullItem, machine: str) -> list[str]:
        """Return the collections of an item that we put it in."""
        snapshot = self._of(item, machine)
        return list(snapshot.ours.get("collections", ())) if snapshot else []

    def pictures(self, item: FullItem, machine: str) -> dict[str, dict[str, object]]:
        """Return what is recorded of an item's pictures, by place."""
        snapshot = self._of(item, machine)
        return dict(snapshot.ours.get("pictures", {})) if snapshot else {}

    def before_write(self, work: SceneSync, item: FullItem, machine: str, diff: Diff) -> None:
        """Record what an item shows, if this is the first write, and which fields and collections become ours."""
        snapshot = self._of(item, machine)
        record = snapshot or self._first_snapshot(work, item, machine)
        fields = sorted({*record.ours.get("fields", ()), *(change.field for change in diff.changes)})
        ours = {**record.ours, "fields": fields}
        if diff.collections_added:
            ours["collections"] = unique_names([*record.ours.get("collections", ()), *diff.collections_added])
        if snapshot is None or ours != record.ours:
            self._put(replace(record, ours=ours))

    def after_write(self, item: FullItem, machine: str, diff: Diff) -> None:
        """Record which collections of an item are ours after a write."""
        snapshot = self._of(item, machine)
        if snapshot is None:
            return
        owned = snapshot.ours.get("collections", [])
        names = owned_after_write(
            owned, item.tags["collection"], added=diff.collections_added, removed=diff.collections_removed
        )
        if names != owned:
            self._put(replace(snapshot, ours={**snapshot.ours, "collections": names}))

    def before_picture(self, work: SceneSync, item: FullItem, machine: str, place: str, key: str) -> None:
        """Record which picture an item shows (``key``, "" for none) before we change it for the first time."""
        record = self._of(item, machine) or self._first_snapshot(work, item, machine)
        if place not in record.before.get("pictures", {}):
            pictures = {**record.before.get("pictures", {}), place: key}
            self._put(replace(record, before={**record.before, "pictures": pictures}))

    def after_pictures(
        self, work: SceneSync, item: FullItem, machine: str, places: Mapping[str, Mapping[str, object]]
    ) -> None:
        """Record what is known of an item's pictures, by place."""
        record = self._of(item, machine) or self._first_snapshot(work, item, machine)
        pictures = {**record.ours.get("pictures", {}), **places}
        if pictures != record.ours.get("pictures"):
            self._put(replace(record, ours={**record.ours, "pictures": pictures}))

    def snapshots_of(self, scene_id: int) -> list[ItemSnapshot]:
        """Return the snapshots of the items that were written for a scene."""
        return list(self._snapshots.of_scenes([scene_id]))

    def delete_snapshot(self, rating_key: int) -> None:
        """Delete the snapshot of an item that is restored."""
        self._loaded.pop(rating_key, None)
        self._snapshots.delete(rating_key)

    def _of(self, item: FullItem, machine: str) -> ItemSnapshot | None:
        key = item.rating_key
        if key in self._loaded:
            snapshot = self._loaded[key]
        else:
            snapshot = self._snapshots.get(key)
            if self._is_batch_open:
                self._loaded[key] = snapshot
        return (
            snapshot if snapshot is not None and snapshot.is_of(machine, (part.path for part in item.parts)) else None
        )

    def _put(self, record: ItemSnapshot) -> None:
        self._loaded.pop(record.rating_key, None)
        self._snapshots.put(record)
        if self._is_batch_open:
            self._loaded[record.rating_key] = record

    def _first_snapshot(self, work: SceneSync, item: FullItem, machine: str) -> ItemSnapshot:
        proof = work.proof_of(item) or (item.parts[0].path if item.parts else "")
        before = dict(snapshot_state(item.scalars, item.tags, item.rating, item.locked))
        return ItemSnapshot(item.rating_key, machine, item.section, proof, work.scene_id, self._clock(), before)

"""What the worker remembers of scenes and items between two jobs, over ``state.db``.

What is needed to undo a write is durable before the write (design 2: durable first).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from common.verdicts import Verdict
from matching.ownership import Claimant
from matching.rivals import Rivals
from metadata.diff import Diff
from metadata.plex_collections import owned_after_write
from metadata.restore_diff import snapshot_state
from metadata.text import unique_names
from pipeline.scene_sync import SceneSync
from plex.items import FullItem
from state import last_known, timestamps
from state.ledger import Ledger, LedgerRow
from state.manual_matches import ManualMatch, ManualMatches, PlexFile
from state.snapshots import ItemSnapshot, Snapshots

# Older SQLites take 999 values in a question.
MANY = 900


class SceneRecord(NamedTuple):
    """What is remembered of a scene: its row, the item chosen for it by hand, and the files that are not its own."""

    entry: LedgerRow | None
    manual_match: ManualMatch | None
    rejected_files: frozenset[PlexFile]


class SceneRecords:
    """``clock`` is epoch seconds. Belongs to the thread of its connection. Raises sqlite3.Error.

    From :meth:`recall` to :meth:`release` what is known of some scenes, and of the items that were asked for, is at
    hand: nobody but this process changes it then, or it queues the scene anew (a person's decision).
    """

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._ledger = Ledger(db)
        self._written = Snapshots(db)
        self._bindings = ManualMatches(db)
        self._clock = clock
        self._scenes: dict[int, SceneRecord] = {}
        self._items: dict[int, ItemSnapshot | None] = {}
        self._recalls = False

    def recall(self, scene_ids: Iterable[int]) -> None:
        """Have at hand what is known of these scenes, and forget what was at hand of others."""
        ids = sorted(set(scene_ids))[:MANY]
        if self._scenes.keys() >= set(ids):
            return
        self.release()
        if ids:
            entries = self._ledger.of(ids)
            bound, refused = self._bindings.of(ids)
            self._scenes = {
                one: SceneRecord(entries.get(one), bound.get(one), refused.get(one, frozenset())) for one in ids
            }
            self._recalls = True

    def recall_items(self, rating_keys: Iterable[int]) -> None:
        """Have at hand what was written to these items, too."""
        keys = sorted(set(rating_keys))
        if self._recalls and keys:
            found = self._written.of(keys[:MANY])
            self._items = {key: found.get(key) for key in keys[:MANY]}

    def release(self) -> None:
        """What was at hand is settled, or somebody else's work came between: whoever asks now is told what is."""
        self._scenes = {}
        self._items = {}
        self._recalls = False

    # scenes

    def entry(self, scene_id: int) -> LedgerRow | None:
        """What became of a scene the last time."""
        known = self._scenes.get(scene_id)
        return self._ledger.get(scene_id) if known is None else known.entry

    def items_of(self, scene_ids: Collection[int]) -> set[int]:
        """The rating keys of the items that some scenes are in step with, a batch of them at the most; none where that
        is known of less than half of them."""
        ids = set(scene_ids)
        held = self._ledger.held_by(sorted(ids))
        return {key for _, key in held} if 2 * len({scene for scene, _ in held}) > len(ids) else set()

    def our_rating(self, scene_id: int) -> float | None:
        """The rating we wrote for a scene, or None: only that one may be cleared."""
        entry = self.entry(scene_id)
        return None if entry is None else entry.fields.get("userRating")

    def given_back(self, scene_id: int, reason: str) -> None:
        """A scene is left alone from now on: nothing that its items show is ours any more."""
        now = self._clock()
        self.release()
        before = self._ledger.get(scene_id) or LedgerRow(scene_id, Verdict.RESTORED, now)
        bare: dict[str, Any] = {"items": [], "fields": {}, "fingerprint": "", "says": False}
        self._ledger.put(replace(before, verdict=Verdict.RESTORED, at=now, reason=reason, **bare))
        timestamps.write(self._db, {scene_id: None})

    def rivals(
        self, item: FullItem, machine: str, but: int, is_in_force: Callable[[ManualMatch], bool]
    ) -> list[Claimant]:
        """Return the scenes other than ``but`` that may claim an item (``matching.rivals``)."""
        return Rivals(self._ledger, self._bindings, is_in_force).of(item, item.section, machine, but)

    # what a person has decided

    def manual_match(self, scene_id: int) -> ManualMatch | None:
        """Return a scene's manual match, or None."""
        known = self._scenes.get(scene_id)
        return self._bindings.get(scene_id) if known is None else known.manual_match

    def rejected_files(self, scene_id: int) -> frozenset[PlexFile]:
        """Return the files of the items that the user has rejected for a scene."""
        known = self._scenes.get(scene_id)
        return self._bindings.refused(scene_id) if known is None else known.rejected_files

    # what others want to know

    def know(self, key: str, value: Any) -> None:
        """Keep what is known of server and settings, for those who must not ask (``state.last_known``)."""
        last_known.put(self._db, key, value)

    # items

    def collections(self, item: FullItem, machine: str) -> list[str]:
        """The collections of an item that are ours: those we put it in."""
        known = self._of(item, machine)
        return list(known.ours.get("collections", ())) if known else []

    def pictures(self, item: FullItem, machine: str) -> dict[str, Any]:
        """What is remembered of an item's pictures, by place."""
        known = self._of(item, machine)
        return dict(known.ours.get("pictures", {})) if known else {}

    def before_write(self, work: SceneSync, item: FullItem, machine: str, diff: Diff) -> None:
        """An item is about to be written: keep what it was, if this is the first time, and which fields and collections
        are ours from now on."""
        known = self._of(item, machine)
        entry = known or self._first(work, item, machine)
        fields = sorted({*entry.ours.get("fields", ()), *(change.field for change in diff.changes)})
        ours = {**entry.ours, "fields": fields}
        if diff.collections_added:
            ours["collections"] = unique_names([*entry.ours.get("collections", ()), *diff.collections_added])
        if known is None or ours != entry.ours:
            self._put(replace(entry, ours=ours))

    def after_write(self, item: FullItem, machine: str, diff: Diff) -> None:
        """An item was written: the collections of it that are ours."""
        known = self._of(item, machine)
        if known is None:
            return
        owned = known.ours.get("collections", [])
        names = owned_after_write(
            owned, item.tags["collection"], added=diff.collections_added, removed=diff.collections_removed
        )
        if names != owned:
            self._put(replace(known, ours={**known.ours, "collections": names}))

    def before_picture(self, work: SceneSync, item: FullItem, machine: str, place: str, key: str) -> None:
        """A picture of an item is about to be changed: keep which one it showed (``key``, "" for none)."""
        entry = self._of(item, machine) or self._first(work, item, machine)
        if place not in entry.before.get("pictures", {}):
            pictures = {**entry.before.get("pictures", {}), place: key}
            self._put(replace(entry, before={**entry.before, "pictures": pictures}))

    def after_pictures(self, work: SceneSync, item: FullItem, machine: str, places: Mapping[str, Any]) -> None:
        """What is to be remembered of an item's pictures, by place."""
        entry = self._of(item, machine) or self._first(work, item, machine)
        pictures = {**entry.ours.get("pictures", {}), **places}
        if pictures != entry.ours.get("pictures"):
            self._put(replace(entry, ours={**entry.ours, "pictures": pictures}))

    def written_for(self, scene_id: int) -> list[ItemSnapshot]:
        """The items that were written for a scene."""
        return list(self._written.of_scenes([scene_id]))

    def forget_written(self, rating_key: int) -> None:
        """An item that is as it was before."""
        self._items.pop(rating_key, None)
        self._written.forget(rating_key)

    def _of(self, item: FullItem, machine: str) -> ItemSnapshot | None:
        key = item.rating_key
        if key in self._items:
            known = self._items[key]
        else:
            known = self._written.get(key)
            if self._recalls:
                self._items[key] = known
        return known if known is not None and known.is_of(machine, (part.path for part in item.parts)) else None

    def _put(self, item: ItemSnapshot) -> None:
        self._items.pop(item.rating_key, None)
        self._written.put(item)
        if self._recalls:
            self._items[item.rating_key] = item

    def _first(self, work: SceneSync, item: FullItem, machine: str) -> ItemSnapshot:
        proof = work.proof_of(item) or (item.parts[0].path if item.parts else "")
        before = dict(snapshot_state(item.scalars, item.tags, item.rating, item.locked))
        return ItemSnapshot(item.rating_key, machine, item.section, proof, work.scene_id, self._clock(), before)

"""What state.db holds of a batch's scenes, read at once: ledger rows, manual matches, rejected files."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from common.verdicts import Verdict
from matching.ownership import Claimant
from matching.rivals import Rivals
from pipeline.item_records import MAX_SQL_PARAMS, ItemRecords
from plex.items import FullItem
from state import last_known, timestamps
from state.ledger import Ledger, LedgerRow
from state.manual_matches import ManualMatch, ManualMatches, PlexFile


class SceneRecord(NamedTuple):
    """A scene's ledger row and manual match, None where there is none, and the files that the user rejected for it."""

    ledger_row: LedgerRow | None
    manual_match: ManualMatch | None
    rejected_files: frozenset[PlexFile]


class SceneRecords:
    """``clock`` is epoch seconds. Belongs to the thread of its connection. Raises sqlite3.Error.

    Between :meth:`load_batch` and :meth:`release` the records of some scenes are kept in memory: only this process
    changes them then, and the operation that decides on a manual match queues the scene again. ``items`` holds the
    records of Plex items.
    """

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float] = time.time) -> None:
        self.items = ItemRecords(db, clock)
        self._db = db
        self._ledger = Ledger(db)
        self._manual_matches = ManualMatches(db)
        self._clock = clock
        self._loaded: dict[int, SceneRecord] = {}

    def load_batch(self, scene_ids: Iterable[int]) -> None:
        """Read the records of these scenes, and forget those of others."""
        ids = sorted(set(scene_ids))[:MAX_SQL_PARAMS]
        if self._loaded.keys() >= set(ids):
            return
        self.release()
        if ids:
            rows = self._ledger.rows_of(ids)
            chosen, rejected = self._manual_matches.decisions_of(ids)
            self._loaded = {
                scene_id: SceneRecord(rows.get(scene_id), chosen.get(scene_id), rejected.get(scene_id, frozenset()))
                for scene_id in ids
            }
            self.items.begin_batch()

    def release(self) -> None:
        """Forget what is in memory: the batch is recorded, or another batch came between."""
        self._loaded = {}
        self.items.release()

    def ledger_row(self, scene_id: int) -> LedgerRow | None:
        """Return what is recorded of a scene's last sync."""
        records = self._loaded.get(scene_id)
        return self._ledger.get(scene_id) if records is None else records.ledger_row

    def synced_items(self, scene_ids: Collection[int]) -> set[int]:
        """Return the rating keys of the items that some scenes (a batch at most) were synced to; none if that is known
        of less than half of them."""
        ids = set(scene_ids)
        held = self._ledger.synced_items_of(sorted(ids))
        return {key for _, key in held} if 2 * len({scene for scene, _ in held}) > len(ids) else set()

    def our_rating(self, scene_id: int) -> float | None:
        """Return the rating that we wrote for a scene, or None: no other one may be cleared."""
        row = self.ledger_row(scene_id)
        return None if row is None else row.fields.get("userRating")

    def record_restored(self, scene_id: int, reason: str) -> None:
        """Record that a scene is left alone from now on, and that nothing its items show is ours any more."""
        now = self._clock()
        self.release()
        before = self._ledger.get(scene_id) or LedgerRow(scene_id, Verdict.RESTORED, now)
        self._ledger.put(
            replace(
                before,
                verdict=Verdict.RESTORED,
                at=now,
                reason=reason,
                items=(),
                fields={},
                fingerprint="",
                says=False,
            )
        )
        timestamps.write(self._db, {scene_id: None})

    def rivals(
        self, item: FullItem, machine: str, but: int, is_in_force: Callable[[ManualMatch], bool]
    ) -> list[Claimant]:
        """Return the scenes other than ``but`` that may claim an item (``matching.rivals``)."""
        return Rivals(self._ledger, self._manual_matches, is_in_force).of(item, item.section, machine, but)

    def manual_match(self, scene_id: int) -> ManualMatch | None:
        """Return a scene's manual match, or None."""
        records = self._loaded.get(scene_id)
        return self._manual_matches.get(scene_id) if records is None else records.manual_match

    def rejected_files(self, scene_id: int) -> frozenset[PlexFile]:
        """Return the files of the items that the user has rejected for a scene."""
        records = self._loaded.get(scene_id)
        return self._manual_matches.rejected_files(scene_id) if records is None else records.rejected_files

    def record_last_known(self, key: str, value: object) -> None:
        """Record what is known of the server, for processes that must not ask (``state.last_known``)."""
        last_known.put(self._db, key, value)

"""The other scenes that may claim an item: those the ledger has synced to it, and those it was matched to manually."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from common.scene import SceneFile
from matching.ownership import Claimant, ClaimedItem
from state.ledger import Ledger, LedgerRow
from state.manual_matches import ManualMatch, ManualMatches


class Rivals:
    """Reads ledger and manual matches. ``is_in_force`` tells whether a manual match concerns this server and a chosen
    library. Raises sqlite3.Error."""

    def __init__(
        self, ledger: Ledger, manual_matches: ManualMatches, is_in_force: Callable[[ManualMatch], bool]
    ) -> None:
        self._ledger = ledger
        self._manual_matches = manual_matches
        self._is_in_force = is_in_force

    def of(self, item: ClaimedItem, section: int, machine: str, but: int) -> list[Claimant]:
        """Return the scenes other than ``but`` that may claim an item, by id. There is usually none."""
        synced = {row.scene_id: row for row in self._ledger.rows_synced_to_item(item.rating_key, section, but)}
        chosen = {match.scene_id for match in self._manual_matches.with_item(item.rating_key, machine)}
        return [
            self._claimant_by_ledger(scene_id, synced.get(scene_id), item)
            for scene_id in sorted({*synced, *chosen} - {but})
        ]

    def _claimant_by_ledger(self, scene_id: int, row: LedgerRow | None, item: ClaimedItem) -> Claimant:
        if row is None:
            return self.claimant(scene_id, ())
        # A guess may have an item's name and size in common with it: what it was when it was synced decides.
        return self.claimant(scene_id, row.files, row.is_guess(item.rating_key))

    def claimant(self, scene_id: int, files: Iterable[SceneFile], is_guess: bool = False) -> Claimant:
        """Return a scene with these files as one that may claim items."""
        manual = self._manual_matches.get(scene_id)
        return Claimant(
            scene_id,
            tuple(files),
            manual if manual is not None and self._is_in_force(manual) else None,
            self._manual_matches.rejected_files(scene_id),
            is_guess,
        )

"""Match a scene with the item that the user has chosen: the choice is the proof, as long as the item has one of the
files it had then; else the item that has such a file now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from common.scene import SceneFile
from matching.proof import Candidate, Evidence
from matching.ranking import Match, MatchConfidence, Ranked
from plex.items import FullItem, Part
from state.manual_matches import ManualMatch, PlexFile

REASON = "you chose this item"
LOST = "the item that you chose is gone from Plex, or has other files now"


def files_of(parts: Iterable[Part]) -> tuple[PlexFile, ...]:
    """Return the files of an item as a manual match stores them."""
    return tuple((part.path, part.size) for part in parts)


def is_in_force(chosen: ManualMatch, machine: str, sections: Collection[int]) -> bool:
    """Tell whether a manual match concerns this server (by its machine identifier) and one of the chosen libraries."""
    return chosen.machine == machine and chosen.section in sections


def match_of(chosen: ManualMatch, file: SceneFile, item: FullItem | None = None) -> Match:
    """Return a manual match as the match of a scene, before its item was read (``item`` None) or after."""
    parts = item.parts if item is not None else tuple(Part(path, size) for path, size in chosen.files)
    title = item.title if item is not None else ""
    part = next((part for part in parts if chosen.has_any_file(files_of([part]))), Part(""))
    # What the files have in common does not matter: the choice is not ranked again.
    candidate = Candidate(chosen.rating_key, chosen.section, parts, title)
    ranked = Ranked(candidate, Evidence.NAME, file, part, (REASON,))
    return Match(MatchConfidence.HIGH, (ranked,), (ranked,), REASON)


def is_unchanged(chosen: ManualMatch, item: FullItem | None) -> bool:
    """Tell whether an item, just read, still is the one that was chosen."""
    return item is not None and not item.trashed and chosen.has_any_file(files_of(item.parts))


def find_again(chosen: ManualMatch, items: Iterable[FullItem]) -> FullItem | None:
    """Return the item that has a file of a manual match now; None if there is none, or no telling which."""
    unchanged = [item for item in items if is_unchanged(chosen, item)]
    paths = {path for path, _ in chosen.files}
    for closer in (
        [item for item in unchanged if any(part.path in paths for part in item.parts)],
        [item for item in unchanged if item.section == chosen.section],
    ):
        if len(unchanged) > 1 and closer:
            unchanged = [item for item in unchanged if item in closer]
    return unchanged[0] if len(unchanged) == 1 else None


def renewed(chosen: ManualMatch, item: FullItem) -> ManualMatch:
    """Return a manual match to the item that has its file now."""
    return replace(chosen, section=item.section, rating_key=item.rating_key, files=files_of(item.parts))

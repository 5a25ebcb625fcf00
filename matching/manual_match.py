"""A scene whose item a person has chosen: that choice is the proof, as long as the item has one of the files it was
made with; else the item that has them now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from common.scene import SceneFile
from matching.ranking import Candidate, Evidence, Match, MatchConfidence, Ranked
from plex.items import FullItem, Part
from state.manual_matches import ManualMatch, PlexFile

REASON = "chosen by hand"
LOST = "the item chosen by hand is gone from Plex, or holds other files now"


def files_of(parts: Iterable[Part]) -> tuple[PlexFile, ...]:
    """The files of an item as a binding keeps them."""
    return tuple((part.path, part.size) for part in parts)


def as_scene_files(binding: ManualMatch) -> list[SceneFile]:
    """The files of a binding, to be looked up like those of a scene."""
    return [SceneFile(path, size) for path, size in binding.files]


def match_of(binding: ManualMatch, file: SceneFile, item: FullItem | None = None) -> Match:
    """The match that a binding is, before its item was read (``item`` None) and after."""
    parts = item.parts if item is not None else tuple(Part(path, size) for path, size in binding.files)
    title = item.title if item is not None else ""
    part = next((one for one in parts if binding.holds(files_of([one]))), Part(""))
    # What the two files have in common is beside the point: nobody judges it again.
    chosen = Ranked(Candidate(binding.rating_key, binding.section, parts, title), Evidence.NAME, file, part, (REASON,))
    return Match(MatchConfidence.HIGH, (chosen,), (chosen,), REASON)


def holds(binding: ManualMatch, item: FullItem | None) -> bool:
    """Whether an item, just read, is still what was chosen."""
    return item is not None and not item.trashed and binding.holds(files_of(item.parts))


def found_again(binding: ManualMatch, items: Iterable[FullItem]) -> FullItem | None:
    """Which of several items has the file of a binding now; None where none has, or nobody could say which."""
    there = [item for item in items if holds(binding, item)]
    paths = {path for path, _ in binding.files}
    for closer in (
        [item for item in there if any(part.path in paths for part in item.parts)],
        [item for item in there if item.section == binding.section],
    ):
        if len(there) > 1 and closer:
            there = [item for item in there if item in closer]
    return there[0] if len(there) == 1 else None


def renewed(binding: ManualMatch, item: FullItem) -> ManualMatch:
    """The binding to the item that has its file now."""
    return replace(binding, section=item.section, rating_key=item.rating_key, files=files_of(item.parts))

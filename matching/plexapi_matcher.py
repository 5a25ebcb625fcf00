"""Which item of Plex a scene's file is, asked of one library through plexapi (design 4).

The worker asks its own index, which knows all libraries at once; the judgement is the same: ``matching.ranking``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from common.media_paths import base_name
from common.scene import SceneFile
from matching.path_map import PathMap
from matching.ranking import Candidate, Match, MatchConfidence, rank
from plex.exceptions import PlexNotFound, status_of, translate_plex_exception
from plex.items import Part

__all__ = ["MatchConfidence", "find_plex_items_with_confidence"]


def find_plex_items_with_confidence(
    library: Any,
    stash_path: str,
    *,
    size: int | None = None,
    duration: float | None = None,
    path_map: PathMap | None = None,
) -> tuple[MatchConfidence, Any, list[Any]]:
    """Look for a file in one library of plexapi. Gives ``(confidence, item or None, candidates)``.

    ``size`` in bytes and ``duration`` in seconds are the file's in Stash. A proven item that is alone is HIGH; with LOW
    no item is given, and the candidates stand best first, unique by ``key``. Raises PlexNotFound where nothing has the
    path or the name, and other PlexErrors.
    """
    file = SceneFile(stash_path, size, duration)
    rules = path_map or PathMap()
    try:
        items, match = _judged(_looked_up(library, base_name(rules.to_plex(stash_path))), file, rules)
        if match is None or match.confidence is not MatchConfidence.HIGH:
            # What the look-up by name gives is a coarse filter of unknown make (plex 3.4): no proof, so ask for all.
            items, match = _judged(library.all(), file, rules)
    except Exception as error:  # of plexapi, requests or the parser: each becomes ours
        raise translate_plex_exception(error) from error
    if match is None:
        raise PlexNotFound(f"No item of the library {getattr(library, 'title', '')} has the file {stash_path}")
    candidates = [items[ranked.candidate.rating_key] for ranked in match.ranked]
    chosen = [items[ranked.candidate.rating_key] for ranked in match.chosen]
    if match.confidence is MatchConfidence.HIGH and len(chosen) == 1:
        return MatchConfidence.HIGH, chosen[0], chosen
    return MatchConfidence.LOW, None, candidates


def _judged(found: Sequence[Any], file: SceneFile, rules: PathMap) -> tuple[list[Any], Match | None]:
    items = list({item.key: item for item in found}.values())
    # The place in the list stands for the item: any double of one will do.
    candidates = [Candidate(place, 0, tuple(_parts(item)), str(item.title)) for place, item in enumerate(items)]
    return items, rank([file], candidates, rules)


def _looked_up(library: Any, name: str) -> list[Any]:
    from plexapi.library import LibrarySection

    if not isinstance(library, LibrarySection):
        return []
    try:
        found: list[Any] = library.fetchItems(f"/library/sections/{library.key}/all?type=1&file={quote(name, safe='')}")
    except Exception as error:  # plexapi knows no class of its own for a 500
        if status_of(error) == 500:
            return []
        raise translate_plex_exception(error) from error
    return found


def _parts(item: Any) -> list[Part]:
    # Without the switch a listed item asks for itself once more at the first empty attribute (plex 3.6).
    item._autoReload = False
    return [
        Part(part.file, _number(part.size), (_number(part.duration) or 0) / 1000 or None)
        for media in item.media or ()
        if getattr(media, "isOptimizedVersion", False) is not True
        for part in media.parts or ()
        if part.file
    ]


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None

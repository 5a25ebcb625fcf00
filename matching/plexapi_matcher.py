"""Find the item of a scene's file in one library through plexapi.

The worker asks its own index, which covers all libraries at once; the ranking is the same: ``matching.ranking``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from common.media_paths import base_name
from common.scene import SceneFile
from matching.path_map import PathMap
from matching.proof import Candidate
from matching.ranking import Match, MatchConfidence, rank
from plex.exceptions import PlexNotFound, status_of, translate_plex_exception
from plex.items import Part
from plex.plexapi_types import PlexApiVideo, PlexApiVideos

__all__ = ["MatchConfidence", "find_plex_items_with_confidence"]


def find_plex_items_with_confidence(
    library: PlexApiVideos,
    stash_path: str,
    *,
    size: int | None = None,
    duration: float | None = None,
    path_map: PathMap | None = None,
) -> tuple[MatchConfidence, Any, list[Any]]:
    """Return ``(confidence, item or None, candidates)`` for a file in one library of plexapi, as plexapi's videos.

    ``size`` in bytes and ``duration`` in seconds are the file's in Stash. A single proven item is HIGH; with LOW there
    is no item, and the candidates are unique by ``key``, best first. Raise PlexNotFound where no item has the path or
    the name, and other PlexErrors.
    """
    file = SceneFile(stash_path, size, duration)
    rules = path_map or PathMap()
    try:
        items, match = _ranked(_items_by_name(library, base_name(rules.to_plex(stash_path))), file, rules)
        if match is None or match.confidence is not MatchConfidence.HIGH:
            # The filter by name is coarse and differs between servers (plex 3.4): it proves nothing, so ask for all.
            items, match = _ranked(library.all(), file, rules)
    except Exception as error:  # of plexapi, requests or the parser: each becomes ours
        raise translate_plex_exception(error) from error
    if match is None:
        raise PlexNotFound(f"No item of the library {getattr(library, 'title', '')} has the file {stash_path}")
    candidates = [items[ranked.candidate.rating_key] for ranked in match.ranked]
    chosen = [items[ranked.candidate.rating_key] for ranked in match.chosen]
    if match.confidence is MatchConfidence.HIGH and len(chosen) == 1:
        return MatchConfidence.HIGH, chosen[0], chosen
    return MatchConfidence.LOW, None, candidates


def _ranked(videos: Sequence[PlexApiVideo], file: SceneFile, rules: PathMap) -> tuple[list[PlexApiVideo], Match | None]:
    """Return the items, unique by key, and their match. A candidate's rating key is the item's place in the list."""
    items = list({item.key: item for item in videos}.values())
    candidates = [Candidate(place, 0, tuple(_parts(item)), str(item.title)) for place, item in enumerate(items)]
    return items, rank([file], candidates, rules)


def _items_by_name(library: PlexApiVideos, name: str) -> Sequence[PlexApiVideo]:
    from plexapi.library import LibrarySection

    if not isinstance(library, LibrarySection):
        return []
    try:
        key = f"/library/sections/{library.key}/all?type=1&file={quote(name, safe='')}"
        return cast("list[PlexApiVideo]", library.fetchItems(key))
    except Exception as error:  # plexapi has no class of its own for a 500
        if status_of(error) == 500:
            return []
        raise translate_plex_exception(error) from error


def _parts(item: PlexApiVideo) -> list[Part]:
    item._autoReload = False
    return [
        Part(part.file, _int_or_none(part.size), (_int_or_none(part.duration) or 0) / 1000 or None)
        for media in item.media or ()
        if getattr(media, "isOptimizedVersion", False) is not True
        for part in media.parts or ()
        if part.file
    ]


def _int_or_none(value: object) -> int | None:
    return value if isinstance(value, int) else None

"""Which item of Plex a scene's file is (design 4). A match is proven by the file's whole path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from plex.cache import path_key
from plex.exceptions import PlexNotFound, translate_plex_exception
from plex.item import FullItem


class MatchConfidence(Enum):
    """How sure a match is: HIGH is proven and alone, LOW is several, or doubtful."""

    HIGH = "high"
    LOW = "low"


def proves(item: FullItem, paths: Iterable[str]) -> str | None:
    """The file that proves ``item`` to be one of these paths', or None."""
    wanted = {path_key(path) for path in paths}
    return next((part.path for part in item.parts if path_key(part.path) in wanted), None)


def find_plex_items_with_confidence(library: Any, stash_path: str) -> tuple[MatchConfidence, Any, list[Any]]:
    """Look for a file in one library of plexapi. Gives ``(confidence, item or None, candidates)``.

    One candidate is HIGH, several are LOW and then no item is given. Raises PlexNotFound where nothing matches, and
    other PlexErrors.
    """
    wanted = path_key(stash_path)
    try:
        found = [item for item in library.all() if wanted in _paths(item)]
    except Exception as error:
        raise translate_plex_exception(error) from error
    candidates = list({item.key: item for item in found}.values())
    if not candidates:
        raise PlexNotFound(f"No item of the library {getattr(library, 'title', '')} has the file {stash_path}")
    if len(candidates) == 1:
        return MatchConfidence.HIGH, candidates[0], candidates
    return MatchConfidence.LOW, None, candidates


def _paths(item: Any) -> Sequence[str]:
    # Without the switch a listed item asks for itself once more at the first empty attribute (plex 3.6).
    item._autoReload = False
    return [path_key(part.file) for media in item.media or () for part in media.parts or () if part.file]

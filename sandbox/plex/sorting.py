"""The order of a listing: ``sort=`` as PMS reads it (plex 3.1), cached until something is assigned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import Changes, Item, Section
from sandbox.plex.responses import StatusError

Key = Callable[[Item], object]


def _title(item: Item) -> object:
    return item.sorted_as.casefold()


_KEYS: dict[str, Key] = {
    "titleSort": _title,
    "title": _title,
    "addedAt": attrgetter("added_at"),
    "updatedAt": attrgetter("updated_at"),
    "originallyAvailableAt": attrgetter("originally_available_at"),
    "year": attrgetter("year"),
    "userRating": attrgetter("user_rating"),
    "rating": attrgetter("rating"),
    "audienceRating": attrgetter("audience_rating"),
    "lastViewedAt": attrgetter("last_viewed_at"),
    "lastRatedAt": attrgetter("last_rated_at"),
    "viewCount": attrgetter("view_count"),
    "viewOffset": attrgetter("view_offset"),
    "contentRating": attrgetter("content_rating"),
    "duration": attrgetter("duration"),
    "summary": attrgetter("summary"),
    "tagline": attrgetter("tagline"),
    "studio": attrgetter("studio"),
    "guid": attrgetter("guid"),
    "id": attrgetter("rating_key"),
    "ratingKey": attrgetter("rating_key"),
}


class SortedItems:
    """The sorted lists of all sections, created on first use."""

    def __init__(self, store: MediaStore) -> None:
        self._store = store
        self._kept: dict[tuple[int, str], tuple[int, list[Item]]] = {}

    def of(self, section: Section, sort: str) -> list[Item]:
        """Return the section's items in the order of ``sort`` (empty: by sort title).

        The caller must not change the list.
        """
        key = (section.key, sort)
        state = Changes.count
        kept = self._kept.get(key)
        if kept is None or kept[0] != state:
            kept = self._kept[key] = (state, _sorted(self._store.members(section), sort))
        return kept[1]


def _sorted(items: Iterable[Item], sort: str) -> list[Item]:
    """``items`` come oldest first, and stay so where the criteria do not tell them apart."""
    terms = [_term(term) for term in sort.split(",") if term.strip()] or [_term("titleSort")]
    items = list(items)
    for key, down, nulls_last in reversed(terms):
        empty = [item for item in items if key(item) is None]
        filled = [item for item in items if key(item) is not None] if empty else items
        filled = sorted(filled, key=key, reverse=down)  # type: ignore[arg-type]  # None was sorted out above
        items = filled + empty if down or nulls_last else empty + filled
    return items


def _term(term: str) -> tuple[Key, bool, bool]:
    name, *modifiers = term.strip().split(":")
    key = _KEYS.get(name.rpartition(".")[2])
    if key is None:
        raise StatusError(400, "unknown sort")
    return key, "desc" in modifiers, "nullsLast" in modifiers

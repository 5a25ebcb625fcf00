"""Items of Plex as plain data parsed from XML: their files, and all their metadata.

Not plexapi's objects, whose attributes may send requests by themselves (plex 3.6).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from plex.client import PlexClient

# Our kinds of tags, and their XML elements.
TAG_ELEMENTS = {"genre": "Genre", "actor": "Role", "director": "Director", "collection": "Collection", "label": "Label"}
SCALARS = ("title", "summary", "studio", "originallyAvailableAt", "tagline")
# proxyType of a version that Plex made for itself: it is in a folder of its own and proves nothing (plex 9).
_OPTIMIZED_VERSION = "42"


class Part(NamedTuple):
    """One file of an item, as Plex sees it; size in bytes, duration in seconds."""

    path: str
    size: int | None = None
    duration: float | None = None


@dataclass(frozen=True)
class FullItem:
    """An item with all its metadata.

    ``pictures``: the addresses of poster and background by place, "" for none; an address changes with its picture
    (plex 4.6). ``trashed``: all its files are missing.
    """

    rating_key: int
    section: int
    title: str
    parts: tuple[Part, ...]
    scalars: dict[str, str]
    tags: dict[str, list[str]]
    rating: float | None
    locked: frozenset[str]
    trashed: bool = False
    pictures: dict[str, str] = field(default_factory=dict)

    @property
    def is_garbled(self) -> bool:
        """Whether some names did not arrive intact: sending them back would create new tags."""
        return any("\ufffd" in name for names in self.tags.values() for name in names)


def item_parts(video: Element) -> list[Part]:
    """Return the files of an item, without optimized versions and missing files, unless all are missing."""
    return item_parts_and_trashed(video)[0]


def is_trashed(video: Element) -> bool:
    """Return whether all files of an item are missing: it is in Plex's trash (plex 9)."""
    return item_parts_and_trashed(video)[1]


def item_parts_and_trashed(video: Element) -> tuple[list[Part], bool]:
    """:func:`item_parts` and :func:`is_trashed` at once."""
    versions = video.findall("Media")
    present = [media for media in versions if media.get("deletedAt") is None]
    trashed = video.get("deletedAt") is not None or (bool(versions) and not present)
    return [
        Part(file, parse_int(part.get("size")), _parse_seconds(part.get("duration")))
        for media in (versions if trashed else present)
        if media.get("proxyType") != _OPTIMIZED_VERSION
        for part in media.findall("Part")
        if (file := part.get("file")) and (trashed or part.get("deletedAt") is None)
    ], trashed


def parse_item(video: Element, section: int) -> FullItem:
    """Parse an item's element. ``section`` is its library if the element does not name one."""
    rating = video.get("userRating")
    parts, trashed = item_parts_and_trashed(video)
    return FullItem(
        rating_key=parse_int(video.get("ratingKey")) or 0,
        section=parse_int(video.get("librarySectionID")) or section,
        title=video.get("title", ""),
        parts=tuple(parts),
        scalars={name: video.get(name, "") for name in SCALARS},
        tags={kind: [tag.get("tag", "") for tag in video.findall(name)] for kind, name in TAG_ELEMENTS.items()},
        rating=_parse_rating(rating),
        locked=frozenset(lock.get("name", "") for lock in video.findall("Field") if lock.get("locked") == "1"),
        trashed=trashed,
        pictures={place: video.get(place, "") for place in ("thumb", "art")},
    )


def read_items(client: PlexClient, rating_keys: Iterable[int]) -> dict[int, FullItem]:
    """Return items by rating key, without those that do not exist; one request for each hundred. Raise PlexError."""
    from plex.exceptions import PlexNotFound

    items: dict[int, FullItem] = {}
    for keys in _chunks(sorted(set(rating_keys)), 100):
        try:
            answer = client.get(f"/library/metadata/{','.join(map(str, keys))}")
        except PlexNotFound:  # none of them exists (plex 3.3)
            continue
        section = parse_int(answer.get("librarySectionID")) or 0
        for video in answer.iter("Video"):
            item = parse_item(video, section)
            if item.rating_key:
                items[item.rating_key] = item
    return items


def parse_int(text: str | None) -> int | None:
    """Return the whole number in an attribute, or None if there is none that SQLite could hold."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _parse_rating(text: str | None) -> float | None:
    try:
        rating = float(text or "nan")
    except ValueError:
        return None
    return rating if math.isfinite(rating) else None


def _parse_seconds(text: str | None) -> float | None:
    milliseconds = parse_int(text)
    return None if milliseconds is None else milliseconds / 1000


def _chunks(keys: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]

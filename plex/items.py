"""What Plex says of an item: the parts of a listing, and the full item. Plain data out of XML, no plexapi objects,
so that nothing is asked behind our back (plex 3.6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from plex.client import PlexClient

# Our tag kinds and the elements they come in.
TAGS = {"genre": "Genre", "actor": "Role", "director": "Director", "collection": "Collection", "label": "Label"}
SCALARS = ("title", "summary", "studio", "originallyAvailableAt", "tagline")
# A version that Plex made for itself lies in a folder of its own and proves nothing (plex 9).
_OPTIMIZED = "42"


class Part(NamedTuple):
    """One file of an item, as Plex sees it; size in bytes, duration in seconds."""

    path: str
    size: int | None = None
    duration: float | None = None


@dataclass(frozen=True)
class FullItem:
    """An item read in full. ``pictures``: the addresses of poster and background by place, "" where it shows none; an
    address changes with its picture (plex 4.6)."""

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
    def garbled(self) -> bool:
        """Whether names in it did not arrive as they are: to send them back would be to make new ones."""
        return any("\ufffd" in name for names in self.tags.values() for name in names)


def parts_of(video: Element) -> list[Part]:
    """The files of an item; optimized versions and those that Plex misses are left out, unless it misses all."""
    return parts_and_trash(video)[0]


def is_trashed(video: Element) -> bool:
    """Whether all of an item's files are gone from the disk: it lies in Plex's bin (plex 9)."""
    return parts_and_trash(video)[1]


def parts_and_trash(video: Element) -> tuple[list[Part], bool]:
    """:func:`parts_of` and :func:`is_trashed` in one go."""
    versions = video.findall("Media")
    there = [media for media in versions if media.get("deletedAt") is None]
    gone = video.get("deletedAt") is not None or (bool(versions) and not there)
    return [
        Part(file, number(part.get("size")), _seconds(part.get("duration")))
        for media in (versions if gone else there)
        if media.get("proxyType") != _OPTIMIZED
        for part in media.findall("Part")
        if (file := part.get("file")) and (gone or part.get("deletedAt") is None)
    ], gone


def full_item(video: Element, section: int) -> FullItem:
    """A full item's element as data. ``section`` is the container's, where the item does not name its own."""
    rating = video.get("userRating")
    parts, gone = parts_and_trash(video)
    return FullItem(
        rating_key=number(video.get("ratingKey")) or 0,
        section=number(video.get("librarySectionID")) or section,
        title=video.get("title", ""),
        parts=tuple(parts),
        scalars={name: video.get(name, "") for name in SCALARS},
        tags={kind: [tag.get("tag", "") for tag in video.findall(name)] for kind, name in TAGS.items()},
        rating=_rating(rating),
        locked=frozenset(lock.get("name", "") for lock in video.findall("Field") if lock.get("locked") == "1"),
        trashed=gone,
        pictures={place: video.get(place, "") for place in ("thumb", "art")},
    )


def read_full(client: PlexClient, rating_keys: Iterable[int]) -> dict[int, FullItem]:
    """Full items by rating key, a hundred in a request; those that are gone are missing. Raises PlexError."""
    from plex.exceptions import PlexNotFound

    items: dict[int, FullItem] = {}
    for some in _portions(sorted(set(rating_keys)), 100):
        try:
            answer = client.get(f"/library/metadata/{','.join(map(str, some))}")
        except PlexNotFound:  # none of them exists (plex 3.3)
            continue
        section = number(answer.get("librarySectionID")) or 0
        for video in answer.iter("Video"):
            item = full_item(video, section)
            if item.rating_key:
                items[item.rating_key] = item
    return items


def number(text: str | None) -> int | None:
    """A whole number out of an attribute, or None where there is none that SQLite could hold."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _rating(text: str | None) -> float | None:
    try:
        found = float(text or "nan")
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _seconds(text: str | None) -> float | None:
    milliseconds = number(text)
    return None if milliseconds is None else milliseconds / 1000


def _portions(keys: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]

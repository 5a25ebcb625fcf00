"""A library's listing, page by page, as raw XML: 6 to 16 times cheaper than plexapi's objects (plex 3.6, 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element

from plex.items import parse_int

if TYPE_CHECKING:
    from plex.client import PlexClient

PAGE_SIZE = 1000


class ListingPage(NamedTuple):
    """Some items as they stand in the answer; ``total`` is how many there are in all, None where nobody said."""

    videos: list[Element]
    total: int | None


def listing_pages(
    client: PlexClient, section: int, order: str = "", first: int = PAGE_SIZE, file: str | None = None
) -> Iterator[ListingPage]:
    """A library's items; ``first`` is the size of the first page, ``file`` a base name to look for (a coarse filter of
    unknown make: plex 3.4). Raises PlexError.

    The server may give fewer than asked for (plex 3.1): its own numbers count.
    """
    start, size = 0, first
    query = f"/library/sections/{section}/all?type=1"
    if order:
        query += f"&sort={order}"
    if file is not None:
        query += f"&file={quote(file, safe='')}"
    while True:
        answer = client.get(query, {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)})
        videos = answer.findall("Video")
        total = parse_int(answer.get("totalSize"))
        if videos or start == 0:
            yield ListingPage(videos, total)
        start += parse_int(answer.get("size")) or len(videos)
        if not videos or (start >= total if total is not None else len(videos) < size):
            return
        size = PAGE_SIZE


def has_metadata(video: Element) -> bool:
    """Whether a listed item has any of studio, actors, genres, summary, date."""
    return bool(
        video.get("studio")
        or video.get("summary")
        or video.get("originallyAvailableAt")
        or video.find("Role") is not None
        or video.find("Genre") is not None
    )

"""The listing of a library, page by page, as XML: 6 to 16 times cheaper than plexapi's objects (plex 3.6, 3.7)."""

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
    """Some items of a library; ``total`` is the number of all, None if Plex did not say."""

    videos: list[Element]
    total: int | None


def listing_pages(
    client: PlexClient, section: int, order: str = "", first: int = PAGE_SIZE, file: str | None = None
) -> Iterator[ListingPage]:
    """Yield the items of a library. Raise PlexError.

    ``first`` is the size of the first page. ``file`` is a base name to filter by, but roughly (plex 3.4). The server
    may send fewer items than requested (plex 3.1), so its own numbers count.
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
    """Return whether a listed item has any of studio, actors, genres, summary, date."""
    return bool(
        video.get("studio")
        or video.get("summary")
        or video.get("originallyAvailableAt")
        or video.find("Role") is not None
        or video.find("Genre") is not None
    )

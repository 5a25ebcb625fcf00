"""The containers of answers, and sections as they are listed (plex 2, 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.plex.identity import MEDIA_TAGS
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.model import Section
from sandbox.plex.routing import RouteContext, whole_number

LIBRARY = "com.plexapp.plugins.library"
_MOVIE_ART = "/:/resources/movie-fanart.jpg"
_MOVIE_THUMB = "/:/resources/movie.png"


@dataclass
class Page:
    """The requested part of a listing. ``asked`` False: no paging was requested, so everything is sent at once."""

    start: int
    size: int
    asked: bool

    @staticmethod
    def of(context: RouteContext, cap: int) -> Page:
        """Read the page from header or query; ``cap`` limits the items per answer (0: no limit)."""
        start, size = context.plex("X-Plex-Container-Start"), context.plex("X-Plex-Container-Size")
        asked = start is not None or size is not None
        most = max(whole_number(size or ""), 0) if size is not None else 1 << 60
        return Page(max(whole_number(start or "0"), 0), min(most, cap) if cap else most, asked)

    def cut(self, count: int) -> slice:
        """Return the page's range in a list of ``count``."""
        return slice(self.start, min(self.start + self.size, count))

    def headers(self, total: int) -> list[tuple[str, str]]:
        """Return the paging headers of a listing's answer."""
        if not self.asked:
            return []
        return [("X-Plex-Container-Start", str(self.start)), ("X-Plex-Container-Total-Size", str(total))]


def listing_attributes(
    section: Section, title: str, page: Page, shown: int, total: int, view: str = "movie"
) -> dict[str, Scalar]:
    """Return the attributes of a listing's container."""
    return {
        "size": shown,
        "totalSize": total if page.asked else None,
        "offset": page.start if page.asked else None,
        "allowSync": True,
        "art": _MOVIE_ART,
        "identifier": LIBRARY,
        "librarySectionID": section.key,
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
        **MEDIA_TAGS,
        "thumb": _MOVIE_THUMB,
        "title1": section.title,
        "title2": title,
        "viewGroup": view,
        "viewMode": 65592,
    }


def items_attributes(section: Section | None, shown: int) -> dict[str, Scalar]:
    """Return the attributes of a container of whole items; ``section`` if all belong to one."""
    home: dict[str, Scalar] = {}
    if section is not None:
        home = {
            "librarySectionID": section.key,
            "librarySectionTitle": section.title,
            "librarySectionUUID": section.uuid,
        }
    return {"size": shown, "allowSync": True, "identifier": LIBRARY, **home, **MEDIA_TAGS}


def library() -> Node:
    """Return the answer to ``/library``."""
    names = {"sections": "Library Sections", "recentlyAdded": "Recently Added Content", "onDeck": "On Deck Content"}
    children: list[Node | str] = [Node("Directory", {"key": key, "title": title}) for key, title in names.items()]
    attributes: dict[str, Scalar] = {
        "size": len(children),
        "allowSync": False,
        "art": "/:/resources/library-art.png",
        "content": "",
        "identifier": LIBRARY,
        **MEDIA_TAGS,
        "title1": "Plex Library",
        "title2": "",
    }
    return Node("MediaContainer", attributes, children)


def directory(section: Section) -> Node:
    """Return a section as ``/library/sections`` shows it."""
    attributes: dict[str, Scalar] = {
        "allowSync": True,
        "art": _MOVIE_ART,
        "composite": f"/library/sections/{section.key}/composite/{section.updated_at}",
        "filters": True,
        "refreshing": section.refreshing,
        "thumb": _MOVIE_THUMB,
        "key": str(section.key),
        "type": section.type,
        "title": section.title,
        "agent": section.agent,
        "scanner": section.scanner,
        "language": section.language,
        "uuid": section.uuid,
        "metadataAgentProviderGroupId": "1",
        "updatedAt": section.updated_at,
        "createdAt": section.created_at,
        "scannedAt": section.scanned_at,
        "content": True,
        "directory": True,
        "contentChangedAt": section.content_changed_at,
        "hidden": section.hidden,
    }
    first = section.key * 100
    locations: list[Node | str] = [
        Node("Location", {"id": first + place, "path": path}) for place, path in enumerate(section.locations)
    ]
    return Node("Directory", attributes, locations)

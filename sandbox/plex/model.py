"""The objects of a Plex library: sections, items, collections, their media and tags.

Everything is live: a test may set any attribute or append to any list, and the next answer shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.plex.paths import extension
from sandbox.plex.pictures import PictureSlot

MOVIE, COLLECTION = 1, 18

TAG_ELEMENTS = {
    "genre": "Genre",
    "country": "Country",
    "director": "Director",
    "writer": "Writer",
    "actor": "Role",
    "producer": "Producer",
    "collection": "Collection",
    "label": "Label",
    "mood": "Mood",
    "style": "Style",
    "similar": "Similar",
}
"""Tag kind (the name edits, filters and locks use) to the element that shows it."""

_ARTICLES = ("the ", "a ", "an ")


class Changes:
    """Counts assignments to live objects, so that derived values know when they are stale."""

    count = 0
    moves = 0


class Tag(NamedTuple):
    """One tag of an item. ``role`` and ``thumb`` (a URL) apply only to actors."""

    tag: str
    role: str | None = None
    thumb: str | None = None


@dataclass
class Part:
    """One file.

    ``duration`` in milliseconds, ``size`` in bytes (None: not reported), ``deleted_at`` in epoch seconds after it
    vanished.
    """

    id: int
    file: str
    size: int | None
    duration: int
    deleted_at: int | None = None
    stamp: int = 0

    def __setattr__(self, name: str, value: object) -> None:
        if name == "file":
            Changes.moves += 1
        object.__setattr__(self, name, value)


@dataclass
class Media:
    """One version of an item: its parts are stacked files. ``proxy_type`` 42 marks an optimized version (plex 9)."""

    id: int
    parts: list[Part]
    proxy_type: int | None = None
    bitrate: int = 3250
    width: int = 1920
    height: int = 1080

    @property
    def duration(self) -> int:
        """Milliseconds, all parts together."""
        return sum(part.duration for part in self.parts)

    @property
    def container(self) -> str:
        return extension(self.parts[0].file) if self.parts else "mp4"


@dataclass(eq=False)
class Section:
    """A library. ``locations`` are folders as the server sees them; times are epoch seconds."""

    key: int
    title: str
    uuid: str
    locations: list[str]
    type: str = "movie"
    agent: str = "tv.plex.agents.none"
    scanner: str = "Plex Video Files"
    language: str = "xn"
    created_at: int = 0
    updated_at: int = 0
    scanned_at: int = 0
    content_changed_at: int = 1
    refreshing: bool = False
    hidden: int = 0


@dataclass(eq=False, slots=True)
class Entry:
    """The common parts of items and collections: scalars, tags, locks, pictures. Times are epoch seconds."""

    rating_key: int
    section: Section
    guid: str
    title: str
    added_at: int
    updated_at: int
    title_sort: str = ""
    summary: str = ""
    studio: str | None = None
    tagline: str | None = None
    original_title: str | None = None
    content_rating: str | None = None
    edition_title: str | None = None
    originally_available_at: str | None = None
    year: int | None = None
    user_rating: float | None = None
    rating: float | None = None
    audience_rating: float | None = None
    last_rated_at: int | None = None
    deleted_at: int | None = None
    locks: set[str] = field(default_factory=set)
    tag_lists: dict[str, list[Tag]] = field(default_factory=dict)
    images: dict[str, PictureSlot] = field(default_factory=dict)

    def __setattr__(self, name: str, value: object) -> None:
        # caching an answer's text is not a change, and must not cause every listing to be sorted again
        if name != "rendered":
            Changes.count += 1
        object.__setattr__(self, name, value)

    @property
    def sorted_as(self) -> str:
        """The sort title: ``title_sort``, or if empty the title without its article."""
        return self.title_sort or sort_title(self.title)

    def tag_list(self, kind: str) -> list[Tag]:
        """Return the live list of tags of one kind (``genre``, ``actor``, ...)."""
        return self.tag_lists.setdefault(kind, [])

    def tags(self, kind: str) -> list[str]:
        """Return the names of the tags of one kind, in order."""
        return [tag.tag for tag in self.tag_lists.get(kind, ())]

    @property
    def genres(self) -> list[Tag]:
        return self.tag_list("genre")

    @property
    def roles(self) -> list[Tag]:
        """The actors, each with role text and picture URL."""
        return self.tag_list("actor")

    @property
    def directors(self) -> list[Tag]:
        return self.tag_list("director")

    @property
    def writers(self) -> list[Tag]:
        return self.tag_list("writer")

    @property
    def producers(self) -> list[Tag]:
        return self.tag_list("producer")

    @property
    def countries(self) -> list[Tag]:
        return self.tag_list("country")

    @property
    def collections(self) -> list[Tag]:
        return self.tag_list("collection")

    @property
    def labels(self) -> list[Tag]:
        return self.tag_list("label")


@dataclass(eq=False, slots=True)
class Item(Entry):
    """A video.

    ``agent`` holds what the metadata agent would deliver beyond title and picture (plex 4.3), by the names of the edit
    parameters. ``born`` is when the server first saw the item, ``analyzed`` whether it has a frame.
    """

    born: int = 0
    slug: str | None = None
    view_count: int = 0
    last_viewed_at: int | None = None
    view_offset: int = 0
    media: list[Media] = field(default_factory=list)
    guids: list[str] = field(default_factory=list)
    agent: dict[str, object] = field(default_factory=dict)
    analyzed: bool = True
    rendered: tuple[object, str] | None = field(default=None, repr=False)

    def parts(self) -> Iterator[Part]:
        """Return all files of all versions."""
        for media in self.media:
            yield from media.parts

    @property
    def duration(self) -> int | None:
        """Milliseconds of the first version, None without media."""
        return self.media[0].duration if self.media else None


@dataclass(eq=False, slots=True)
class Collection(Entry):
    """A collection object. ``index`` is the id of the tag that defines its members (plex 6)."""

    index: int = 0
    mode: int = -1
    order: int = 0


def sort_title(title: str) -> str:
    """Return the sort title: the title without its leading article, unless nothing else is left."""
    lowered = title.lower()
    for article in _ARTICLES:
        if lowered.startswith(article) and len(title) > len(article):
            return title[len(article) :]
    return title

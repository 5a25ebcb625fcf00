"""The filters and sort orders of a section, as ``includeMeta=1`` lists them (plex 3.5)."""

from __future__ import annotations

from sandbox.plex.markup import Node
from sandbox.plex.model import COLLECTION, MOVIE, Section

_FILTERS = (
    ("genre", "string"), ("year", "integer"), ("decade", "integer"), ("contentRating", "string"),
    ("collection", "string"), ("director", "string"), ("actor", "string"), ("writer", "string"),
    ("producer", "string"), ("country", "string"), ("studio", "string"), ("resolution", "string"),
    ("label", "string"), ("unwatched", "boolean"), ("inProgress", "boolean"), ("duplicate", "boolean"),
    ("unmatched", "boolean"), ("trash", "boolean"),
)  # fmt: skip
_SORTS = (
    ("titleSort", "asc", "Title"), ("year", "desc", "Year"), ("originallyAvailableAt", "desc", "Release Date"),
    ("rating", "desc", "Critic Rating"), ("audienceRating", "desc", "Audience Rating"),
    ("userRating", "desc", "Rating"), ("contentRating", "asc", "Content Rating"), ("duration", "desc", "Duration"),
    ("viewOffset", "desc", "Progress"), ("viewCount", "desc", "Plays"), ("addedAt", "desc", "Date Added"),
    ("lastViewedAt", "desc", "Date Viewed"),
)  # fmt: skip
_FIELDS = (
    ("title", "string"), ("studio", "string"), ("userRating", "integer"), ("contentRating", "tag"),
    ("year", "integer"), ("decade", "integer"), ("originallyAvailableAt", "date"), ("duration", "integer"),
    ("unmatched", "boolean"), ("duplicate", "boolean"), ("genre", "tag"), ("collection", "tag"),
    ("director", "tag"), ("writer", "tag"), ("producer", "tag"), ("actor", "tag"), ("country", "tag"),
    ("addedAt", "date"), ("viewCount", "integer"), ("lastViewedAt", "date"), ("unwatched", "boolean"),
    ("inProgress", "boolean"), ("resolution", "resolution"), ("trash", "boolean"), ("label", "tag"),
)  # fmt: skip
_COLLECTION_FIELDS = (("title", "string"), ("userRating", "integer"), ("contentRating", "tag"))
_OPERATORS = {
    "tag": {"=": "is", "!=": "is not"},
    "integer": {"=": "is", "!=": "is not", ">>=": "is greater than", "<<=": "is less than"},
    "string": {
        "=": "contains", "!=": "does not contain", "==": "is", "!==": "is not", "<=": "begins with", ">=": "ends with",
    },
    "boolean": {"=": "is true", "!=": "is false"},
    "date": {"<<=": "is before", ">>=": "is after"},
    "resolution": {"=": "is", "!=": "is not"},
}  # fmt: skip


def filter_metadata_node(section: Section, kind: int = MOVIE) -> Node:
    """Return the filter metadata for the section's items, or for its collections."""
    types: list[Node | str] = [_collections(section)] if kind == COLLECTION else [_movies(section)]
    for name, operators in _OPERATORS.items():
        rows: list[Node | str] = [Node("Operator", {"key": key, "title": title}) for key, title in operators.items()]
        types.append(Node("FieldType", {"type": name}, rows))
    return Node("Meta", {}, types)


def _movies(section: Section) -> Node:
    base = f"/library/sections/{section.key}"
    children: list[Node | str] = []
    for name, kind in _FILTERS:
        attributes = {"filter": name, "filterType": kind, "key": f"{base}/{name}", "title": name, "type": "filter"}
        children.append(Node("Filter", attributes))
    for name, direction, title in _SORTS:
        active = name == "titleSort"
        attributes = {"default": "asc"} if active else {}
        attributes |= {"defaultDirection": direction, "descKey": f"{name}:desc", "key": name, "title": title}
        children.append(Node("Sort", attributes))
    for name, kind in _FIELDS:
        children.append(Node("Field", {"key": name, "title": name, "type": kind}))
    attributes = {"key": f"{base}/all?type={MOVIE}", "type": "movie", "title": section.title}
    return Node("Type", {**attributes, "active": True}, children)


def _collections(section: Section) -> Node:
    key = f"/library/sections/{section.key}/all?type={COLLECTION}"
    children: list[Node | str] = [
        Node("Sort", {"default": "asc", "defaultDirection": "asc", "descKey": "titleSort:desc", "key": "titleSort",
                      "title": "Title"}),
    ]  # fmt: skip
    children += [
        Node("Field", {"key": f"collection.{name}", "title": name, "type": kind}) for name, kind in _COLLECTION_FIELDS
    ]
    return Node("Type", {"key": key, "type": "collection", "title": "Collections", "active": True}, children)

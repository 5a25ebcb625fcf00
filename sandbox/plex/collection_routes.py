"""Collections as objects: making, filling, emptying, deleting. Membership stays a tag of the items (plex 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.http import Response
from sandbox.plex.answers import StatusError, empty, shown
from sandbox.plex.containers import Page, listing
from sandbox.plex.markup import Node
from sandbox.plex.model import Collection, Item, Section, Tag
from sandbox.plex.routing import Ask, Route, number
from sandbox.plex.shapes import collection, listed

_MEMBERS = re.compile(r"server://[^/]+/com\.plexapp\.plugins\.library/library/metadata/([\d,]+)")


def create(ask: Ask) -> Response:
    """``POST /library/collections``: with ``title``, ``sectionId`` and a ``uri`` naming its first items."""
    catalog = ask.server.catalog
    section = catalog.sections.get(number(ask.get("sectionId")))
    title = ask.get("title")
    if section is None or not title or ask.get("smart") == "1":
        raise StatusError(400)
    with catalog.lock:
        items = _named(ask, section)
        if not items:
            raise StatusError(400)
        _join(ask, items, title)
        found = catalog.collecting.named(section, title)
        if found is None:
            raise StatusError(500)
        node = collection(catalog, found, _members(ask, found), full=True)
        return shown(ask.request, Node("MediaContainer", listing(section, "", Page(0, 1, False), 1, 1), [node]))


def show(ask: Ask) -> Response:
    """``GET /library/collections/{id}``."""
    found = _collection(ask)
    with ask.server.catalog.lock:
        node = collection(ask.server.catalog, found, _members(ask, found), full=True)
        return shown(ask.request, Node("MediaContainer", listing(found.section, "", Page(0, 1, False), 1, 1), [node]))


def children(ask: Ask) -> Response:
    """``GET /library/collections/{id}/children``: its items, as a listing."""
    found = _collection(ask)
    with ask.server.catalog.lock:
        members = _members(ask, found)
        page = Page.of(ask, ask.server.readings.page_cap)
        picked = members[page.cut(len(members))]
        nodes: list[Node | str] = [listed(ask.server.catalog, item, False) for item in picked]
        attributes = listing(found.section, found.title, page, len(picked), len(members))
        return shown(ask.request, Node("MediaContainer", attributes, nodes), page.headers(len(members)))


def add(ask: Ask) -> Response:
    """``PUT /library/collections/{id}/items?uri=``."""
    found = _collection(ask)
    with ask.server.catalog.lock:
        items = _named(ask, found.section)
        _join(ask, items, found.title)
    ask.server.written(items)
    return empty()


def take_out(ask: Ask) -> Response:
    """``DELETE /library/collections/{id}/items/{item}``: one at a time."""
    found = _collection(ask)
    item = ask.server.catalog.items.get(number(ask.wild["item"]))
    if item is None:
        raise StatusError(404)
    _leave(ask, [item], found.title)
    ask.server.written([item])
    return empty()


def delete(ask: Ask) -> Response:
    """``DELETE /library/collections/{id}``: the tag leaves all its items."""
    found = _collection(ask)
    with ask.server.catalog.lock:
        items = _members(ask, found)
        _leave(ask, items, found.title)
    ask.server.written(items)
    return empty()


def prefs(ask: Ask) -> Response:
    """``PUT /library/collections/{id}/prefs``: how it is shown and sorted."""
    found = _collection(ask)
    found.mode = number(ask.get("collectionMode", str(found.mode)))
    found.order = number(ask.get("collectionSort", str(found.order)))
    return empty()


def _collection(ask: Ask) -> Collection:
    found = ask.entry()
    if not isinstance(found, Collection):
        raise StatusError(404)
    return found


def _members(ask: Ask, found: Collection) -> list[Item]:
    title = found.title.casefold()
    items = ask.server.catalog.members(found.section)
    return [item for item in items if any(name.casefold() == title for name in item.tags("collection"))]


def _named(ask: Ask, section: Section) -> list[Item]:
    found = _MEMBERS.search(ask.get("uri"))
    if found is None:
        raise StatusError(400)
    members = ask.server.catalog.by_section[section.key]
    return [members[number(key)] for key in found[1].split(",") if number(key) in members]


def _join(ask: Ask, items: Iterable[Item], title: str) -> None:
    for item in items:
        ask.server.catalog.set_tags(item, "collection", [*item.collections, Tag(title)])
        item.locks.add("collection")
        ask.server.catalog.touch(item)


def _leave(ask: Ask, items: Iterable[Item], title: str) -> None:
    wanted = title.casefold()
    with ask.server.catalog.lock:
        for item in items:
            kept = [tag for tag in item.collections if tag.tag.casefold() != wanted]
            ask.server.catalog.set_tags(item, "collection", kept)
            item.locks.add("collection")
            ask.server.catalog.touch(item)


ROUTES = [
    Route("POST", "/library/collections", create),
    Route("GET", "/library/collections/{id}", show),
    Route("DELETE", "/library/collections/{id}", delete),
    Route("GET", "/library/collections/{id}/children", children),
    Route("GET", "/library/metadata/{id}/children", children),
    Route("PUT", "/library/collections/{id}/items", add),
    Route("DELETE", "/library/collections/{id}/items/{item}", take_out),
    Route("PUT", "/library/collections/{id}/prefs", prefs),
]

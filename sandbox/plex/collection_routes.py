"""Collections as objects: create, fill, empty, delete. The membership stays a tag of the items (plex 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.http import Response
from sandbox.plex.containers import Page, listing_attributes
from sandbox.plex.item_elements import collection_element, listing_element
from sandbox.plex.markup import Node
from sandbox.plex.model import Collection, Item, Section, Tag
from sandbox.plex.responses import StatusError, empty_response, rendered
from sandbox.plex.routing import Route, RouteContext, whole_number

_MEMBERS = re.compile(r"server://[^/]+/com\.plexapp\.plugins\.library/library/metadata/([\d,]+)")


def create(context: RouteContext) -> Response:
    """``POST /library/collections``: with ``title``, ``sectionId`` and a ``uri`` naming its first items."""
    store = context.server.store
    section = store.sections.get(whole_number(context.get("sectionId")))
    title = context.get("title")
    if section is None or not title or context.get("smart") == "1":
        raise StatusError(400)
    with store.lock:
        items = _named(context, section)
        if not items:
            raise StatusError(400)
        _join(context, items, title)
        found = store.collection_objects.named(section, title)
        if found is None:
            raise StatusError(500)
        node = collection_element(store, found, _members(context, found), full=True)
        return rendered(
            context.request, Node("MediaContainer", listing_attributes(section, "", Page(0, 1, False), 1, 1), [node])
        )


def show(context: RouteContext) -> Response:
    """``GET /library/collections/{id}``."""
    found = _collection(context)
    with context.server.store.lock:
        node = collection_element(context.server.store, found, _members(context, found), full=True)
        return rendered(
            context.request,
            Node("MediaContainer", listing_attributes(found.section, "", Page(0, 1, False), 1, 1), [node]),
        )


def children(context: RouteContext) -> Response:
    """``GET /library/collections/{id}/children``: its items, as a listing."""
    found = _collection(context)
    with context.server.store.lock:
        members = _members(context, found)
        page = Page.of(context, context.server.assumptions.page_cap)
        picked = members[page.cut(len(members))]
        nodes: list[Node | str] = [listing_element(context.server.store, item, False) for item in picked]
        attributes = listing_attributes(found.section, found.title, page, len(picked), len(members))
        return rendered(context.request, Node("MediaContainer", attributes, nodes), page.headers(len(members)))


def add(context: RouteContext) -> Response:
    """``PUT /library/collections/{id}/items?uri=``."""
    found = _collection(context)
    with context.server.store.lock:
        items = _named(context, found.section)
        _join(context, items, found.title)
    context.server.written(items)
    return empty_response()


def take_out(context: RouteContext) -> Response:
    """``DELETE /library/collections/{id}/items/{item}``: one at a time."""
    found = _collection(context)
    item = context.server.store.items.get(whole_number(context.wild["item"]))
    if item is None:
        raise StatusError(404)
    _leave(context, [item], found.title)
    context.server.written([item])
    return empty_response()


def delete(context: RouteContext) -> Response:
    """``DELETE /library/collections/{id}``: the tag leaves all its items."""
    found = _collection(context)
    with context.server.store.lock:
        items = _members(context, found)
        _leave(context, items, found.title)
    context.server.written(items)
    return empty_response()


def prefs(context: RouteContext) -> Response:
    """``PUT /library/collections/{id}/prefs``: how it is shown and sorted."""
    found = _collection(context)
    found.mode = whole_number(context.get("collectionMode", str(found.mode)))
    found.order = whole_number(context.get("collectionSort", str(found.order)))
    return empty_response()


def _collection(context: RouteContext) -> Collection:
    found = context.entry()
    if not isinstance(found, Collection):
        raise StatusError(404)
    return found


def _members(context: RouteContext, found: Collection) -> list[Item]:
    title = found.title.casefold()
    items = context.server.store.members(found.section)
    return [item for item in items if any(name.casefold() == title for name in item.tags("collection"))]


def _named(context: RouteContext, section: Section) -> list[Item]:
    found = _MEMBERS.search(context.get("uri"))
    if found is None:
        raise StatusError(400)
    members = context.server.store.by_section[section.key]
    return [members[whole_number(key)] for key in found[1].split(",") if whole_number(key) in members]


def _join(context: RouteContext, items: Iterable[Item], title: str) -> None:
    for item in items:
        context.server.store.set_tags(item, "collection", [*item.collections, Tag(title)])
        item.locks.add("collection")
        context.server.store.touch(item)


def _leave(context: RouteContext, items: Iterable[Item], title: str) -> None:
    wanted = title.casefold()
    with context.server.store.lock:
        for item in items:
            kept = [tag for tag in item.collections if tag.tag.casefold() != wanted]
            context.server.store.set_tags(item, "collection", kept)
            item.locks.add("collection")
            context.server.store.touch(item)


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

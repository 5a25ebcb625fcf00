"""Listings of a section: items, collections, and the values of filters (plex 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from sandbox.http import Response
from sandbox.plex.containers import Page, listing_attributes
from sandbox.plex.filter_metadata import filter_metadata_node
from sandbox.plex.filters import matching_items
from sandbox.plex.item_elements import collection_element, listing_element, listing_xml
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.model import COLLECTION, MOVIE, TAG_ELEMENTS, Item, Section
from sandbox.plex.paths import split
from sandbox.plex.responses import StatusError, rendered, wants_json
from sandbox.plex.routing import Route, RouteContext, whole_number

_TITLES = {"actor": "Actors", "studio": "Studios", "year": "Years", "genre": "Genres"}


def select(context: RouteContext, section: Section) -> list[Item]:
    """Return the items that pass a request's filters, in the requested order."""
    server = context.server
    by_id = [value for name, value in context.query if name == "id"]
    if by_id:
        members = server.store.by_section[section.key]
        keys = [whole_number(piece) for piece in by_id[-1].split(",")]
        items: Iterable[Item] = [members[key] for key in dict.fromkeys(keys) if key in members]
    elif any(name == "file" for name, _ in context.query):
        items = _with_file(context, section, context.get("file"))
    else:
        items = server.orders.of(section, context.get("sort"))
    rest = [(name, value) for name, value in context.query if name != "id"]
    return matching_items(
        server.store, items, rest, lambda name: server.request_log.warn(f"unknown filter ignored: {name}")
    )


def all_items(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/all``."""
    section = context.section()
    kinds = context.get("type")
    if not kinds and any(name == "file" for name, _ in context.query):
        raise StatusError(500)
    if kinds == str(COLLECTION):
        return collections(context)
    with context.server.store.lock:
        found = select(context, section) if whole_number(kinds or str(MOVIE)) == MOVIE else []
        limit = context.get("limit")
        if limit:
            found = found[: max(whole_number(limit), 0)]
        page = Page.of(context, context.server.assumptions.page_cap)
        picked = found[page.cut(len(found))]
        extra = _collection_nodes(context, section) if context.get("includeCollections") == "1" else []
        total = len(found) + len(extra)
        if page.start + page.size < total:
            extra = []
        guids = context.get("includeGuids") == "1"
        store = context.server.store
        children: list[Node | str] = [filter_metadata_node(section)] if context.get("includeMeta") == "1" else []
        if wants_json(context.request):
            children += [listing_element(store, item, guids) for item in picked]
        else:
            children += [listing_xml(store, item, guids) for item in picked]
        children += extra
        count = len(picked) + len(extra)
        root = Node("MediaContainer", listing_attributes(section, f"All {section.title}", page, count, total), children)
        answer = rendered(context.request, root, page.headers(total))
    context.server.faults.delay_listing(count)
    return answer


def collections(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/collections`` and ``.../all?type=18``."""
    section = context.section()
    with context.server.store.lock:
        nodes = _collection_nodes(context, section)
        page = Page.of(context, context.server.assumptions.page_cap)
        picked = nodes[page.cut(len(nodes))]
        children: list[Node | str] = (
            [filter_metadata_node(section, COLLECTION)] if context.get("includeMeta") == "1" else []
        )
        attributes = listing_attributes(section, "Collections", page, len(picked), len(nodes), view="secondary")
        return rendered(
            context.request, Node("MediaContainer", attributes, children + picked), page.headers(len(nodes))
        )


def values(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/{field}``: what can be chosen for a filter, e.g. every genre in use."""
    section = context.section()
    field = context.wild["field"]
    store = context.server.store
    with store.lock:
        items = list(store.members(section))
        if field in TAG_ELEMENTS:
            names = {name for item in items for name in item.tags(field)}
            pairs = [(str(store.tag_table.id_of(field, name)), name) for name in names]
        elif field in _PLAIN:
            pairs = [(quote(text, safe=""), text) for text in {_PLAIN[field](item) for item in items} if text]
        else:
            raise StatusError(404)
    pairs.sort(key=lambda pair: pair[1].casefold())
    base = f"/library/sections/{section.key}/all?{field}="
    children: list[Node | str] = [
        Node("Directory", {"fastKey": base + key, "key": key, "title": title, "type": field}) for key, title in pairs
    ]
    title = _TITLES.get(field, field.capitalize())
    attributes = listing_attributes(section, title, Page(0, len(pairs), False), len(pairs), 0, view="secondary")
    return rendered(context.request, Node("MediaContainer", attributes, children))


_PLAIN: dict[str, Callable[[Item], str]] = {
    "studio": lambda item: item.studio or "",
    "year": lambda item: str(item.year or ""),
    "decade": lambda item: str(item.year // 10 * 10) if item.year else "",
    "contentRating": lambda item: item.content_rating or "",
    "resolution": lambda item: str(item.media[0].height) if item.media else "",
}


def folder(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/folder``: sub-folders as directories, files as videos (plex 3.4)."""
    section = context.section()
    store = context.server.store
    with store.lock:
        tree = _folders(store.members(section), section)
        parent = whole_number(context.get("parent", "0"))
        if not 0 <= parent < len(tree):
            raise StatusError(404)
        here = list(tree)[parent]
        children: list[Node | str] = []
        for place, path in enumerate(tree):
            if split(path)[0] == here and path != here:
                key = f"/library/sections/{section.key}/folder?parent={place}"
                children.append(Node("Directory", {"key": key, "title": split(path)[1]}))
        children += [listing_element(store, item, False) for item in tree[here]]
    page = Page(0, len(children), False)
    return rendered(
        context.request,
        Node("MediaContainer", listing_attributes(section, "By Folder", page, len(children), 0), children),
    )


def first_character(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/firstCharacter``."""
    section = context.section()
    counts: dict[str, int] = {}
    with context.server.store.lock:
        for item in context.server.orders.of(section, ""):
            first = item.sorted_as[:1].upper()
            counts[first if first.isalpha() else "#"] = counts.get(first if first.isalpha() else "#", 0) + 1
    children: list[Node | str] = [
        Node("Directory", {"size": size, "key": quote(first), "title": first}) for first, size in counts.items()
    ]
    page = Page(0, len(children), False)
    return rendered(
        context.request, Node("MediaContainer", listing_attributes(section, "", page, len(children), 0), children)
    )


def timeline(context: RouteContext) -> Response:
    """``GET /library/sections/{k}/timeline``: a cheap probe for changes."""
    section = context.section()
    with context.server.store.lock:
        latest = max((item.updated_at for item in context.server.store.members(section)), default=section.created_at)
        attributes: dict[str, Scalar] = {
            **listing_attributes(section, "", Page(0, 0, False), 0, 0, "secondary"),
            "content": "secondary",
            "latestEntryTime": latest,
            "updateQueueSize": sum(job.section is section for job in context.server.scanner.jobs),
        }
    return rendered(context.request, Node("LibraryTimeline", attributes))


def _with_file(context: RouteContext, section: Section, wanted: str) -> list[Item]:
    """Apply ``file=`` in one of two meanings (plex 3.4): by base name, or everything in the file's folder."""
    files = context.server.store.files
    directory, name = split(wanted)
    if context.server.assumptions.file_lookup == "folder":
        folders = [directory] if directory else files.folders_with(name)
        found = [item for path in folders for item in files.items_in(path)]
    else:
        found = files.items_named(name)
    return [item for item in dict.fromkeys(found) if item.section is section]


def _collection_nodes(context: RouteContext, section: Section) -> list[Node | str]:
    store = context.server.store
    pairs = store.collection_objects.all(section, store.members(section))
    return [collection_element(store, found, members, full=False) for found, members in pairs]


def _folders(items: Iterable[Item], section: Section) -> dict[str, list[Item]]:
    tree: dict[str, list[Item]] = {location: [] for location in section.locations}
    for item in items:
        for part in item.parts():
            path = split(part.file)[0]
            tree.setdefault(path, []).append(item)
            while path and path not in section.locations:
                path = split(path)[0]
                tree.setdefault(path, [])
    return tree


ROUTES = [
    Route("GET", "/library/sections/{k}/all", all_items),
    Route("GET", "/library/sections/{k}/collections", collections),
    Route("GET", "/library/sections/{k}/folder", folder),
    Route("GET", "/library/sections/{k}/firstCharacter", first_character),
    Route("GET", "/library/sections/{k}/timeline", timeline),
    Route("GET", "/library/sections/{k}/{field}", values),
]

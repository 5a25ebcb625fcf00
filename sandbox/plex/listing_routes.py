"""Listings of a section: items, collections, and the values one can filter by (plex 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from sandbox.http import Response
from sandbox.plex.answers import StatusError, shown, wants_json
from sandbox.plex.containers import Page, listing
from sandbox.plex.filters import chosen
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.meta import meta
from sandbox.plex.model import COLLECTION, MOVIE, TAG_ELEMENTS, Item, Section
from sandbox.plex.paths import split
from sandbox.plex.routing import Ask, Route, number
from sandbox.plex.shapes import collection, listed, listed_xml

_TITLES = {"actor": "Actors", "studio": "Studios", "year": "Years", "genre": "Genres"}


def select(ask: Ask, section: Section) -> list[Item]:
    """The items a request's filters choose, in the order it asks for."""
    server = ask.server
    by_id = [value for name, value in ask.query if name == "id"]
    if by_id:
        members = server.catalog.by_section[section.key]
        keys = [number(piece) for piece in by_id[-1].split(",")]
        items: Iterable[Item] = [members[key] for key in dict.fromkeys(keys) if key in members]
    elif any(name == "file" for name, _ in ask.query):
        items = _with_file(ask, section, ask.get("file"))
    else:
        items = server.orders.of(section, ask.get("sort"))
    rest = [(name, value) for name, value in ask.query if name != "id"]
    return chosen(server.catalog, items, rest, lambda name: server.records.warn(f"unknown filter ignored: {name}"))


def all_items(ask: Ask) -> Response:
    """``GET /library/sections/{k}/all``."""
    section = ask.section()
    kinds = ask.get("type")
    if not kinds and any(name == "file" for name, _ in ask.query):
        raise StatusError(500)
    if kinds == str(COLLECTION):
        return collections(ask)
    with ask.server.catalog.lock:
        found = select(ask, section) if number(kinds or str(MOVIE)) == MOVIE else []
        limit = ask.get("limit")
        if limit:
            found = found[: max(number(limit), 0)]
        page = Page.of(ask, ask.server.readings.page_cap)
        picked = found[page.cut(len(found))]
        extra = _collection_nodes(ask, section) if ask.get("includeCollections") == "1" else []
        total = len(found) + len(extra)
        if page.start + page.size < total:
            extra = []
        guids = ask.get("includeGuids") == "1"
        catalog = ask.server.catalog
        children: list[Node | str] = [meta(section)] if ask.get("includeMeta") == "1" else []
        if wants_json(ask.request):
            children += [listed(catalog, item, guids) for item in picked]
        else:
            children += [listed_xml(catalog, item, guids) for item in picked]
        children += extra
        count = len(picked) + len(extra)
        root = Node("MediaContainer", listing(section, f"All {section.title}", page, count, total), children)
        answer = shown(ask.request, root, page.headers(total))
    ask.server.faults.listing(count)
    return answer


def collections(ask: Ask) -> Response:
    """``GET /library/sections/{k}/collections`` and ``.../all?type=18``."""
    section = ask.section()
    with ask.server.catalog.lock:
        nodes = _collection_nodes(ask, section)
        page = Page.of(ask, ask.server.readings.page_cap)
        picked = nodes[page.cut(len(nodes))]
        children: list[Node | str] = [meta(section, COLLECTION)] if ask.get("includeMeta") == "1" else []
        attributes = listing(section, "Collections", page, len(picked), len(nodes), view="secondary")
        return shown(ask.request, Node("MediaContainer", attributes, children + picked), page.headers(len(nodes)))


def values(ask: Ask) -> Response:
    """``GET /library/sections/{k}/{field}``: what can be chosen for a filter, e.g. every genre in use."""
    section = ask.section()
    field = ask.wild["field"]
    catalog = ask.server.catalog
    with catalog.lock:
        items = list(catalog.members(section))
        if field in TAG_ELEMENTS:
            names = {name for item in items for name in item.tags(field)}
            pairs = [(str(catalog.tag_rows.id_of(field, name)), name) for name in names]
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
    attributes = listing(section, title, Page(0, len(pairs), False), len(pairs), 0, view="secondary")
    return shown(ask.request, Node("MediaContainer", attributes, children))


_PLAIN: dict[str, Callable[[Item], str]] = {
    "studio": lambda item: item.studio or "",
    "year": lambda item: str(item.year or ""),
    "decade": lambda item: str(item.year // 10 * 10) if item.year else "",
    "contentRating": lambda item: item.content_rating or "",
    "resolution": lambda item: str(item.media[0].height) if item.media else "",
}


def folder(ask: Ask) -> Response:
    """``GET /library/sections/{k}/folder``: sub-folders as directories, files as videos (plex 3.4)."""
    section = ask.section()
    catalog = ask.server.catalog
    with catalog.lock:
        tree = _folders(catalog.members(section), section)
        parent = number(ask.get("parent", "0"))
        if not 0 <= parent < len(tree):
            raise StatusError(404)
        here = list(tree)[parent]
        children: list[Node | str] = []
        for place, path in enumerate(tree):
            if split(path)[0] == here and path != here:
                key = f"/library/sections/{section.key}/folder?parent={place}"
                children.append(Node("Directory", {"key": key, "title": split(path)[1]}))
        children += [listed(catalog, item, False) for item in tree[here]]
    page = Page(0, len(children), False)
    return shown(ask.request, Node("MediaContainer", listing(section, "By Folder", page, len(children), 0), children))


def first_character(ask: Ask) -> Response:
    """``GET /library/sections/{k}/firstCharacter``."""
    section = ask.section()
    counts: dict[str, int] = {}
    with ask.server.catalog.lock:
        for item in ask.server.orders.of(section, ""):
            first = item.sorted_as[:1].upper()
            counts[first if first.isalpha() else "#"] = counts.get(first if first.isalpha() else "#", 0) + 1
    children: list[Node | str] = [
        Node("Directory", {"size": size, "key": quote(first), "title": first}) for first, size in counts.items()
    ]
    page = Page(0, len(children), False)
    return shown(ask.request, Node("MediaContainer", listing(section, "", page, len(children), 0), children))


def timeline(ask: Ask) -> Response:
    """``GET /library/sections/{k}/timeline``: a cheap probe for changes."""
    section = ask.section()
    with ask.server.catalog.lock:
        latest = max((item.updated_at for item in ask.server.catalog.members(section)), default=section.created_at)
        attributes: dict[str, Scalar] = {
            **listing(section, "", Page(0, 0, False), 0, 0, "secondary"),
            "content": "secondary",
            "latestEntryTime": latest,
            "updateQueueSize": sum(job.section is section for job in ask.server.scanner.jobs),
        }
    return shown(ask.request, Node("LibraryTimeline", attributes))


def _with_file(ask: Ask, section: Section, wanted: str) -> list[Item]:
    """The two readings of ``file=`` (plex 3.4): items with that base name, or everything in the file's folder."""
    files = ask.server.catalog.files
    directory, name = split(wanted)
    if ask.server.readings.file_lookup == "folder":
        folders = [directory] if directory else files.folders_with(name)
        found = [item for path in folders for item in files.inside(path)]
    else:
        found = files.named(name)
    return [item for item in dict.fromkeys(found) if item.section is section]


def _collection_nodes(ask: Ask, section: Section) -> list[Node | str]:
    catalog = ask.server.catalog
    pairs = catalog.collecting.all(section, catalog.members(section))
    return [collection(catalog, found, members, full=False) for found, members in pairs]


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

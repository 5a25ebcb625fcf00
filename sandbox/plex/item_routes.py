"""Items by their keys: reading, editing, refreshing, deleting; ratings and watch state (plex 3.3, 4, 8)."""

from __future__ import annotations

import time

from sandbox.http import Response
from sandbox.plex.answers import StatusError, empty, shown
from sandbox.plex.containers import items as items_container
from sandbox.plex.edits import parse
from sandbox.plex.identity import MEDIA_TAGS
from sandbox.plex.listing_routes import select
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.model import COLLECTION, MOVIE, Collection, Entry, Item
from sandbox.plex.records import Write
from sandbox.plex.routing import Ask, Route, number
from sandbox.plex.scan import analyze
from sandbox.plex.shapes import collection, full
from sandbox.plex.writer import apply, rate, refresh


def metadata(ask: Ask) -> Response:
    """``GET /library/metadata/{ids}``: whole items; unknown ids are skipped, 404 where none is known."""
    server = ask.server
    catalog = server.catalog
    with catalog.lock:
        found = _entries(ask)
        if not found:
            raise StatusError(404)
        check = ask.get("checkFiles") == "1"
        children: list[Node | str] = []
        for entry in found:
            if isinstance(entry, Collection):
                members = [item for item in catalog.members(entry.section) if _is_in(item, entry)]
                children.append(collection(catalog, entry, members, full=True))
            elif isinstance(entry, Item):
                disk = server.scanner.disk
                missing = [part.file for part in entry.parts() if disk is not None and part.file not in disk]
                children.append(full(catalog, entry, check, missing))
        homes = {entry.section.key: entry.section for entry in found}
        section = next(iter(homes.values())) if len(homes) == 1 else None
        root = Node("MediaContainer", items_container(section, len(children)), children)
        return shown(ask.request, root)


def edit_section(ask: Ask) -> Response:
    """``PUT /library/sections/{k}/all``: edit the items of ``id``, or without it every item the filters leave."""
    server = ask.server
    section = ask.section()
    if not ask.get("type"):
        raise StatusError(400, "type is missing")
    edit = parse(ask.query, server.identity.subscription)
    with server.catalog.lock:
        if any(name == "id" for name, _ in ask.query):
            keys = [number(piece) for piece in ask.get("id").split(",")]
            known = [server.catalog.entry(key) for key in dict.fromkeys(keys)]
            entries = [entry for entry in known if entry is not None and entry.section is section]
            if not entries and server.readings.unknown_id != 200:
                raise StatusError(server.readings.unknown_id)
        else:
            server.records.warn(f"edit without id: {ask.request.raw_query}")
            entries = list(select(ask, section))
        wanted = {str(MOVIE): Item, str(COLLECTION): Collection}.get(ask.get("type"))
        entries = [entry for entry in entries if wanted is not None and isinstance(entry, wanted)]
        apply(server.catalog, entries, edit)
        _note(ask, entries)
    server.written(entries)
    return empty()


def edit_items(ask: Ask) -> Response:
    """``PUT /library/metadata/{ids}``: the same edits without a section."""
    server = ask.server
    edit = parse(ask.query, server.identity.subscription)
    with server.catalog.lock:
        entries = _entries(ask)
        if not entries:
            raise StatusError(404)
        apply(server.catalog, entries, edit)
        _note(ask, entries)
    server.written(entries)
    return empty()


def refresh_item(ask: Ask) -> Response:
    """``PUT /library/metadata/{id}/refresh``: unlocked fields become what the agent has."""
    refresh(ask.server.catalog, ask.item())
    return empty()


def analyze_item(ask: Ask) -> Response:
    """``PUT /library/metadata/{id}/analyze``."""
    with ask.server.catalog.lock:
        analyze(ask.server.catalog, ask.item())
    return empty()


def delete_item(ask: Ask) -> Response:
    """``DELETE /library/metadata/{id}``: the item and its files are gone."""
    item = ask.item()
    disk = ask.server.scanner.disk
    with ask.server.catalog.lock:
        if disk is not None:
            for part in item.parts():
                disk.pop(part.file, None)
        ask.server.catalog.remove_item(item)
    return empty()


def unmatch(ask: Ask) -> Response:
    """``PUT /library/metadata/{id}/unmatch``."""
    item = ask.item()
    item.guid = f"local://{item.rating_key}"
    return empty()


def split(ask: Ask) -> Response:
    """``PUT /library/metadata/{id}/split``: every version becomes an item of its own."""
    item = ask.item()
    catalog = ask.server.catalog
    with catalog.lock:
        for media in item.media[1:]:
            files = [(part.file, part.size, part.duration / 1000) for part in media.parts]
            fresh = catalog.add_item(item.section, files)
            fresh.media = [media]
            refresh(catalog, fresh)
        item.media = item.media[:1]
        catalog.files.stale()
        catalog.touch(item)
    return empty()


def merge(ask: Ask) -> Response:
    """``PUT /library/metadata/{id}/merge?ids=``: the other items' versions move here, the others go."""
    item = ask.item()
    catalog = ask.server.catalog
    with catalog.lock:
        for piece in ask.get("ids").split(","):
            other = catalog.items.get(number(piece))
            if other is not None and other is not item:
                item.media = item.media + other.media
                catalog.remove_item(other)
        catalog.touch(item)
    return empty()


def tree(ask: Ask) -> Response:
    """``GET /library/metadata/{id}/tree``: the item's media with their files, as the database holds them."""
    item = ask.item()
    media: list[Node | str] = []
    for version in item.media:
        parts: list[Node | str] = []
        for part in version.parts:
            file: dict[str, Scalar] = {"id": part.id, "file": part.file, "size": part.size, "duration": part.duration}
            parts.append(Node("MediaPart", file))
        media.append(Node("MediaItem", {"id": version.id}, parts))
    attributes: dict[str, Scalar] = {
        "id": item.rating_key, "title": item.title, "guid": item.guid, "parentTitle": "", "instanceRatingKey": "",
        "index": 1, "originallyAvailableAt": item.originally_available_at, "refreshedAt": item.updated_at,
    }  # fmt: skip
    container: dict[str, Scalar] = {"size": 1, "identifier": "com.plexapp.plugins.library", **MEDIA_TAGS}
    return shown(ask.request, Node("MediaContainer", container, [Node("MetadataItem", attributes, media)]))


def rate_item(ask: Ask) -> Response:
    """``PUT /:/rate``: 0 to 10, -1 takes the rating away."""
    try:
        rating = float(ask.get("rating"))
    except ValueError:
        raise StatusError(400) from None
    if rating != -1 and not 0 <= rating <= 10:
        raise StatusError(400)
    with ask.server.catalog.lock:
        entry = _by_query(ask)
        rate(ask.server.catalog, entry, None if rating == -1 else rating)
        _note(ask, [entry])
    ask.server.written([entry])
    return empty()


def watched(ask: Ask) -> Response:
    """``/:/scrobble``: seen once more."""
    item = _item_by_query(ask)
    item.view_count += 1
    item.view_offset = 0
    item.last_viewed_at = ask.server.catalog.now()
    return empty()


def unwatched(ask: Ask) -> Response:
    """``/:/unscrobble``: never seen."""
    item = _item_by_query(ask)
    item.view_count = item.view_offset = 0
    item.last_viewed_at = None
    return empty()


def progress(ask: Ask) -> Response:
    """``/:/progress``: seen up to ``time`` milliseconds."""
    item = _item_by_query(ask)
    item.view_offset = max(number(ask.get("time")), 0)
    item.last_viewed_at = ask.server.catalog.now()
    return empty()


def _entries(ask: Ask) -> list[Entry]:
    keys = dict.fromkeys(number(piece) for piece in ask.wild["ids"].split(","))
    found = [ask.server.catalog.entry(key) for key in keys]
    return [entry for entry in found if entry is not None]


def _by_query(ask: Ask) -> Entry:
    found = ask.server.catalog.entry(number(ask.get("key")))
    if found is None:
        raise StatusError(404)
    return found


def _item_by_query(ask: Ask) -> Item:
    found = _by_query(ask)
    if not isinstance(found, Item):
        raise StatusError(404)
    return found


def _is_in(item: Item, found: Collection) -> bool:
    title = found.title.casefold()
    return any(name.casefold() == title for name in item.tags("collection"))


def _note(ask: Ask, entries: list[Entry]) -> None:
    """Put the edit into the log; called under the lock, so that the log has the order of the edits."""
    ask.server.records.wrote(Write(time.monotonic(), [entry.rating_key for entry in entries], list(ask.query)))


ROUTES = [
    Route("PUT", "/library/sections/{k}/all", edit_section),
    Route("GET", "/library/metadata/{ids}", metadata),
    Route("PUT", "/library/metadata/{ids}", edit_items),
    Route("DELETE", "/library/metadata/{id}", delete_item),
    Route("PUT", "/library/metadata/{id}/refresh", refresh_item),
    Route("PUT", "/library/metadata/{id}/analyze", analyze_item),
    Route("PUT", "/library/metadata/{id}/unmatch", unmatch),
    Route("PUT", "/library/metadata/{id}/split", split),
    Route("PUT", "/library/metadata/{id}/merge", merge),
    Route("GET", "/library/metadata/{id}/tree", tree),
    *(Route(method, "/:/rate", rate_item) for method in ("PUT", "GET")),
    *(Route(method, "/:/scrobble", watched) for method in ("PUT", "GET")),
    *(Route(method, "/:/unscrobble", unwatched) for method in ("PUT", "GET")),
    *(Route(method, "/:/progress", progress) for method in ("PUT", "GET")),
]

"""Items by key: read, edit, refresh, delete; ratings and watch state (plex 3.3, 4, 8)."""

from __future__ import annotations

import time

from sandbox.http import Response
from sandbox.plex.containers import items_attributes as items_container
from sandbox.plex.edits import parse_edit
from sandbox.plex.identity import MEDIA_TAGS
from sandbox.plex.item_elements import collection_element, full_element
from sandbox.plex.listing_routes import select
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.model import COLLECTION, MOVIE, Collection, Entry, Item
from sandbox.plex.request_log import Write
from sandbox.plex.responses import StatusError, empty_response, rendered
from sandbox.plex.routing import Route, RouteContext, whole_number
from sandbox.plex.scan import analyze
from sandbox.plex.writer import apply_edit, refresh_from_agent, set_rating


def metadata(context: RouteContext) -> Response:
    """``GET /library/metadata/{ids}``: whole items; unknown ids are skipped, 404 where none is known."""
    server = context.server
    store = server.store
    with store.lock:
        found = _entries(context)
        if not found:
            raise StatusError(404)
        check = context.get("checkFiles") == "1"
        children: list[Node | str] = []
        for entry in found:
            if isinstance(entry, Collection):
                members = [item for item in store.members(entry.section) if _is_in(item, entry)]
                children.append(collection_element(store, entry, members, full=True))
            elif isinstance(entry, Item):
                disk = server.scanner.disk
                missing = [part.file for part in entry.parts() if disk is not None and part.file not in disk]
                children.append(full_element(store, entry, check, missing))
        homes = {entry.section.key: entry.section for entry in found}
        section = next(iter(homes.values())) if len(homes) == 1 else None
        root = Node("MediaContainer", items_container(section, len(children)), children)
        return rendered(context.request, root)


def edit_section(context: RouteContext) -> Response:
    """``PUT /library/sections/{k}/all``: edit the items of ``id``, or without it every item the filters leave."""
    server = context.server
    section = context.section()
    if not context.get("type"):
        raise StatusError(400, "type is missing")
    edit = parse_edit(context.query, server.identity.subscription)
    with server.store.lock:
        if any(name == "id" for name, _ in context.query):
            keys = [whole_number(piece) for piece in context.get("id").split(",")]
            known = [server.store.entry(key) for key in dict.fromkeys(keys)]
            entries = [entry for entry in known if entry is not None and entry.section is section]
            if not entries and server.assumptions.unknown_id != 200:
                raise StatusError(server.assumptions.unknown_id)
        else:
            server.request_log.warn(f"edit without id: {context.request.raw_query}")
            entries = list(select(context, section))
        wanted = {str(MOVIE): Item, str(COLLECTION): Collection}.get(context.get("type"))
        entries = [entry for entry in entries if wanted is not None and isinstance(entry, wanted)]
        apply_edit(server.store, entries, edit)
        _note(context, entries)
    server.written(entries)
    return empty_response()


def edit_items(context: RouteContext) -> Response:
    """``PUT /library/metadata/{ids}``: the same edits without a section."""
    server = context.server
    edit = parse_edit(context.query, server.identity.subscription)
    with server.store.lock:
        entries = _entries(context)
        if not entries:
            raise StatusError(404)
        apply_edit(server.store, entries, edit)
        _note(context, entries)
    server.written(entries)
    return empty_response()


def refresh_item(context: RouteContext) -> Response:
    """``PUT /library/metadata/{id}/refresh``: unlocked fields become what the agent has."""
    refresh_from_agent(context.server.store, context.item())
    return empty_response()


def analyze_item(context: RouteContext) -> Response:
    """``PUT /library/metadata/{id}/analyze``."""
    with context.server.store.lock:
        analyze(context.server.store, context.item())
    return empty_response()


def delete_item(context: RouteContext) -> Response:
    """``DELETE /library/metadata/{id}``: the item and its files are gone."""
    item = context.item()
    disk = context.server.scanner.disk
    with context.server.store.lock:
        if disk is not None:
            for part in item.parts():
                disk.pop(part.file, None)
        context.server.store.remove_item(item)
    return empty_response()


def unmatch(context: RouteContext) -> Response:
    """``PUT /library/metadata/{id}/unmatch``."""
    item = context.item()
    item.guid = f"local://{item.rating_key}"
    return empty_response()


def split(context: RouteContext) -> Response:
    """``PUT /library/metadata/{id}/split``: every version becomes an item of its own."""
    item = context.item()
    store = context.server.store
    with store.lock:
        for media in item.media[1:]:
            files = [(part.file, part.size, part.duration / 1000) for part in media.parts]
            fresh = store.add_item(item.section, files)
            fresh.media = [media]
            refresh_from_agent(store, fresh)
        item.media = item.media[:1]
        store.files.mark_stale()
        store.touch(item)
    return empty_response()


def merge(context: RouteContext) -> Response:
    """``PUT /library/metadata/{id}/merge?ids=``: the other items' versions move here, the others go."""
    item = context.item()
    store = context.server.store
    with store.lock:
        for piece in context.get("ids").split(","):
            other = store.items.get(whole_number(piece))
            if other is not None and other is not item:
                item.media = item.media + other.media
                store.remove_item(other)
        store.touch(item)
    return empty_response()


def tree(context: RouteContext) -> Response:
    """``GET /library/metadata/{id}/tree``: the item's media with their files, as the database holds them."""
    item = context.item()
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
    return rendered(context.request, Node("MediaContainer", container, [Node("MetadataItem", attributes, media)]))


def rate_item(context: RouteContext) -> Response:
    """``PUT /:/rate``: 0 to 10, -1 takes the rating away."""
    try:
        rating = float(context.get("rating"))
    except ValueError:
        raise StatusError(400) from None
    if rating != -1 and not 0 <= rating <= 10:
        raise StatusError(400)
    with context.server.store.lock:
        entry = _by_query(context)
        set_rating(context.server.store, entry, None if rating == -1 else rating)
        _note(context, [entry])
    context.server.written([entry])
    return empty_response()


def watched(context: RouteContext) -> Response:
    """``/:/scrobble``: seen once more."""
    item = _item_by_query(context)
    item.view_count += 1
    item.view_offset = 0
    item.last_viewed_at = context.server.store.now()
    return empty_response()


def unwatched(context: RouteContext) -> Response:
    """``/:/unscrobble``: never seen."""
    item = _item_by_query(context)
    item.view_count = item.view_offset = 0
    item.last_viewed_at = None
    return empty_response()


def progress(context: RouteContext) -> Response:
    """``/:/progress``: seen up to ``time`` milliseconds."""
    item = _item_by_query(context)
    item.view_offset = max(whole_number(context.get("time")), 0)
    item.last_viewed_at = context.server.store.now()
    return empty_response()


def _entries(context: RouteContext) -> list[Entry]:
    keys = dict.fromkeys(whole_number(piece) for piece in context.wild["ids"].split(","))
    found = [context.server.store.entry(key) for key in keys]
    return [entry for entry in found if entry is not None]


def _by_query(context: RouteContext) -> Entry:
    found = context.server.store.entry(whole_number(context.get("key")))
    if found is None:
        raise StatusError(404)
    return found


def _item_by_query(context: RouteContext) -> Item:
    found = _by_query(context)
    if not isinstance(found, Item):
        raise StatusError(404)
    return found


def _is_in(item: Item, found: Collection) -> bool:
    title = found.title.casefold()
    return any(name.casefold() == title for name in item.tags("collection"))


def _note(context: RouteContext, entries: list[Entry]) -> None:
    """Put the edit into the log; called under the lock, so that the log has the order of the edits."""
    context.server.request_log.wrote(
        Write(time.monotonic(), [entry.rating_key for entry in entries], list(context.query))
    )


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

"""Posters and backgrounds: list, upload, select, remove, download (plex 5)."""

from __future__ import annotations

import http.client
from urllib.parse import quote, urlsplit

from sandbox.http import Response
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.pictures import ART, THUMB, content_type
from sandbox.plex.responses import StatusError, empty_response, rendered
from sandbox.plex.routing import Route, RouteContext

LIMIT = 10 * 1024 * 1024
"""Bytes of a picture; more than that is a 500."""

_LISTS = {"posters": THUMB, "arts": ART}
_ONE = {"poster": THUMB, "thumb": THUMB, "art": ART}


def listed(context: RouteContext) -> Response:
    """``GET /library/metadata/{id}/posters`` and ``/arts``."""
    entry, place = context.entry(), _place(_LISTS, context)
    children: list[Node | str] = []
    with context.server.store.lock:
        slot = context.server.store.slot(entry, place)
        for picture in slot.pictures:
            key = f"/library/metadata/{entry.rating_key}/file?url={quote(picture.key, safe='')}"
            attributes: dict[str, Scalar] = {
                "key": key,
                "provider": picture.provider,
                "ratingKey": picture.key,
                "selected": picture is slot.selected,
                "thumb": key,
            }
            children.append(Node("Photo", attributes, json_name="Metadata"))
    container: dict[str, Scalar] = {"size": len(children), "identifier": "com.plexapp.plugins.library"}
    return rendered(context.request, Node("MediaContainer", container, children))


def upload(context: RouteContext) -> Response:
    """``POST .../posters`` and ``/arts``: the body's bytes, or those behind ``url``. Selects and locks."""
    entry, place = context.entry(), _place(_LISTS, context)
    data = _fetch(context.get("url")) if context.get("url") else context.request.body
    if len(data) > LIMIT:
        raise StatusError(500)
    if not data:
        raise StatusError(400)
    store = context.server.store
    with store.lock:
        store.slot(entry, place).upload(place, data, store.now())
        entry.locks.add(place)
        store.touch(entry)
    context.server.written([entry])
    return empty_response()


def select(context: RouteContext) -> Response:
    """``PUT .../poster?url=`` and ``/art?url=`` with the key of a listed picture. Locks."""
    entry, place = context.entry(), _place(_ONE, context)
    store = context.server.store
    with store.lock:
        slot = store.slot(entry, place)
        picture = slot.named(context.get("url"))
        if picture is None:
            raise StatusError(404)
        slot.select(picture, store.now())
        entry.locks.add(place)
        store.touch(entry)
    context.server.written([entry])
    return empty_response()


def remove(context: RouteContext) -> Response:
    """``DELETE .../thumb`` and ``/art``: nothing is selected any more, and that is locked."""
    entry, place = context.entry(), _place(_ONE, context)
    store = context.server.store
    with store.lock:
        store.slot(entry, place).select(None, store.now())
        entry.locks.add(place)
        store.touch(entry)
    context.server.written([entry])
    return empty_response()


def shown_now(context: RouteContext) -> Response:
    """``GET .../thumb/{stamp}`` and ``/art/{stamp}``: the selected picture's bytes."""
    with context.server.store.lock:
        selected = context.server.store.slot(context.entry(), _place(_ONE, context)).selected
    if selected is None:
        raise StatusError(404)
    return _bytes(selected.data)


def one(context: RouteContext) -> Response:
    """``GET /library/metadata/{id}/file?url=``: the bytes of a listed picture."""
    entry = context.entry()
    with context.server.store.lock:
        for place in (THUMB, ART):
            picture = context.server.store.slot(entry, place).named(context.get("url"))
            if picture is not None:
                return _bytes(picture.data)
    raise StatusError(404)


def _place(names: dict[str, str], context: RouteContext) -> str:
    # the last fixed part of the path names the place
    pieces = [piece for piece in context.request.path.split("/") if piece in names]
    return names[pieces[-1]]


def _bytes(data: bytes) -> Response:
    return Response(200, data, [("Content-Type", content_type(data))])


def _fetch(url: str) -> bytes:
    """Download a picture from another server, as PMS does in URL mode: over http, without following redirects."""
    split = urlsplit(url)
    if split.scheme != "http" or not split.hostname:
        raise StatusError(400)
    connection = http.client.HTTPConnection(split.hostname, split.port or 80, timeout=10)
    try:
        connection.request("GET", split.path + (f"?{split.query}" if split.query else ""))
        response = connection.getresponse()
        data = response.read(LIMIT + 1)
    except (OSError, http.client.HTTPException):
        raise StatusError(500) from None
    finally:
        connection.close()
    if response.status != 200:
        raise StatusError(500)
    return data


ROUTES = [
    *(Route("GET", f"/library/metadata/{{id}}/{name}", listed) for name in _LISTS),
    *(Route("POST", f"/library/metadata/{{id}}/{name}", upload) for name in _LISTS),
    *(Route("PUT", f"/library/metadata/{{id}}/{name}", select) for name in _ONE),
    *(Route("DELETE", f"/library/metadata/{{id}}/{name}", remove) for name in ("thumb", "art")),
    *(Route("GET", f"/library/metadata/{{id}}/{name}/{{stamp}}", shown_now) for name in ("thumb", "art")),
    Route("GET", "/library/metadata/{id}/file", one),
]

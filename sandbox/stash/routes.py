"""Everything over HTTP except GraphQL: health, login, pictures, plugin files (stash 6, 8, 9.1)."""

from __future__ import annotations

import hashlib
import html
import mimetypes
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from ..http import Request, Response
from . import images
from .core import Core
from .manifest import Manifest
from .table import Table

_OPEN = re.compile(r"/(healthz|login.*|logout|css|assets.*)")
_LOGIN = b'<!DOCTYPE html><html><head><title>Login</title></head><body><form method="post"></form></body></html>'
# The header as Stash sends it (stash 9.5).
_CSP = (
    "default-src data: 'self' 'unsafe-inline'; connect-src data: 'self' ws: wss:; img-src data: *; "
    "script-src 'self' http://www.gstatic.com https://www.gstatic.com 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; media-src blob: 'self'; worker-src blob:; child-src 'none'; "
    "object-src 'none'; form-action 'self'"
)


def is_open(path: str) -> bool:
    """Return whether a path needs no credentials."""
    return _OPEN.fullmatch(path) is not None


def route(core: Core, request: Request) -> Response:
    """Return the answer to a GET that is not GraphQL."""
    path = unquote(request.path)
    if path == "/healthz":
        return Response(200, b".", [("Content-Type", "text/plain")])
    if path.startswith("/login"):
        return _login(core, request)
    if path == "/logout":
        expired = "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; SameSite=Lax"
        return Response(302, b"", [("Location", "/login"), ("Set-Cookie", expired)])
    for pattern, handler in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match:
            return handler(core, request, *match.groups())
    if "." in path.rpartition("/")[2]:
        return _text(404, "404 page not found\n")
    return _page(core, request)


def _page(core: Core, request: Request) -> Response:
    """Return the page for every other address; its scripts do the routing."""
    options = core.options
    base = html.escape((request.header("x-forwarded-prefix") or "") + "/")
    body = f'<!DOCTYPE html><html lang="en" data-version="{html.escape(options.version)}"><head><title>Stash</title>'
    if options.hostpage is not None:
        body += f'<base href="{base}"><meta name="viewport" content="width=device-width, initial-scale=1">'
        body += '<link rel="icon" href="data:,"><link rel="stylesheet" href="assets/host.css">'
        body += '<script defer src="assets/host.js"></script></head><body><div id="root"></div></body></html>'
    headers = [("Content-Security-Policy", _CSP), ("Content-Type", "text/html; charset=utf-8")]
    return Response(200, body.encode(), headers)


def _page_asset(core: Core, request: Request, name: str) -> Response:
    folder = core.options.hostpage
    if folder is None or not (folder / name).is_file():
        return _text(404, "404 page not found\n")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _content(request, (folder / name).read_bytes(), kind, immutable=False)


def redirect(location: str) -> Response:
    """Return Go's redirect with its small page."""
    body = f'<a href="{location}">Found</a>.\n\n'.encode()
    return Response(302, body, [("Content-Type", "text/html; charset=utf-8"), ("Location", location)])


def _text(status: int, body: str) -> Response:
    return Response(status, body.encode(), [("Content-Type", "text/plain; charset=utf-8")])


def _login(core: Core, request: Request) -> Response:
    if request.method != "POST":
        return Response(200, _LOGIN, [("Content-Type", "text/html; charset=utf-8")])
    form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    cookie = core.sessions.login(form.get("username", [""])[0], form.get("password", [""])[0])
    if cookie is None:
        return _text(401, "invalid credentials\n")
    return Response(200, b"", [("Set-Cookie", cookie)])


def _screenshot(core: Core, request: Request, number: str) -> Response:
    return _picture(core, request, "scene", number, "screenshot", lambda row: row.cover)


def _entity_image(core: Core, request: Request, kind: str, number: str, name: str) -> Response:
    attribute = "back_image" if name == "backimage" else "image"
    return _picture(core, request, kind, number, kind, lambda row: getattr(row, attribute))


def _picture(
    core: Core, request: Request, kind: str, number: str, title: str, body_of: Callable[..., bytes | None]
) -> Response:
    """Return a stored picture, or the placeholder of its kind with status 200 (stash 8)."""
    if not number.isdigit():
        return _text(400, "Bad Request\n")
    tables: dict[str, Table[Any]] = {
        "scene": core.store.scenes,
        "performer": core.store.performers,
        "studio": core.store.studios,
        "tag": core.store.tags,
        "group": core.store.groups,
    }
    row = tables[kind].get(int(number))
    if row is None:
        return _text(404, "Not Found\n")
    body = body_of(row) if ("default", "true") not in request.query else None
    if body is None:
        body = images.png(32, 48, (57, 75, 89)) if kind == "performer" else images.placeholder(title)
    return _content(request, body, images.content_type(body), immutable=any(name == "t" for name, _ in request.query))


def _content(request: Request, body: bytes, kind: str, *, immutable: bool) -> Response:
    """Return bytes with ETag, conditional and range requests."""
    etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    cache = "private, max-age=31536000, immutable" if immutable else "no-cache"
    headers = [("Cache-Control", cache), ("Etag", etag)]
    # weak comparison, as in Go
    known = [tag.strip().removeprefix("W/") for tag in (request.header("if-none-match") or "").split(",")]
    if etag in known or known == ["*"]:
        return Response(304, b"", headers)
    headers = [("Accept-Ranges", "bytes"), *headers, ("Content-Type", kind)]
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.header("range") or "")
    if not wanted or not any(wanted.groups()):
        return Response(200, body, headers)
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start > end:
        return Response(416, b"", [*headers, ("Content-Range", f"bytes */{len(body)}")])
    return Response(206, body[start : end + 1], [*headers, ("Content-Range", f"bytes {start}-{end}/{len(body)}")])


def _not_generated(_: Core, __: Request, *___: str) -> Response:
    return _text(404, "404 page not found\n")


def _plugin_file(core: Core, request: Request, plugin_id: str, kind: str) -> Response:
    manifest = _enabled(core, plugin_id)
    if isinstance(manifest, Response):
        return manifest
    names = manifest.javascript if kind == "javascript" else manifest.css
    local = [name for name in names if not name.startswith(("http://", "https://"))]
    body = b"".join((manifest.directory / name).read_bytes() for name in local)
    return _content(request, body, f"text/{kind}", immutable=False)


def _plugin_asset(core: Core, request: Request, plugin_id: str, path: str) -> Response:
    manifest = _enabled(core, plugin_id)
    if isinstance(manifest, Response):
        return manifest
    for prefix, folder in manifest.assets.items():
        if path.startswith(prefix):
            root = (manifest.directory / folder).resolve()
            file = (root / path[len(prefix) :].lstrip("/")).resolve()
            if file.is_file() and file.is_relative_to(root):
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                return _content(request, file.read_bytes(), kind, immutable=False)
    return _text(404, "404 page not found\n")


def _enabled(core: Core, plugin_id: str) -> Manifest | Response:
    manifest = core.plugins.get(plugin_id)
    if manifest is None:
        return _text(404, "Not Found\n")
    if plugin_id in core.plugins.disabled:
        return _text(400, "Bad Request\n")
    return manifest


_ROUTES: list[tuple[str, Callable[..., Response]]] = [
    (r"/scene/([^/]+)/screenshot", _screenshot),
    (r"/scene/[^/]+(?:/.*)?", _not_generated),
    (r"/(performer|studio|tag)/([^/]+)/(image)", _entity_image),
    (r"/(group)/([^/]+)/(frontimage|backimage)", _entity_image),
    (r"/plugin/([^/]+)/(javascript|css)", _plugin_file),
    (r"/plugin/([^/]+)/assets(/.*)", _plugin_asset),
    (r"/plugin/.*", _not_generated),
    (r"/assets/([\w-]+\.\w+)", _page_asset),
]

"""The server itself: identity, sections, scans, preferences, running jobs (plex 1.1, 2, 7)."""

from __future__ import annotations

from sandbox.http import Response
from sandbox.plex.containers import directory, library
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.responses import empty_response, rendered
from sandbox.plex.routing import Route, RouteContext
from sandbox.plex.scan import analyze
from sandbox.plex.writer import refresh_from_agent


def identity(context: RouteContext) -> Response:
    """``GET /identity``: the only request that needs no token."""
    return rendered(context.request, context.server.identity.node())


def root(context: RouteContext) -> Response:
    """``GET /``."""
    return rendered(context.request, context.server.identity.root())


def library_root(context: RouteContext) -> Response:
    """``GET /library``."""
    return rendered(context.request, library())


def sections(context: RouteContext) -> Response:
    """``GET /library/sections``."""
    with context.server.store.lock:
        children: list[Node | str] = [directory(section) for section in context.server.store.sections.values()]
    attributes: dict[str, Scalar] = {"size": len(children), "allowSync": False, "title1": "Plex Library"}
    return rendered(context.request, Node("MediaContainer", attributes, children))


def scan(context: RouteContext) -> Response:
    """``GET`` or ``POST /library/sections/{k}/refresh``: a scan, of one folder with ``path``; with ``force=1`` all
    metadata is fetched again. Answers at once.
    """
    section = context.section()
    if context.get("force") == "1":
        for item in list(context.server.store.members(section)):
            refresh_from_agent(context.server.store, item)
    context.server.scanner.start(section, context.get("path") or None)
    return empty_response()


def cancel_scan(context: RouteContext) -> Response:
    """``DELETE /library/sections/{k}/refresh``."""
    context.server.scanner.cancel(context.section())
    return empty_response()


def empty_trash(context: RouteContext) -> Response:
    """``PUT /library/sections/{k}/emptyTrash``."""
    context.server.scanner.empty_trash(context.section())
    return empty_response()


def analyze_section(context: RouteContext) -> Response:
    """``PUT /library/sections/{k}/analyze``."""
    with context.server.store.lock:
        for item in context.server.store.members(context.section()):
            analyze(context.server.store, item)
    return empty_response()


def upkeep(context: RouteContext) -> Response:
    """``PUT /library/optimize`` and its kin: accepted, and nothing one could see happens."""
    return empty_response()


def activities(context: RouteContext) -> Response:
    """``GET /activities``: the scans under way."""
    children: list[Node | str] = []
    for job in context.server.scanner.jobs:
        attributes: dict[str, Scalar] = {
            "uuid": job.uuid,
            "type": "library.update.section",
            "cancellable": True,
            "userID": 1,
            "title": "Scanning the library",
            "subtitle": f"Scanning {job.section.title}",
            "progress": 0,
        }
        location = Node("Context", {"librarySectionID": str(job.section.key)})
        children.append(Node("Activity", attributes, [location]))
    return rendered(context.request, Node("MediaContainer", {"size": len(children)}, children))


def preferences(context: RouteContext) -> Response:
    """``GET /:/prefs``."""
    children: list[Node | str] = []
    for name, value in context.server.prefs.items():
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "text"
        shown_value = str(value).lower() if isinstance(value, bool) else value
        attributes: dict[str, Scalar] = {
            "id": name, "label": name, "summary": "", "type": kind, "default": shown_value, "value": shown_value,
            "hidden": False, "advanced": True, "group": "library",
        }  # fmt: skip
        children.append(Node("Setting", attributes))
    return rendered(context.request, Node("MediaContainer", {"size": len(children)}, children))


def set_preferences(context: RouteContext) -> Response:
    """``PUT /:/prefs``: 200 even for unknown names (plex 7)."""
    for name, value in context.query:
        known = context.server.prefs.get(name)
        if isinstance(known, bool):
            context.server.prefs[name] = value.lower() in {"1", "true"}
        elif isinstance(known, int) and value.isdecimal():
            context.server.prefs[name] = int(value)
        elif isinstance(known, str):
            context.server.prefs[name] = value
    return empty_response()


ROUTES = [
    Route("GET", "/", root),
    Route("GET", "/identity", identity),
    Route("GET", "/library", library_root),
    Route("GET", "/library/sections", sections),
    Route("GET", "/library/sections/{k}/refresh", scan),
    Route("POST", "/library/sections/{k}/refresh", scan),
    Route("DELETE", "/library/sections/{k}/refresh", cancel_scan),
    Route("PUT", "/library/sections/{k}/emptyTrash", empty_trash),
    Route("PUT", "/library/sections/{k}/analyze", analyze_section),
    Route("PUT", "/library/optimize", upkeep),
    Route("PUT", "/library/clean/bundles", upkeep),
    Route("GET", "/activities", activities),
    Route("GET", "/:/prefs", preferences),
    Route("PUT", "/:/prefs", set_preferences),
]

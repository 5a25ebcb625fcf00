"""The server itself: who it is, its sections, scans, preferences, running jobs (plex 1.1, 2, 7)."""

from __future__ import annotations

from sandbox.http import Response
from sandbox.plex.answers import empty, shown
from sandbox.plex.containers import directory, library
from sandbox.plex.markup import Node, Scalar
from sandbox.plex.routing import Ask, Route
from sandbox.plex.scan import analyze
from sandbox.plex.writer import refresh


def identity(ask: Ask) -> Response:
    """``GET /identity``, the one thing nobody needs a token for."""
    return shown(ask.request, ask.server.identity.node())


def root(ask: Ask) -> Response:
    """``GET /``."""
    return shown(ask.request, ask.server.identity.root())


def library_root(ask: Ask) -> Response:
    """``GET /library``."""
    return shown(ask.request, library())


def sections(ask: Ask) -> Response:
    """``GET /library/sections``."""
    with ask.server.catalog.lock:
        children: list[Node | str] = [directory(section) for section in ask.server.catalog.sections.values()]
    attributes: dict[str, Scalar] = {"size": len(children), "allowSync": False, "title1": "Plex Library"}
    return shown(ask.request, Node("MediaContainer", attributes, children))


def scan(ask: Ask) -> Response:
    """``GET`` or ``POST /library/sections/{k}/refresh``: a scan, of one folder with ``path``; with ``force=1`` all
    metadata is fetched anew. Answers at once.
    """
    section = ask.section()
    if ask.get("force") == "1":
        for item in list(ask.server.catalog.members(section)):
            refresh(ask.server.catalog, item)
    ask.server.scanner.start(section, ask.get("path") or None)
    return empty()


def cancel_scan(ask: Ask) -> Response:
    """``DELETE /library/sections/{k}/refresh``."""
    ask.server.scanner.cancel(ask.section())
    return empty()


def empty_trash(ask: Ask) -> Response:
    """``PUT /library/sections/{k}/emptyTrash``."""
    ask.server.scanner.empty_trash(ask.section())
    return empty()


def analyze_section(ask: Ask) -> Response:
    """``PUT /library/sections/{k}/analyze``."""
    with ask.server.catalog.lock:
        for item in ask.server.catalog.members(ask.section()):
            analyze(ask.server.catalog, item)
    return empty()


def upkeep(ask: Ask) -> Response:
    """``PUT /library/optimize`` and its kin: accepted, and nothing one could see happens."""
    return empty()


def activities(ask: Ask) -> Response:
    """``GET /activities``: the scans under way."""
    children: list[Node | str] = []
    for job in ask.server.scanner.jobs:
        attributes: dict[str, Scalar] = {
            "uuid": job.uuid,
            "type": "library.update.section",
            "cancellable": True,
            "userID": 1,
            "title": "Scanning the library",
            "subtitle": f"Scanning {job.section.title}",
            "progress": 0,
        }
        context = Node("Context", {"librarySectionID": str(job.section.key)})
        children.append(Node("Activity", attributes, [context]))
    return shown(ask.request, Node("MediaContainer", {"size": len(children)}, children))


def preferences(ask: Ask) -> Response:
    """``GET /:/prefs``."""
    children: list[Node | str] = []
    for name, value in ask.server.prefs.items():
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "text"
        shown_value = str(value).lower() if isinstance(value, bool) else value
        attributes: dict[str, Scalar] = {
            "id": name, "label": name, "summary": "", "type": kind, "default": shown_value, "value": shown_value,
            "hidden": False, "advanced": True, "group": "library",
        }  # fmt: skip
        children.append(Node("Setting", attributes))
    return shown(ask.request, Node("MediaContainer", {"size": len(children)}, children))


def set_preferences(ask: Ask) -> Response:
    """``PUT /:/prefs``: 200 even for names nobody knows (plex 7)."""
    for name, value in ask.query:
        known = ask.server.prefs.get(name)
        if isinstance(known, bool):
            ask.server.prefs[name] = value.lower() in {"1", "true"}
        elif isinstance(known, int) and value.isdecimal():
            ask.server.prefs[name] = int(value)
        elif isinstance(known, str):
            ask.server.prefs[name] = value
    return empty()


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

"""Find the function that answers a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.http import Request, Response
from sandbox.plex.assumptions import Assumptions
from sandbox.plex.faults import Faults
from sandbox.plex.identity import Identity
from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import Entry, Item, Section
from sandbox.plex.request_log import RequestLog
from sandbox.plex.responses import StatusError
from sandbox.plex.scan import Scanner
from sandbox.plex.sorting import SortedItems


@dataclass
class Server:
    """Everything that a handler may need."""

    identity: Identity
    store: MediaStore
    orders: SortedItems
    assumptions: Assumptions
    request_log: RequestLog
    faults: Faults
    scanner: Scanner
    prefs: dict[str, str | int | bool]
    written: Callable[[Iterable[Entry]], None]


@dataclass
class RouteContext:
    """One request at one route. ``wild`` holds the decoded variable parts of the path by name."""

    request: Request
    server: Server
    wild: dict[str, str]

    @property
    def query(self) -> list[tuple[str, str]]:
        return self.request.query

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return next((value for key, value in reversed(self.query) if key == name), default)

    def plex(self, name: str) -> str | None:
        """Return an ``X-Plex-*`` value from the query or a header (plex 1.2)."""
        wanted = name.lower()
        return next((value for key, value in self.query if key.lower() == wanted), self.request.header(name))

    def section(self) -> Section:
        """Return the section in the path; raise 404 if there is none."""
        key = self.wild["k"]
        section = self.server.store.sections.get(int(key)) if key.isdigit() else None
        if section is None:
            raise StatusError(404)
        return section

    def entry(self) -> Entry:
        """Return the one item or collection in the path; raise 404 if there is none."""
        found = self.server.store.entry(whole_number(self.wild["id"]))
        if found is None:
            raise StatusError(404)
        return found

    def item(self) -> Item:
        """Return the one item in the path; raise 404 if there is none."""
        found = self.entry()
        if not isinstance(found, Item):
            raise StatusError(404)
        return found


Handler = Callable[[RouteContext], Response]


class Route:
    """A method and a path with ``{names}``, e.g. ``GET /library/sections/{k}/all``."""

    def __init__(self, method: str, template: str, handler: Handler) -> None:
        self.method = method
        self.template = template
        self.handler = handler
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        self._pattern = re.compile(pattern + "/?")

    @property
    def kind(self) -> str:
        """The name under which requests to this route are counted."""
        return f"{self.method} {self.template}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the variable parts of the path, or None if the route does not match."""
        if method != self.method:
            return None
        found = self._pattern.fullmatch(path)
        return None if found is None else {name: unquote(piece) for name, piece in found.groupdict().items()}


class Router:
    """All routes, tried in order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = list(routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the first route that matches."""
        for route in self._routes:
            wild = route.match(method, path)
            if wild is not None:
                return route, wild
        return None


def whole_number(text: str) -> int:
    """Return a whole number from a path or query, -1 if it is none."""
    return int(text) if text.isdecimal() else -1

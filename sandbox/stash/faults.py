"""Switches for what plugins meet and Stash itself does not do (stash 11, last part)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..http import HttpServer, Request, Response

_GLANCE = 0.02
_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)


@dataclass
class Faults:
    """Set an attribute to break something, set it back to mend it.

    ``hang``: no answer while True (or for so many seconds, each request). ``delay``: seconds before each answer.
    ``status``: this status with a proxy's HTML page. ``unauthorized``: 401 as for an expired session.
    ``resolver_error``: GraphQL errors with that text and status 200. ``truncate``: half of each body is missing.
    """

    server: HttpServer
    hang: bool | float = False
    delay: float = 0.0
    status: int | None = None
    unauthorized: bool = False
    resolver_error: str | None = None
    truncate: bool = False

    def refuse(self) -> None:
        """Close the port: connections are refused, those open are cut."""
        self.server.stop()

    def accept(self) -> None:
        """Open the same port again."""
        self.server.start()

    def clear(self) -> None:
        """Mend everything."""
        self.hang, self.delay, self.status, self.unauthorized = False, 0.0, None, False
        self.resolver_error, self.truncate = None, False
        self.accept()

    def before(self, request: Request, closing: Callable[[], bool]) -> Response | None:
        """What a fault answers instead of the server, after the waiting it asks for."""
        began = time.monotonic()
        while not closing() and not request.gone():
            waited = time.monotonic() - began
            hanging = self.hang is True or waited < float(self.hang)
            if not hanging and waited >= self.delay:
                break
            time.sleep(_GLANCE)
        if self.status is not None:
            return Response(self.status, _PAGE, [("Content-Type", "text/html")])
        if self.unauthorized:
            return Response(401, b"", [("WWW-Authenticate", "FormBased")])
        return None

    def after(self, response: Response) -> Response:
        """The answer as it arrives."""
        if self.truncate and response.body:
            return Response(response.status, response.body[: len(response.body) // 2], response.headers)
        return response

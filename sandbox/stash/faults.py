"""Switches for what plugins meet and Stash itself does not do (stash 11, last part)."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable

from .. import spoil
from ..http import HttpServer, Request, Response
from ..window import Window

_GLANCE = 0.02
_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
# Of what is asked for, this is answered with null and an error (see ``beside_data``).
_LOST = "database is locked"


class Faults(Window):
    """Set an attribute to break something, set it back to mend it; :meth:`set` sets several, the others off.

    - ``hang``: no answer while True (or for so many seconds, each request). ``delay``: seconds before each answer.
    - ``status``: this status with a proxy's HTML page. ``page``: the page alone, with status 200.
    - ``unauthorized``: 401 as for an expired session.
    - ``reset``: the connection is reset without an answer.
    - ``resolver_error``: GraphQL errors with that text and status 200. ``beside_data``: one of the fields asked for is
      null, an error says so, and the others are answered.
    - ``truncate``: half of each body is missing. ``spoil``: another way of ``sandbox.spoil.SPOILS``. ``drip``: the
      answer's body takes so many seconds.

    Which requests they meet: see :class:`sandbox.window.Window`.
    """

    def __init__(self, server: HttpServer) -> None:
        super().__init__()
        self.server = server
        self._off()

    def _off(self) -> None:
        self.hang: bool | float = False
        self.delay = 0.0
        self.status: int | None = None
        self.page = False
        self.unauthorized = False
        self.reset = False
        self.resolver_error: str | None = None
        self.beside_data = False
        self.truncate = False
        self.spoil: str | None = None
        self.drip = 0.0
        self.open_wide()

    def set(self, **switches: object) -> None:
        """Several switches at once, the others off, e.g. ``set(status=502, times=3, only="graphql")``."""
        self._off()
        for name, value in switches.items():
            if name.startswith("_") or name not in vars(self):
                raise AttributeError(f"no such switch: {name}")
            setattr(self, name, value)

    def refuse(self) -> None:
        """Close the port: connections are refused, those open are cut."""
        self.server.stop()

    def accept(self) -> None:
        """Open the same port again."""
        self.server.start()

    def clear(self) -> None:
        """Mend everything."""
        self._off()
        self.accept()

    def concerning(self, request: Request) -> Faults | None:
        """These switches where the request is met by them, else None. Counts the request."""
        return self if self.meets(f"{request.method} {request.path}") else None

    def before(self, request: Request, closing: Callable[[], bool]) -> Response | None:
        """What a fault answers instead of the server, after the waiting it asks for."""
        began = time.monotonic()
        while not closing() and not request.gone():
            waited = time.monotonic() - began
            hanging = self.hang is True or waited < float(self.hang)
            if not hanging and waited >= self.delay:
                break
            time.sleep(_GLANCE)
        if self.reset:
            # a linger of zero seconds turns the close into a reset
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return Response(drop=True)
        if self.status is not None:
            return Response(self.status, _PAGE, [("Content-Type", "text/html")])
        if self.page:
            return spoil.page()
        if self.unauthorized:
            return Response(401, b"", [("WWW-Authenticate", "FormBased")])
        return None

    def after(self, response: Response) -> Response:
        """The answer as it arrives."""
        response.drip = self.drip
        if self.truncate and response.body:
            return Response(response.status, response.body[: len(response.body) // 2], response.headers)
        return response if self.spoil is None else spoil.spoiled(response, self.spoil)

    def partly(self, response: Response) -> Response:
        """A GraphQL answer of which one field is lost, with ``beside_data``; before it is compressed."""
        if not self.beside_data:
            return response
        try:
            answer = json.loads(response.body)
            lost = next(name for name, value in answer["data"].items() if value is not None)
        except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
            return response
        answer["data"][lost] = None
        answer["errors"] = [{"message": _LOST, "path": [lost]}]
        response.body = json.dumps(answer).encode()
        return response

"""Switches for faults that a plugin meets but Stash itself does not cause (stash 11, last part)."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable

from .. import corrupt_responses
from ..fault_scope import FaultScope
from ..http import HttpServer, Request, Response

_POLL_S = 0.02
_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
# The error beside a null field (see ``beside_data``).
_FIELD_ERROR = "database is locked"


class Faults(FaultScope):
    """Switches, all off at first. Set an attribute, or several with :meth:`set`; :meth:`clear` turns all off.

    - ``hang``: no answer while True, or for so many seconds per request. ``delay``: seconds before each answer.
    - ``status``: a proxy's HTML page with this status. ``page``: a proxy's sign-in page with status 200.
    - ``unauthorized``: 401 as for an expired session.
    - ``reset``: the connection is reset without an answer.
    - ``resolver_error``: GraphQL errors with this text and status 200. ``beside_data``: one of the requested fields is
      null with an error, and the others are answered.
    - ``truncate``: half of each body is missing. ``corrupt``: one of the other ways of
      ``sandbox.corrupt_responses.CORRUPTIONS``. ``drip``: send the answer's body over so many seconds.

    Which requests are affected: see :class:`sandbox.fault_scope.FaultScope`.
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
        self.corrupt: str | None = None
        self.drip = 0.0
        self.clear_scope()

    def set(self, **switches: object) -> None:
        """Set several switches and turn the others off, e.g. ``set(status=502, times=3, only="graphql")``."""
        self._off()
        for name, value in switches.items():
            if name.startswith("_") or name not in vars(self):
                raise AttributeError(f"no such switch: {name}")
            setattr(self, name, value)

    def refuse(self) -> None:
        """Close the port: refuse new connections and cut the open ones."""
        self.server.stop()

    def accept(self) -> None:
        """Open the same port again."""
        self.server.start()

    def clear(self) -> None:
        """Turn everything off and open the port."""
        self._off()
        self.accept()

    def matching(self, request: Request) -> Faults | None:
        """Return these switches if they apply to the request, else None, and count the request."""
        return self if self.applies_to(f"{request.method} {request.path}") else None

    def before(self, request: Request, closing: Callable[[], bool]) -> Response | None:
        """Wait as the switches say, and return the answer that replaces the server's, or None."""
        began = time.monotonic()
        while not closing() and not request.gone():
            waited = time.monotonic() - began
            hanging = self.hang is True or waited < float(self.hang)
            if not hanging and waited >= self.delay:
                break
            time.sleep(_POLL_S)
        if self.reset:
            # a linger of zero seconds turns the close into a reset
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return Response(drop=True)
        if self.status is not None:
            return Response(self.status, _PAGE, [("Content-Type", "text/html")])
        if self.page:
            return corrupt_responses.proxy_page()
        if self.unauthorized:
            return Response(401, b"", [("WWW-Authenticate", "FormBased")])
        return None

    def after(self, response: Response) -> Response:
        """Return the server's answer as it arrives at the client."""
        response.drip = self.drip
        if self.truncate and response.body:
            return Response(response.status, response.body[: len(response.body) // 2], response.headers)
        return response if self.corrupt is None else corrupt_responses.corrupted(response, self.corrupt)

    def drop_one_field(self, response: Response) -> Response:
        """With ``beside_data``, replace one field of an uncompressed GraphQL answer by null and an error."""
        if not self.beside_data:
            return response
        try:
            answer = json.loads(response.body)
            lost = next(name for name, value in answer["data"].items() if value is not None)
        except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
            return response
        answer["data"][lost] = None
        answer["errors"] = [{"message": _FIELD_ERROR, "path": [lost]}]
        response.body = json.dumps(answer).encode()
        return response

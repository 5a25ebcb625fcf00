"""Switches for everything that can go wrong on a real server (plex 1.4, 9, 11.2)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from sandbox import corrupt_responses
from sandbox.fault_scope import FaultScope
from sandbox.http import Request, Response
from sandbox.plex.responses import STARTING, StatusError, error_page, maintenance_response

Answer = Callable[[Request], Response]
_WRITES = {"PUT", "POST", "DELETE"}


class Faults(FaultScope):
    """Switches, all off at first. Set an attribute, or several with :meth:`set`; :meth:`clear` turns all off.

    - ``hang``: hold requests until cleared (True) or for so many seconds. The request is not carried out, unless
      ``hang_after`` is on: then only its answer is held (a read time-out after a successful write).
    - ``status``: answer every request with this status, ``/identity`` too; 503 is the maintenance answer. ``headers``
      are added to it.
    - ``starting_up``: writes get 400 "still starting up", reads work.
    - ``busy_every``: every n-th write gets 500.
    - ``reset``: the connection is reset without an answer; ``drop``: it is closed.
    - ``page``: a proxy answers with its own HTML page and this status.
    - ``after``: carry the request out before ``reset``, ``drop``, ``page`` or ``status``: only its answer is lost.
    - ``corrupt``: carry the request out and corrupt its answer in one of the ways of
      ``sandbox.corrupt_responses.CORRUPTIONS``.
    - ``drip``: send the answer's body over so many seconds.
    - ``latency``: seconds per request. ``write_latency``: more seconds per write (writes wait for each other).
      ``item_latency``: seconds per item of a listing.

    Affected requests: see :class:`sandbox.fault_scope.FaultScope`. After ``times`` requests everything is off.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._write_turn = threading.Lock()
        self._release = threading.Event()
        self._writes = 0
        self._connections: set[socket.socket] = set()
        self._open: Callable[[], None] = lambda: None
        self._close: Callable[[], None] = lambda: None
        self.clear()

    def clear(self) -> None:
        """Turn everything off and release held requests. A refused port stays refused until :meth:`accept`."""
        self._release.set()
        self._release = threading.Event()
        self.hang: bool | float = False
        self.hang_after = False
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.starting_up = False
        self.busy_every = 0
        self.reset = False
        self.drop = False
        self.page: int | None = None
        self.after = False
        self.corrupt: str | None = None
        self.drip = 0.0
        self.latency = 0.0
        self.write_latency = 0.0
        self.item_latency = 0.0
        self.clear_scope()

    def set(self, **switches: object) -> None:
        """Set several switches and turn the others off, e.g. ``set(status=503, times=3, only="^PUT")``."""
        self.clear()
        for name, value in switches.items():
            if name.startswith("_") or name not in vars(self):
                raise AttributeError(f"no such switch: {name}")
            setattr(self, name, value)

    def bind(self, open_port: Callable[[], None], close_port: Callable[[], None]) -> None:
        """Set the functions that open and close the port."""
        self._open, self._close = open_port, close_port

    def refuse(self) -> None:
        """Close the port: refuse new connections and cut the open ones."""
        self._close()

    def accept(self) -> None:
        """Open the same port again."""
        self._open()

    def close_idle(self) -> None:
        """Close all kept-alive connections, as PMS does after 20 idle seconds: the next request on one fails once."""
        with self._lock:
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def apply(self, request: Request, answer: Answer) -> Response:
        """Answer a request with the active switches applied."""
        with self._lock:
            self._connections = {known for known in self._connections if known.fileno() >= 0} | {request.connection}
        write = request.method in _WRITES
        if not self._applies_to(request):
            return answer(request)
        if self.latency:
            time.sleep(self.latency)
        if write and self.write_latency:
            with self._write_turn:
                time.sleep(self.write_latency)
        # read together: another thread may clear the switches in between
        after, release, hang, how, drip = (
            self.after or self.hang_after,
            self._release,
            self.hang,
            self.corrupt,
            self.drip,
        )
        response = answer(request) if after else None
        failed = self._fail(request, write)
        if failed is not None:
            return failed
        if hang is not False and not self._hold(request, release, None if hang is True else float(hang)):
            return Response(drop=True)
        response = response if response is not None else answer(request)
        response.drip = drip
        return corrupt_responses.corrupted(response, how) if how is not None else response

    def delay_listing(self, items: int) -> None:
        """Wait as long as a listing of this many items takes."""
        if self.item_latency and items:
            time.sleep(self.item_latency * items)

    def _is_any_active(self) -> bool:
        return bool(
            self.hang is not False or self.status or self.starting_up or self.busy_every or self.reset or self.drop
            or self.page or self.corrupt or self.drip or self.latency or self.write_latency
        )  # fmt: skip

    def _applies_to(self, request: Request) -> bool:
        if not self._is_any_active():
            return False
        if self.is_used_up:
            self.clear()
            return False
        return self.applies_to(f"{request.method} {request.path}")

    def _fail(self, request: Request, write: bool) -> Response | None:
        if self.reset:
            # a linger of zero seconds turns the close into a reset
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return Response(drop=True)
        if self.drop:
            return Response(drop=True)
        if self.page is not None:
            return corrupt_responses.proxy_page(self.page)
        if self.status is not None:
            failed = maintenance_response(request) if self.status == 503 else error_page(StatusError(self.status))
            failed.headers += self.headers
            return failed
        if write and self.starting_up:
            return error_page(StatusError(400, STARTING))
        if write and self.busy_every:
            with self._lock:
                self._writes += 1
                busy = self._writes % self.busy_every == 0
            if busy:
                return error_page(StatusError(500, "Waited over 10 seconds for a busy database; giving up"))
        return None

    @staticmethod
    def _hold(request: Request, release: threading.Event, seconds: float | None) -> bool:
        """Hold a request. Return False if its client went away meanwhile."""
        end = None if seconds is None else time.monotonic() + seconds
        while not release.wait(0.02):
            if request.gone():
                return False
            if end is not None and time.monotonic() >= end:
                return True
        return not request.gone()

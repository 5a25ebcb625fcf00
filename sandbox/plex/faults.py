"""Everything that goes wrong on a real server, by switch (plex 1.4, 9, 11.2)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from sandbox import spoil
from sandbox.http import Request, Response
from sandbox.plex.answers import STARTING, StatusError, maintenance, refused
from sandbox.window import Window

Answer = Callable[[Request], Response]
_WRITES = {"PUT", "POST", "DELETE"}


class Faults(Window):
    """Switches, all off at first. A test sets attributes, or several at once by :meth:`set`; :meth:`clear` ends them.

    - ``hang``: True until cleared or the client is gone, or seconds. The request is not carried out, unless
      ``hang_after`` is on: then it is, and only its answer is held back (a read time-out after a good write).
    - ``status``: answer everything, ``/identity`` too, with it; 503 is the maintenance answer. ``headers`` go with it.
    - ``starting_up``: writes get 400 "still starting up", reads work.
    - ``busy_every``: every n-th write gets 500.
    - ``reset``: the connection is reset without an answer; ``drop``: it is closed.
    - ``page``: a proxy answers with its own HTML page, and this status.
    - ``after``: ``reset``, ``drop``, ``page`` and ``status`` come after the request was carried out: only its answer is
      lost.
    - ``spoil``: the request is carried out and its answer spoiled, in one of the ways of ``sandbox.spoil.SPOILS``.
    - ``drip``: the answer's body takes so many seconds.
    - ``latency``, ``write_latency``: seconds per request, and more per write (writes wait for each other);
      ``item_latency``: seconds per item of a listing.

    Which requests they meet: see :class:`sandbox.window.Window`; once ``times`` were met, everything is off.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._write_turn = threading.Lock()
        self._let_go = threading.Event()
        self._writes = 0
        self._connections: set[socket.socket] = set()
        self._open: Callable[[], None] = lambda: None
        self._close: Callable[[], None] = lambda: None
        self.clear()

    def clear(self) -> None:
        """Switch everything off; requests that hang go on. A refused port stays refused until :meth:`accept`."""
        self._let_go.set()
        self._let_go = threading.Event()
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
        self.spoil: str | None = None
        self.drip = 0.0
        self.latency = 0.0
        self.write_latency = 0.0
        self.item_latency = 0.0
        self.open_wide()

    def set(self, **switches: object) -> None:
        """Several switches at once, the others off, e.g. ``set(status=503, times=3, only="^PUT")``."""
        self.clear()
        for name, value in switches.items():
            if name.startswith("_") or name not in vars(self):
                raise AttributeError(f"no such switch: {name}")
            setattr(self, name, value)

    def bind(self, open_port: Callable[[], None], close_port: Callable[[], None]) -> None:
        """Say how the port is opened and closed."""
        self._open, self._close = open_port, close_port

    def refuse(self) -> None:
        """Close the port: connections are refused, those open are cut."""
        self._close()

    def accept(self) -> None:
        """Open the same port again."""
        self._open()

    def close_idle(self) -> None:
        """Close all kept-alive connections, as PMS does after 20 idle seconds: the next use of one fails once."""
        with self._lock:
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def around(self, request: Request, answer: Answer) -> Response:
        """Answer a request through all switches that are on."""
        with self._lock:
            self._connections = {known for known in self._connections if known.fileno() >= 0} | {request.connection}
        write = request.method in _WRITES
        if not self._concerns(request):
            return answer(request)
        if self.latency:
            time.sleep(self.latency)
        if write and self.write_latency:
            with self._write_turn:
                time.sleep(self.write_latency)
        # together, since another thread may clear the switches meanwhile
        after, let_go, hang, how, drip = self.after or self.hang_after, self._let_go, self.hang, self.spoil, self.drip
        response = answer(request) if after else None
        failed = self._fail(request, write)
        if failed is not None:
            return failed
        if hang is not False and not self._held(request, let_go, None if hang is True else float(hang)):
            return Response(drop=True)
        response = response if response is not None else answer(request)
        response.drip = drip
        return spoil.spoiled(response, how) if how is not None else response

    def listing(self, items: int) -> None:
        """Wait as long as a listing of so many items takes."""
        if self.item_latency and items:
            time.sleep(self.item_latency * items)

    def _any(self) -> bool:
        return bool(
            self.hang is not False or self.status or self.starting_up or self.busy_every or self.reset or self.drop
            or self.page or self.spoil or self.drip or self.latency or self.write_latency
        )  # fmt: skip

    def _concerns(self, request: Request) -> bool:
        if not self._any():
            return False
        if self.over:
            self.clear()
            return False
        return self.meets(f"{request.method} {request.path}")

    def _fail(self, request: Request, write: bool) -> Response | None:
        if self.reset:
            # a linger of zero seconds turns the close into a reset
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return Response(drop=True)
        if self.drop:
            return Response(drop=True)
        if self.page is not None:
            return spoil.page(self.page)
        if self.status is not None:
            failed = maintenance(request) if self.status == 503 else refused(StatusError(self.status))
            failed.headers += self.headers
            return failed
        if write and self.starting_up:
            return refused(StatusError(400, STARTING))
        if write and self.busy_every:
            with self._lock:
                self._writes += 1
                busy = self._writes % self.busy_every == 0
            if busy:
                return refused(StatusError(500, "Waited over 10 seconds for a busy database; giving up"))
        return None

    @staticmethod
    def _held(request: Request, let_go: threading.Event, seconds: float | None) -> bool:
        """Hold a request back. False where its client went away meanwhile."""
        end = None if seconds is None else time.monotonic() + seconds
        while not let_go.wait(0.02):
            if request.gone():
                return False
            if end is not None and time.monotonic() >= end:
                return True
        return not request.gone()

"""The HTTP server that both simulators use: threaded, on a free loopback port.

A simulator passes one function from :class:`Request` to :class:`Response`. All plain HTTP is here: keep-alive, sending
head and body together, refusing connections while keeping the port.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """One request as received. ``query`` is decoded once, with blank values and in order."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    client: str
    connection: socket.socket
    query: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Return the header's value or None; names ignore letter case."""
        return self.headers.get(name.lower())

    def gone(self) -> bool:
        """Return whether the client has closed its side of the connection."""
        try:
            return _is_readable(self.connection) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True


def _is_readable(connection: socket.socket) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    # select refuses descriptors above 1023, which a server may get in a long test run.
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@dataclass
class Response:
    """A response to send. ``Content-Length`` is added.

    ``drop`` closes the connection without an answer. ``part`` below 1 is the share of the body that is sent before the
    connection is closed. ``drip`` is the number of seconds over which the body is sent in small pieces. ``take_over``
    gets the connection after the head is sent; when it returns, the connection is closed.
    """

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    drop: bool = False
    part: float = 1.0
    drip: float = 0.0
    take_over: Callable[[socket.socket], None] | None = None


Handle = Callable[[Request], Response]
_DRIPS = 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # send head and body together (plex 11.2)
    server: _Server

    def handle_any(self) -> None:
        split = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=split.path,
            raw_query=split.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            client=str(self.client_address[0]),
            connection=self.connection,
            query=parse_qsl(split.query, keep_blank_values=True),
        )
        response = self.server.handle(request)
        if response.drop:
            self.close_connection = True
            return
        names = {name.lower() for name, _ in response.headers}
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if "content-length" not in names and response.status not in (101, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write_body(response)
        self.wfile.flush()
        if response.take_over is not None:
            self.close_connection = True
            response.take_over(self.connection)

    def _write_body(self, response: Response) -> None:
        body = response.body
        if response.part < 1:
            body = body[: int(len(body) * response.part)]
            self.close_connection = True
        if not response.drip:
            self.wfile.write(body)
            return
        for number in range(_DRIPS):
            self.wfile.write(body[len(body) * number // _DRIPS : len(body) * (number + 1) // _DRIPS])
            self.wfile.flush()
            time.sleep(response.drip / _DRIPS)

    # the base class requires these names
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = handle_any  # noqa: N815 - the names http.server looks for

    def handle(self) -> None:
        # Ignore a client that disconnects during the request.
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().finish()
        # if the client has gone, the writer's last flush fails before the reader is closed
        self.rfile.close()

    def log_message(self, format: str, *args: object) -> None:
        """Do nothing: the simulators have their own request logs."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port: int, handle: Handle, tls: ssl.SSLContext | None) -> None:
        self.handle = handle
        self._tls = tls
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        # Connection errors are normal while the server closes; all others are bugs of the simulator.
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the stub is narrower than the method

    def drop_all(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class HttpServer:
    """A server that can be started, made to refuse connections, and stopped, always on the same port.

    ``port`` 0 takes a free one. ``tls`` is a server-side context for https.
    """

    def __init__(self, handle: Handle, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._tls = tls
        self._server: _Server | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Open the port (again). Do nothing if it is open."""
        if self._server is not None:
            return
        self._server = _Server(self.port, self._handle, self._tls)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection; new ones are refused until :meth:`start`."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.drop_all()

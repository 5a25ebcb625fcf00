"""Record the HTTP requests to both servers, and let a bare client send them again."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

from sandbox.demo.servers import DemoServers
from sandbox.http import Handle, HttpServer, Request, Response

# Headers that each client and connection sets itself.
_CONNECTION_HEADERS = {"host", "content-length", "connection"}
# Not recorded: Stash would start a plugin process for them.
_STARTS_PROCESS = (b"runPluginOperation", b"runPluginTask")

# Only the HTTP client that plexapi and stashapp-tools use: it reads every answer to its end and discards it.
_BARE_CLIENT = """
import pickle, sys
import requests
with open(sys.argv[1], "rb") as file:
    bases, asked = pickle.load(file)
sessions = []
for base in bases:
    sessions.append(requests.Session())
    sessions[-1].trust_env = False
for server, method, target, headers, body in asked:
    sessions[server].request(method, bases[server] + target, data=body or None, headers=headers, allow_redirects=False)
"""


@dataclass
class RecordedRequests:
    """Requests in order of arrival: (server, method, target, headers, body).

    ``began`` and ``ended`` are the monotonic times of the first request and of the last answer.
    """

    requests: list[tuple[int, str, str, dict[str, str], bytes]] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    @property
    def took(self) -> float:
        """The seconds from the first request to the last answer."""
        return self.ended - self.began

    def count(self, server: int | None = None, method: str | None = None) -> int:
        """Return the number of requests, if given only to one server (0 Stash, 1 Plex) or of one method."""
        return sum(server in (None, request[0]) and method in (None, request[1]) for request in self.requests)


class RequestRecorder:
    """A context manager that records every request to both servers."""

    def __init__(self, servers: DemoServers) -> None:
        self._servers: list[HttpServer] = [servers.stash._http, servers.plex._http]
        self._kept: list[Handle] = []
        self._lock = threading.Lock()
        self.recorded = RecordedRequests()

    def __enter__(self) -> RecordedRequests:
        for number, server in enumerate(self._servers):
            assert server._server is not None
            self._kept.append(server._server.handle)
            server._server.handle = self._recording(number, server._server.handle)
        return self.recorded

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for server, handle in zip(self._servers, self._kept, strict=True):
            assert server._server is not None
            server._server.handle = handle

    def _recording(self, number: int, handle: Handle) -> Handle:
        recorded = self.recorded

        def record(request: Request) -> Response:
            if any(word in request.body for word in _STARTS_PROCESS):
                return handle(request)
            began = time.monotonic()
            response = handle(request)
            target = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
            headers = {name: value for name, value in request.headers.items() if name not in _CONNECTION_HEADERS}
            with self._lock:
                recorded.began = recorded.began or began
                recorded.ended = time.monotonic()
                recorded.requests.append((number, request.method, target, headers, request.body))
            return response

        return record


def replay(servers: DemoServers, recorded: RecordedRequests) -> RecordedRequests:
    """Let a bare client in its own process send the same requests. Return what the servers saw of it."""
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(((servers.stash.url, servers.plex.url), recorded.requests), file)
        file.flush()
        with RequestRecorder(servers) as again:
            subprocess.run([sys.executable, "-c", _BARE_CLIENT, file.name], check=True)
    if len(again.requests) != len(recorded.requests):
        raise RuntimeError(f"{len(again.requests)} requests were repeated instead of {len(recorded.requests)}")
    return again

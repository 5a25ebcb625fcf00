"""What went over the wire to the two servers, to be sent once more by a client that does nothing else."""

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

# What a client makes for itself, and what a connection is about.
_ITS_OWN = {"host", "content-length", "connection"}
# Stash would start a process of the plugin for them.
_STARTS_SOMETHING = (b"runPluginOperation", b"runPluginTask")

# The HTTP client that plexapi and stashapp-tools are built on, and nothing else: every answer is read to its end and
# thrown away.
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
class RequestCounts:
    """Requests in the order they came: (server, method, target, headers, body); ``began`` and ``ended`` are the
    monotonic seconds of the first and of the last one's answer."""

    asked: list[tuple[int, str, str, dict[str, str], bytes]] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    @property
    def took(self) -> float:
        """Seconds from the first request to the last answer."""
        return self.ended - self.began

    def count(self, server: int | None = None, method: str | None = None) -> int:
        """How many requests, to one server (0 Stash, 1 Plex), of one method."""
        return sum(server in (None, one[0]) and method in (None, one[1]) for one in self.asked)


class Tap:
    """Notes every request to a stage's servers while it is open, as a context manager."""

    def __init__(self, servers: DemoServers) -> None:
        self._servers: list[HttpServer] = [servers.stash._http, servers.plex._http]
        self._kept: list[Handle] = []
        self._lock = threading.Lock()
        self.traffic = RequestCounts()

    def __enter__(self) -> RequestCounts:
        for number, one in enumerate(self._servers):
            assert one._server is not None
            self._kept.append(one._server.handle)
            one._server.handle = self._noting(number, one._server.handle)
        return self.traffic

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one, handle in zip(self._servers, self._kept, strict=True):
            assert one._server is not None
            one._server.handle = handle

    def _noting(self, number: int, handle: Handle) -> Handle:
        traffic = self.traffic

        def noted(request: Request) -> Response:
            if any(word in request.body for word in _STARTS_SOMETHING):
                return handle(request)
            began = time.monotonic()
            response = handle(request)
            target = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
            headers = {name: value for name, value in request.headers.items() if name not in _ITS_OWN}
            with self._lock:
                traffic.began = traffic.began or began
                traffic.ended = time.monotonic()
                traffic.asked.append((number, request.method, target, headers, request.body))
            return response

        return noted


def replay(servers: DemoServers, traffic: RequestCounts) -> RequestCounts:
    """Have a bare client send the same requests, in a process of its own; gives what was seen of it."""
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(((servers.stash.url, servers.plex.url), traffic.asked), file)
        file.flush()
        with Tap(servers) as again:
            subprocess.run([sys.executable, "-c", _BARE_CLIENT, file.name], check=True)
    if len(again.asked) != len(traffic.asked):
        raise RuntimeError(f"{len(again.asked)} requests were sent again instead of {len(traffic.asked)}")
    return again

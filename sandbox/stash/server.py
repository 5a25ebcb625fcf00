"""One request from the socket to the answer: faults, authentication, GraphQL or a file (stash 6)."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from dataclasses import dataclass, field

from ..http import Request, Response
from . import graphql_http, subscriptions
from .auth import Requester, WrongKeyError, refusal
from .core import Context, Core
from .faults import Faults
from .routes import is_open, redirect, route

_COMPRESSED = ("application/json", "text/", "image/svg+xml")
THROUGH_FAULTS = "x-sandbox-through-faults"


@dataclass(frozen=True)
class RequestRecord:
    """One received request; ``auth`` is "cookie", "apikey" or "none", by what was sent."""

    method: str
    path: str
    fields: tuple[str, ...]
    auth: str


@dataclass
class RequestCounter:
    """The requests so far."""

    requests: list[RequestRecord] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: Request, fields: list[str], auth: str) -> None:
        """Count a request: by kind, and for GraphQL once for each root field."""
        names = [_kind(request.path), *(f"graphql:{name}" for name in fields)]
        with self._lock:
            self.requests.append(RequestRecord(request.method, request.path, tuple(fields), auth))
            self.counters.update(names)

    def reset(self) -> None:
        """Restart the counts."""
        with self._lock:
            self.requests.clear()
            self.counters.clear()


def _kind(path: str) -> str:
    if path == "/graphql":
        return "graphql"
    if path.endswith(("/screenshot", "/image", "/frontimage", "/backimage")):
        return "image"
    return "other"


class Server:
    """Answers the requests of one core."""

    def __init__(self, core: Core, request_counter: RequestCounter) -> None:
        self.core, self.request_counter = core, request_counter
        self.faults: Faults | None = None

    def handle(self, request: Request) -> Response:
        """Return the answer to any request."""
        asked, problem = self._understood(request)
        self.request_counter.note(request, asked.fields if asked else [], _auth_sent(request))
        faults = self.faults.matching(request) if self.faults and not request.header(THROUGH_FAULTS) else None
        broken = faults.before(request, self.core.closing.is_set) if faults else None
        response = broken or self._answer(request, asked, problem, faults)
        if broken is None:
            response = _compressed(request, faults.drop_one_field(response) if faults else response)
        return faults.after(response) if faults and not broken else response

    def _understood(self, request: Request) -> tuple[graphql_http.ParsedRequest | None, graphql_http.WireError | None]:
        if request.path != "/graphql" or subscriptions.wanted(request):
            return None, None
        try:
            return graphql_http.parse_request(request, self.core.options.at_least), None
        except graphql_http.WireError as error:
            return None, error

    def _answer(
        self,
        request: Request,
        asked: graphql_http.ParsedRequest | None,
        problem: graphql_http.WireError | None,
        faults: Faults | None,
    ) -> Response:
        if request.path == "/healthz":
            return route(self.core, request)
        try:
            requester = self.core.sessions.requester(request)
        except WrongKeyError:
            return _unauthorized()
        if self.core.sessions.locked and not requester.user and not is_open(request.path):
            _, location = refusal(request.path, request.raw_query)
            return redirect(location) if location else _unauthorized()
        response = self._content(request, requester, asked, problem, faults)
        if requester.set_cookie:
            response.headers.append(("Set-Cookie", requester.set_cookie))
        return response

    def _content(
        self,
        request: Request,
        requester: Requester,
        asked: graphql_http.ParsedRequest | None,
        problem: graphql_http.WireError | None,
        faults: Faults | None,
    ) -> Response:
        kind = graphql_http.media_type(request, self.core.options.at_least)
        if problem is not None:
            return graphql_http.refused(problem, kind)
        if subscriptions.wanted(request):
            return subscriptions.accept(self.core, request)
        if asked is None:
            return route(self.core, request)
        if faults and faults.resolver_error is not None:
            return graphql_http.resolver_fault(faults.resolver_error, asked, kind)
        return graphql_http.answer(Context(self.core, request, requester, self._base(request)), asked, kind)

    def _base(self, request: Request) -> str:
        """Return the beginning of image links: external_host, or scheme and host as the client sent them (stash 8)."""
        prefix = request.header("x-forwarded-prefix") or ""
        if self.core.options.external_host:
            return self.core.options.external_host.rstrip("/") + prefix
        scheme = request.header("x-forwarded-proto") or self.core.options.scheme
        return f"{scheme}://{request.header('host') or '127.0.0.1'}{prefix}"


def _compressed(request: Request, response: Response) -> Response:
    """Return the answer gzipped if the client accepts that and the content is text (stash 6)."""
    kind = next((value for name, value in response.headers if name == "Content-Type"), "")
    wanted = "gzip" in (request.header("accept-encoding") or "")
    if not wanted or response.status != 200 or not kind.startswith(_COMPRESSED):
        return response
    headers = [*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return Response(response.status, gzip.compress(response.body, 4), headers)


def _unauthorized() -> Response:
    return Response(401, b"", [("WWW-Authenticate", "FormBased")])


def _auth_sent(request: Request) -> str:
    if request.header("apikey") or any(name == "apikey" for name, _ in request.query):
        return "apikey"
    return "cookie" if "session=" in (request.header("cookie") or "") else "none"

"""Responses in the wording of PMS: headers, empty writes, small HTML error pages (plex 1.2, 1.3, 9)."""

from __future__ import annotations

import gzip
from http import HTTPStatus

from sandbox.http import Request, Response
from sandbox.plex.markup import Node, document, json_document

MAINTENANCE = "Plex Media Server is currently running startup maintenance tasks."
STARTING = "the server is still starting up. Please retry later"


class StatusError(Exception):
    """A request that the server refuses with a status and sometimes a text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(f"{status} {text}".strip())
        self.status = status
        self.text = text


def wants_json(request: Request) -> bool:
    """Return whether JSON is requested by name; ``*/*`` gets XML."""
    return "application/json" in (request.header("accept") or "")


def rendered(request: Request, root: Node, headers: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    """Return a tree in the form that the client accepts."""
    if wants_json(request):
        return Response(status, json_document(root), [("Content-Type", "application/json"), *(headers or [])])
    return Response(status, document(root), [("Content-Type", "text/xml;charset=utf-8"), *(headers or [])])


def empty_response() -> Response:
    """Return the answer to a successful write."""
    return Response(200, b"", [("Content-Type", "text/html"), ("Content-Length", "0")])


def error_page(error: StatusError) -> Response:
    """Return the HTML page of an error."""
    phrase = HTTPStatus(error.status).phrase
    text = f"<p>{error.text}</p>" if error.text else ""
    page = f"<html><head><title>{phrase}</title></head><body><h1>{error.status} {phrase}</h1>{text}</body></html>"
    return Response(error.status, page.encode(), [("Content-Type", "text/html")])


def maintenance_response(request: Request) -> Response:
    """Return the 503 of the first seconds after start and of database migrations (plex 1.4)."""
    return rendered(request, Node("Response", {"code": 503, "title": "Maintenance", "status": MAINTENANCE}), status=503)


def finalized(request: Request, response: Response, compress: bool) -> Response:
    """Add the headers of every answer, and compress the body if the client accepts that."""
    response.headers += [
        ("X-Plex-Protocol", "1.0"),
        ("Cache-Control", "no-cache"),
        ("Connection", "Keep-Alive"),
        ("Keep-Alive", "timeout=20"),
    ]
    kind = next((value for name, value in response.headers if name == "Content-Type"), "")
    accepted = "gzip" in (request.header("accept-encoding") or "")
    if compress and accepted and response.body and kind.startswith(("text/xml", "application/json")):
        original = len(response.body)
        response.body = gzip.compress(response.body, 1, mtime=0)
        response.headers += [
            ("Content-Encoding", "gzip"),
            ("X-Plex-Content-Original-Length", str(original)),
            ("X-Plex-Content-Compressed-Length", str(len(response.body))),
        ]
    return response

"""Corrupted responses, as a proxy, a bad connection or a failing server would produce them."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.http import Response

_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title><meta charset=utf-8></head><body><h1>Sign in</h1>"
    b"<p>Your session with the gateway is over.<br>Please sign in again.</body></html>"
)


def proxy_page(status: int = 200) -> Response:
    """Return the sign-in page of a proxy that answers instead of the server."""
    return Response(status, _PAGE, [("Content-Type", "text/html; charset=utf-8")])


def _half(response: Response) -> Response:
    response.part = 0.5
    return response


def _cut(response: Response) -> Response:
    response.body = response.body[: len(response.body) // 2]
    return response


def _empty(response: Response) -> Response:
    response.body = b""
    return response


def _latin_1(response: Response) -> Response:
    # still labelled UTF-8
    response.body = response.body.decode("utf-8", "replace").encode("latin-1", "replace")
    return response


def _utf_16(response: Response) -> Response:
    response.body = response.body.decode("utf-8", "replace").encode("utf-16-le")
    return response


def _noise(response: Response) -> Response:
    middle = len(response.body) // 2
    response.body = response.body[:middle] + bytes(range(256)) + response.body[middle:]
    return response


def _entities(response: Response) -> Response:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    response.body = b'<?xml version="1.0"?>' + bomb + b"<MediaContainer><Video title='&b;'/></MediaContainer>"
    return response


# "half" ends in the middle of the promised length, "cut" is shorter and says so; the others arrive complete but wrong.
CORRUPTIONS: dict[str, Callable[[Response], Response]] = {
    "half": _half,
    "cut": _cut,
    "empty": _empty,
    "latin-1": _latin_1,
    "utf-16": _utf_16,
    "noise": _noise,
    "entities": _entities,
}


def corrupted(response: Response, how: str) -> Response:
    """Corrupt a response in one of the ways of CORRUPTIONS; leave one without a body as it is."""
    return CORRUPTIONS[how](response) if response.body else response

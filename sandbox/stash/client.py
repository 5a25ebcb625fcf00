"""A minimal browser: sends GraphQL over HTTP with its session cookie and stores refreshed ones."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any


class StashGraphQLError(Exception):
    """The answer had errors; ``errors`` is the list, ``status`` the HTTP status, ``data`` what came with them."""

    def __init__(self, errors: list[dict[str, Any]], status: int, data: Any = None) -> None:
        super().__init__("; ".join(str(error.get("message")) for error in errors) or f"HTTP {status}")
        self.errors, self.status, self.data = errors, status, data


class Browser:
    """A client of one server on loopback."""

    def __init__(self, port: int, cookie: str | None, tls: bool = False) -> None:
        self._port, self._cookie, self._tls = port, cookie, tls

    def gql(
        self, query: str, variables: Mapping[str, Any] | None, timeout: float, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """``data`` of the answer. Raise :class:`StashGraphQLError`, OSError, TimeoutError."""
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        if self._cookie:
            sent["Cookie"] = f"session={self._cookie}"
        connection = self._connect(timeout)
        try:
            connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables or {}}), sent)
            answer = connection.getresponse()
            body = answer.read()
            self._take_cookie(answer.getheader("Set-Cookie"))
        finally:
            connection.close()
        return _data(answer.status, body)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=timeout, context=trusting)

    def _take_cookie(self, header: str | None) -> None:
        if header and header.startswith("session="):
            self._cookie = header.partition(";")[0].partition("=")[2]


def _data(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise StashGraphQLError([], status, body.decode("utf-8", "replace")) from None
    errors = answer.get("errors")
    if errors or status != 200:
        raise StashGraphQLError(errors or [], status, answer.get("data"))
    found: dict[str, Any] = answer["data"]
    return found

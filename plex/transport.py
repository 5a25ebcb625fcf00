"""Requests to one Plex server over urllib3, which requests (and so plexapi) uses itself.

The same bytes are sent at half the cost, which counts with thousands of edits: see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from plex.exceptions import PlexTemporaryError, translate_plex_exception

if TYPE_CHECKING:
    import requests


class HttpAnswer(NamedTuple):
    """The answer to a request: HTTP status, and the decompressed body."""

    status: int
    content: bytes


class Transport:
    """A connection pool beside that of ``session``, with the same headers and certificate checks.

    ``timeout``: seconds to connect, and of silence while reading. Two threads may send at a time.
    """

    def __init__(self, session: requests.Session, timeout: tuple[float, float]) -> None:
        import urllib3
        from certifi import where

        self._session = session
        self._pools = urllib3.PoolManager(maxsize=2, ca_certs=where(), cert_reqs="CERT_REQUIRED")
        self._timeout = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        self._session_timeout = timeout
        # Raise errors at once, and return redirects as answers.
        self._no_retries = urllib3.Retry(total=False)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """Send one request and return the answer, whatever its status. Raise PlexTemporaryError.

        A request that met a connection that Plex had closed while it was idle is sent once more.
        """
        try:
            try:
                return self._send(method, url, headers, body)
            except Exception as error:  # a closed connection has no class of its own
                # Plex closes an idle connection after 20 s: the first request over it may fail (plex 9). A repeated
                # read or edit changes nothing. A picture is not sent twice: Plex may have taken it, and the caller can
                # check that (plex 5).
                if body is not None or not _is_closed_idle_connection(error):
                    raise
                return self._send(method, url, headers, body)
        except Exception as error:  # of requests, urllib3 or the socket
            raise translate_plex_exception(error) from error

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> HttpAnswer:
        all_headers = {**self._session.headers, **headers}
        response = self._pools.urlopen(
            method,
            url,
            body=body,
            headers=all_headers,
            timeout=self._timeout,
            retries=self._no_retries,
            redirect=False,
            preload_content=False,
        )
        try:
            content = response.read()
        except Exception as error:  # of the decoder, urllib3 or the socket: an incomplete answer
            response.close()
            raise PlexTemporaryError(f"Plex did not finish its answer ({type(error).__name__})") from error
        if method == "GET" and response.status in (301, 302, 303, 307, 308):
            # Usually a proxy's. requests sends no token to another origin.
            redirected = self._session.get(url, headers=dict(headers), timeout=self._session_timeout)
            return HttpAnswer(redirected.status_code, redirected.content)
        return HttpAnswer(response.status, content)

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()


def _is_closed_idle_connection(error: object) -> bool:
    """Return whether the server had closed the connection. urllib3 and requests wrap the reason as an argument."""
    if not isinstance(error, BaseException):
        return False
    return isinstance(error, ConnectionResetError) or any(_is_closed_idle_connection(part) for part in error.args)

"""Requests to one Plex over urllib3, which does the work in plexapi's own session: the same bytes on the wire, and half
of what the session costs for each of thousands of edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from plex.exceptions import PlexTemporaryError, translate_plex_exception

if TYPE_CHECKING:
    import requests


class HttpAnswer(NamedTuple):
    """What came back: HTTP status, and the body unpacked."""

    status: int
    content: bytes


class Transport:
    """Connections of their own beside those of ``session``, whose headers and way of checking certificates they share.
    ``timeout``: seconds to connect, and of silence while reading. Two threads may ask at a time."""

    def __init__(self, session: requests.Session, timeout: tuple[float, float]) -> None:
        import urllib3
        from certifi import where

        self._session = session
        self._pools = urllib3.PoolManager(maxsize=2, ca_certs=where(), cert_reqs="CERT_REQUIRED")
        self._timeout = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        self._pair = timeout
        # Errors come as they are, and redirects as answers.
        self._once = urllib3.Retry(total=False)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """One request, sent once more where it met a connection that Plex had closed while it was idle. Raises
        PlexTemporaryError; of a status it thinks nothing."""
        try:
            try:
                return self._send(method, url, headers, body)
            except Exception as error:  # those of an idle connection are told by their causes, not by one class
                # Plex closes an idle connection after 20 s: the first request over it may fail once (plex 9). Repeating
                # is harmless: a read changes nothing and an edit only says the same again. A picture is not sent twice:
                # Plex may have taken it, and whoever calls can look (plex 5).
                if body is not None or not _is_closed_idle_connection(error):
                    raise
                return self._send(method, url, headers, body)
        except Exception as error:  # of requests, urllib3 or the socket: each becomes ours
            raise translate_plex_exception(error) from error

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> HttpAnswer:
        all_headers = {**self._session.headers, **headers}
        response = self._pools.urlopen(
            method,
            url,
            body=body,
            headers=all_headers,
            timeout=self._timeout,
            retries=self._once,
            redirect=False,
            preload_content=False,
        )
        try:
            content = response.read()
        except Exception as error:  # of the decoder, urllib3 or the socket: half an answer in each case
            response.close()
            raise PlexTemporaryError(f"Plex did not finish its answer ({type(error).__name__})") from error
        if method == "GET" and response.status in (301, 302, 303, 307, 308):
            # A proxy's, as a rule: requests knows where that may lead.
            there = self._session.get(url, headers=dict(headers), timeout=self._pair)
            return HttpAnswer(there.status_code, there.content)
        return HttpAnswer(response.status, content)

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()


def _is_closed_idle_connection(error: BaseException) -> bool:
    return "RemoteDisconnected" in repr(error) or "ConnectionResetError" in repr(error)

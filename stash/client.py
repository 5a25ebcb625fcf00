"""The GraphQL client for Stash, with its own timeouts and session cookie (stash 6, 7.1)."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, TypedDict

from common.errors import UserFacingError

if TYPE_CHECKING:
    import urllib3

    from stash.scene_source import StashReader

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
# A session cookie lasts an hour unless the administrator has changed that (stash 6).
COOKIE_LIFETIME_S = 3600.0


class StashError(UserFacingError):
    """A request to Stash failed."""

    code = "StashError"


class StashUnreachable(StashError):
    """Stash does not answer, or the answer is not what was asked for. A retry may help."""

    code = "StashUnreachable"


class StashRefused(StashError):
    """Stash does not accept our session any more; the next hook or task has a new one."""

    code = "StashRefused"


class StashQueryError(StashError):
    """Stash answered with GraphQL errors."""

    code = "StashQueryError"


@contextlib.contextmanager
def parsing_answer() -> Iterator[None]:
    """Raise StashUnreachable if the block fails because an answer does not have the expected shape.

    Such an answer is not Stash's but, say, that of a proxy.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        name = type(error).__name__
        raise StashUnreachable(f"Stash answered with something else than was asked for ({name})") from error


class SessionCookie(TypedDict):
    """A cookie as ``server_connection`` has it."""

    Name: str
    Value: str


class SessionCredentials(TypedDict):
    """What authenticates us to Stash, in the shape of ``server_connection``."""

    SessionCookie: SessionCookie
    ApiKey: str


class StashClient:
    """One Stash, reached with what it handed over on standard input (``server_connection``, stash 2.2).

    Keeps the refreshed cookie of each answer, and sends the API key after :meth:`use_api_key`. One thread at a time.
    ``timeout``: seconds to connect, and of silence while reading.
    """

    def __init__(
        self, connection: Mapping[str, object], timeout: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    ) -> None:
        import urllib3

        host = str(connection.get("Host") or "localhost")
        # "All addresses" is where Stash listens, not where it is reached.
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        self.base_url = f"{connection.get('Scheme') or 'http'}://{host}:{connection.get('Port') or 9999}"
        cookie = connection.get("SessionCookie")
        self._cookie = str(cookie.get("Value") or "") if isinstance(cookie, Mapping) else ""
        self._api_key = str(connection.get("ApiKey") or "")
        self._timeout = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        self.cookie_expires_at = time.monotonic() + COOKIE_LIFETIME_S
        # urllib3 rather than requests: no cookie jar, which would interfere (stash 6), and no proxies of the
        # environment, which are for the outside world (stash 10.9). Stash's certificate is usually self-signed.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._pools = urllib3.PoolManager(cert_reqs="CERT_NONE")

    def use_api_key(self, key: str) -> None:
        """Send the API key too: it outlives the cookie. It is kept in memory only."""
        self._api_key = key

    def credentials(self) -> SessionCredentials:
        """Return the current session in the shape of ``server_connection``, for a successor process."""
        return {"SessionCookie": {"Name": "session", "Value": self._cookie}, "ApiKey": self._api_key}

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request to Stash."""
        headers = {"Accept": "application/json"}
        if self._cookie:
            headers["Cookie"] = f"session={self._cookie}"
        if self._api_key:
            headers["ApiKey"] = self._api_key
        return headers

    def call(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Run one GraphQL document and return its ``data``.

        Errors beside data raise too: a partial answer would be written to Plex as an empty one. Raise StashUnreachable,
        StashRefused, StashQueryError.
        """
        document = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        response = self._request("POST", "/graphql", {"Content-Type": "application/json"}, document)
        if response.status == 401:
            response.close()
            raise _session_refused()
        try:
            answer = json.loads(self._read_body(response))
            data, errors = answer.get("data"), answer.get("errors")
        except (ValueError, AttributeError, RecursionError) as error:
            raise StashUnreachable(f"Stash at {self.base_url} answered {response.status} without JSON") from error
        if errors:
            raise StashQueryError(f"Stash answered: {_first_error_message(errors)}")
        if response.status != 200 or not isinstance(data, dict):
            raise StashUnreachable(f"Stash at {self.base_url} answered {response.status} without data")
        return data

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """GET ``path`` (with its query) of this Stash. The caller reads the body and closes the response.

        Redirects are not followed; one to the login page is StashRefused. Raise StashUnreachable, StashRefused.
        """
        response = self._request("GET", path, headers or {})
        if response.status == 401 or "/login" in response.headers.get("Location", ""):
            response.close()
            raise _session_refused()
        return response

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            response = self._pools.urlopen(
                method,
                self.base_url + path,
                body=body,
                headers={"Accept-Encoding": "gzip, deflate", **self.headers(), **headers},
                timeout=self._timeout,
                # Raise errors at once, and return redirects as answers.
                retries=urllib3.Retry(total=False),
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:  # ValueError: a session that no header can hold
            raise self._unreachable(error) from error
        self._refresh_cookie(response.headers.get("Set-Cookie"))
        return response

    def _read_body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        import urllib3

        try:
            return response.read()
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            response.close()

    def _unreachable(self, error: Exception) -> StashUnreachable:
        return StashUnreachable(f"Stash at {self.base_url} does not answer ({type(error).__name__})")

    def _refresh_cookie(self, header: str | None) -> None:
        if not header:
            if self._api_key:
                # A request with the key gets no new cookie, and needs none (stash 6).
                self.cookie_expires_at = time.monotonic() + COOKIE_LIFETIME_S
            return
        try:
            cookie = SimpleCookie(header).get("session")
        except CookieError:
            return
        if cookie is not None and cookie.value:
            self._cookie = cookie.value
            lifetime = float(cookie["max-age"]) if str(cookie["max-age"]).isdecimal() else COOKIE_LIFETIME_S
            self.cookie_expires_at = time.monotonic() + lifetime

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()


def stash_interface(client: StashClient) -> StashReader:
    """Return stashapp-tools' StashInterface over ``client``: with its timeouts, without the constructor's requests.

    Every call needs its own ``fragment`` (libraries B1).
    """
    from stashapi import log
    from stashapi.stashapp import StashInterface

    interface = StashInterface.__new__(StashInterface)
    interface.log = log
    interface.fragments = {}
    interface._GQL = client.call
    reader: StashReader = interface
    return reader


def _session_refused() -> StashRefused:
    return StashRefused("Stash does not accept the session it gave us; the next save or task has a new one")


def _first_error_message(errors: object) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    message = first.get("message") if isinstance(first, dict) else first
    return str(message)[:500]

"""Talking to Stash over GraphQL: own time-outs, own cookie, errors that say what to do (stash 6, 7.1)."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

from common.errors import UserFacingError

if TYPE_CHECKING:
    import urllib3

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
# A session cookie lasts an hour unless the administrator says otherwise (stash 6).
COOKIE_LIFETIME_S = 3600.0


class StashError(UserFacingError):
    """Stash could not be asked."""

    code = "StashError"


class StashUnreachable(StashError):
    """Stash does not answer, or answers with something that is not GraphQL. It may come back."""

    code = "StashUnreachable"


class StashRefused(StashError):
    """Stash does not accept our session any more; the next hook or task brings a new one."""

    code = "StashRefused"


class StashQueryError(StashError):
    """Stash answered with GraphQL errors."""

    code = "StashQueryError"


@contextlib.contextmanager
def parsing_answer() -> Iterator[None]:
    """Around whatever takes an answer to pieces: one that is not made as was asked for is not Stash's (a proxy's, say).
    Raises StashUnreachable in place of what the pieces raise."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        what = type(error).__name__
        raise StashUnreachable(f"Stash answered with something else than was asked for ({what})") from error


class StashClient:
    """One Stash, reached with what it handed over on standard input (``server_connection``, stash 2.2).

    Takes over the refreshed cookie of each answer, and the API key where :meth:`use_api_key` was given one. Belongs to
    one thread at a time.
    """

    def __init__(
        self, connection: Mapping[str, Any], timeout: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    ) -> None:
        import urllib3

        host = str(connection.get("Host") or "localhost")
        # "every address" is where it listens, not where it is reached
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        self.base = f"{connection.get('Scheme') or 'http'}://{host}:{connection.get('Port') or 9999}"
        self._cookie = str((connection.get("SessionCookie") or {}).get("Value") or "")
        self._api_key = str(connection.get("ApiKey") or "")
        self._timeout = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        self.cookie_expires_at = time.monotonic() + COOKIE_LIFETIME_S
        # The layer below requests: it knows no cookies, which would be in the way here (stash 6), and no proxies of the
        # environment, which are for the world outside (stash 10.9). Its certificate is self-signed as a rule (stash 6).
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._pools = urllib3.PoolManager(cert_reqs="CERT_NONE")

    def use_api_key(self, key: str) -> None:
        """Send the API key too: it outlives the cookie. Kept in memory only."""
        self._api_key = key

    def credentials(self) -> dict[str, Any]:
        """The session as it is now, in the shape of ``server_connection``, for a successor."""
        return {"SessionCookie": {"Name": "session", "Value": self._cookie}, "ApiKey": self._api_key}

    def headers(self) -> dict[str, str]:
        """The headers that authenticate a request to Stash."""
        headers = {"Accept": "application/json"}
        if self._cookie:
            headers["Cookie"] = f"session={self._cookie}"
        if self._api_key:
            headers["ApiKey"] = self._api_key
        return headers

    def call(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run one document; gives its ``data``. Raises StashUnreachable, StashRefused, StashQueryError.

        Errors beside data are errors: a partial answer would be written to Plex as an empty one.
        """
        document = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        response = self._ask("POST", "/graphql", {"Content-Type": "application/json"}, document)
        if response.status == 401:
            response.close()
            raise StashRefused("Stash does not accept the session it gave us; the next save or task brings a new one")
        try:
            answer = json.loads(self._whole(response))
            data, errors = answer.get("data"), answer.get("errors")
        except (ValueError, AttributeError, RecursionError) as error:
            raise StashUnreachable(f"Stash at {self.base} answered {response.status} without JSON") from error
        if errors:
            raise StashQueryError(f"Stash answered: {_first_error_message(errors)}")
        if response.status != 200 or not isinstance(data, dict):
            raise StashUnreachable(f"Stash at {self.base} answered {response.status} without data")
        return data

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """GET ``path`` (with its query) of this Stash. The body is not read yet: the caller does, and closes.

        Redirects are not followed: the way to the login page is StashRefused. Raises StashUnreachable too.
        """
        response = self._ask("GET", path, headers or {})
        if response.status == 401 or "/login" in response.headers.get("Location", ""):
            response.close()
            raise StashRefused("Stash does not accept the session it gave us; the next save or task brings a new one")
        return response

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            response = self._pools.urlopen(
                method,
                self.base + path,
                body=body,
                headers={"Accept-Encoding": "gzip, deflate", **self.headers(), **headers},
                timeout=self._timeout,
                # Errors come as they are, and redirects as answers.
                retries=urllib3.Retry(total=False),
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:  # the latter of a session that no header can hold
            raise self._silent(error) from error
        self._take_cookie(response.headers.get("Set-Cookie"))
        return response

    def _whole(self, response: urllib3.BaseHTTPResponse) -> bytes:
        import urllib3

        try:
            return response.read()
        except urllib3.exceptions.HTTPError as error:
            raise self._silent(error) from error
        finally:
            response.close()

    def _silent(self, error: Exception) -> StashUnreachable:
        return StashUnreachable(f"Stash at {self.base} does not answer ({type(error).__name__})")

    def _take_cookie(self, header: str | None) -> None:
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
            life = float(cookie["max-age"]) if str(cookie["max-age"]).isdecimal() else COOKIE_LIFETIME_S
            self.cookie_expires_at = time.monotonic() + life

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()


def stash_interface(client: StashClient) -> Any:
    """stashapp-tools' StashInterface over ``client``: without the three requests of its constructor, with time-outs.

    Every call needs its own ``fragment`` (libraries B1).
    """
    from stashapi import log
    from stashapi.stashapp import StashInterface

    interface = StashInterface.__new__(StashInterface)
    interface.log = log
    interface.fragments = {}
    interface._GQL = client.call
    return interface


def _first_error_message(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    message = first.get("message") if isinstance(first, dict) else first
    return str(message)[:500]

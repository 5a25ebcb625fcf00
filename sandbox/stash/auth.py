"""Sessions, the API key, and access rules (stash 6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath
from urllib.parse import quote

from ..http import Request

COOKIE = "session"
_LONGEST_COOKIE = 4096

Chain = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Requester:
    """Who sent a request: how they authenticated, their name, and the hooks that led here (stash 2.9)."""

    kind: str  # "cookie", "apikey", "none"
    user: str = ""
    chain: Chain = ()
    set_cookie: str | None = None


class WrongKeyError(Exception):
    """The request has an API key that is not the configured one."""


class Sessions:
    """Signs and reads session cookies. ``max_age`` is seconds from the creation of a cookie."""

    def __init__(self, username: str, password: str, api_key: str, max_age: float) -> None:
        self.username, self.password, self.api_key, self.max_age = username, password, api_key, max_age
        self._secret = secrets.token_bytes(32)

    @property
    def locked(self) -> bool:
        """Whether credentials are required."""
        return bool(self.username and self.password)

    def issue(self, user: str, chain: Chain = ()) -> str | None:
        """Return a new cookie value, or None if it would exceed the size of a cookie."""
        body = json.dumps({"at": time.time(), "user": user, "hooks": chain}).encode()
        value = base64.urlsafe_b64encode(body + self._sign(body)).decode()
        return value if len(value) <= _LONGEST_COOKIE else None

    def read(self, value: str) -> tuple[str, Chain] | None:
        """Return (user, chain) of a cookie value, or None if it is malformed or expired."""
        try:
            raw = base64.urlsafe_b64decode(value.encode())
        except ValueError:
            return None
        body, signature = raw[:-32], raw[-32:]
        if not hmac.compare_digest(signature, self._sign(body)):
            return None
        content = json.loads(body)
        if time.time() > content["at"] + self.max_age:
            return None
        return content["user"], tuple((plugin, trigger) for plugin, trigger in content["hooks"])

    def requester(self, request: Request) -> Requester:
        """Return who sent this request. Raise :class:`WrongKeyError`."""
        cookie = self.read(cookies(request).get(COOKIE, ""))
        key = request.header("apikey") or next((value for name, value in request.query if name == "apikey"), "")
        if key:
            if not self.api_key or not hmac.compare_digest(key.encode(), self.api_key.encode()):
                raise WrongKeyError
            return Requester("apikey", self.username, cookie[1] if cookie else ())
        if cookie is None:
            return Requester("none")
        user, chain = cookie
        return Requester("cookie", user, chain, self._header(self.issue(user, chain)))

    def _header(self, value: str | None) -> str | None:
        if value is None:
            return None
        expires = datetime.fromtimestamp(time.time() + self.max_age, timezone.utc)
        stamp = expires.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return f"{COOKIE}={value}; Path=/; Expires={stamp}; Max-Age={int(self.max_age)}; SameSite=Lax"

    def login(self, user: str, password: str) -> str | None:
        """Return the ``Set-Cookie`` header of a successful login, or None for wrong credentials."""
        right = self.locked and user == self.username and password == self.password
        return self._header(self.issue(user)) if right else None

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()


def cookies(request: Request) -> dict[str, str]:
    """Return the cookies of a request; the first of a name counts."""
    found: dict[str, str] = {}
    for pair in (request.header("cookie") or "").split(";"):
        name, _, value = pair.strip().partition("=")
        found.setdefault(name, value)
    return found


def refusal(path: str, raw_query: str) -> tuple[int, str | None]:
    """Return (status, location) for an unknown requester: 401 for API and files, else a redirect to the login page."""
    suffix = PurePosixPath(path).suffix
    if path == "/graphql" or suffix not in ("", ".html"):
        return 401, None
    target = path + (f"?{raw_query}" if raw_query else "")
    return 302, f"/login?returnURL={quote(target, safe='')}"

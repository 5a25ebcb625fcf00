"""The client for one Plex server: plexapi's connection with our own session, timeouts and identity (plex 1.5)."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree.ElementTree import Element

from plex.exceptions import PlexServerDown, PlexTemporaryError, error_of_status, translate_plex_exception
from plex.transport import Transport

if TYPE_CHECKING:
    import requests

    from plex.plexapi_types import PlexApiServer
    from settings.config import Stash2PlexConfig

IDENTIFIER_FILE = "client_id"
PRODUCT = "Stash2Plex"
_HTML_TAG = re.compile(r"<[^>]*>")
_SUCCESS_STATUSES = (200, 201, 204)


@dataclass(frozen=True)
class Library:
    """A library of the server; ``folders`` as Plex sees them."""

    key: int
    title: str
    type: str
    folders: tuple[str, ...] = ()


class PlexClient:
    """The server at ``url``; timeouts in seconds. Sends nothing before first use.

    Once it is connected, two threads may use it at a time.
    """

    def __init__(
        self,
        url: str,
        token: str,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        identifier: str | None = None,
    ) -> None:
        self.url = url
        self._token = token
        self._timeout = (connect_timeout, read_timeout)
        self._identifier = identifier
        self._server: PlexApiServer | None = None
        self._session: requests.Session | None = None
        self._transport: Transport | None = None

    @classmethod
    def from_config(
        cls,
        config: Stash2PlexConfig,
        data_dir: str | None = None,
        *,
        max_connect_timeout: float | None = None,
        max_read_timeout: float | None = None,
    ) -> PlexClient:
        """Return a client for the server that the settings name. Raise OSError if ``data_dir`` cannot be used.

        ``data_dir`` holds the identifier of this installation; without it plexapi sends its own. The ``max_``
        timeouts, in seconds, bound those of the settings if the user waits for the answer.
        """
        return cls(
            config.plex_url,
            config.plex_token,
            # A caller's settings may be a mock, which compares with nothing.
            config.connect_timeout if max_connect_timeout is None else min(config.connect_timeout, max_connect_timeout),
            config.read_timeout if max_read_timeout is None else min(config.read_timeout, max_read_timeout),
            None if data_dir is None else client_identifier(data_dir),
        )

    @property
    def server(self) -> PlexApiServer:
        """The plexapi server; connects on first use. Raise PlexServerDown."""
        return self._server if self._server is not None else self.connect()

    def connect(self) -> PlexApiServer:
        """Connect to the server (``GET /``) and return it.

        Raise PlexServerDown if Plex cannot be reached or refuses the token.
        """
        import_plexapi()
        import plexapi
        import requests
        from plexapi.server import PlexServer

        if self._identifier:
            # plexapi sends the MAC address: a rebuilt container would be a new device in Plex (libraries C).
            plexapi.BASE_HEADERS.update(
                {
                    "X-Plex-Client-Identifier": self._identifier,
                    "X-Plex-Product": PRODUCT,
                    "X-Plex-Device-Name": PRODUCT,
                }
            )
        session = requests.Session()
        session.trust_env = False
        try:
            server: PlexApiServer = PlexServer(self.url, self._token, session=session, timeout=self._timeout)
        except Exception as error:  # plexapi lets errors of requests and of the XML parser through
            session.close()
            translated = translate_plex_exception(error)
            raise translated if isinstance(translated, PlexServerDown) else PlexServerDown(str(translated)) from error
        self._server, self._session = server, session
        self._transport = Transport(session, self._timeout)
        return server

    @property
    def machine_identifier(self) -> str:
        """The server's id for itself. Raise PlexServerDown."""
        return str(self.server.machineIdentifier)

    @property
    def machine(self) -> str:
        """The beginning of :attr:`machine_identifier`, enough to tell servers apart. Raise PlexServerDown."""
        return self.machine_identifier[:12]

    def get(self, key: str, headers: dict[str, str] | None = None) -> Element:
        """GET ``key`` (path and query) and return the parsed answer. Raise PlexError.

        The bytes are parsed directly: as text, an answer without a charset would be decoded as Latin-1, and a listing
        would cost half as much again (plex 1.5).
        """
        content = self._request("GET", key, headers)
        try:
            return _parse_xml(content)
        except Exception as error:  # anything that the parser raises
            raise translate_plex_exception(error) from error

    def put(self, key: str) -> None:
        """PUT ``key``, with all data in its query (plex 4.1). Raise PlexError."""
        _refuse_html(self._request("PUT", key))

    def post(self, key: str, data: bytes) -> None:
        """POST ``data`` to ``key``. Raise PlexError."""
        _refuse_html(self._request("POST", key, body=data))

    def _request(
        self, method: str, key: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        server, transport = self.server, self._transport
        assert transport is not None  # made with the server
        answer = transport.send(method, server.url(key), server._headers(**headers or {}), body)
        if answer.status not in _SUCCESS_STATUSES:
            text = _answer_text(answer.content.decode("utf-8", "replace"))
            raise error_of_status(answer.status, f"({answer.status}) {method} {key} {text}")
        return answer.content

    def delete(self, key: str) -> None:
        """DELETE ``key``. Raise PlexError."""
        _refuse_html(self._request("DELETE", key))

    def libraries(self) -> list[Library]:
        """Return the server's libraries. Raise PlexError."""
        return [
            Library(
                int(directory.get("key", "0")),
                directory.get("title", ""),
                directory.get("type", ""),
                tuple(location.get("path", "") for location in directory.findall("Location")),
            )
            for directory in self.get("/library/sections")
            if directory.tag == "Directory" and directory.get("key", "").isdecimal()
        ]

    def edit(self, section: int, rating_key: int, query: str) -> None:
        """Edit exactly one item. ``query`` is encoded. Raise PlexError.

        A PUT without an id would edit the whole library (plex 4.1), so none is ever sent.
        """
        if rating_key <= 0 or section <= 0 or not query:
            raise ValueError(f"an edit needs a section, an item and something to write, not {section}/{rating_key}")
        self.put(f"/library/sections/{section:d}/all?type=1&id={rating_key:d}&{query}")

    def scan(self, section: int, folder: str) -> None:
        """Make Plex scan one folder, as Plex sees it, and the folders below it (plex 7). Raise PlexError."""
        self._request("GET", f"/library/sections/{section:d}/refresh?path={quote(folder, safe='')}")

    def close(self) -> None:
        """Close the connections."""
        transport, self._transport = self._transport, None
        session, self._session = self._session, None
        self._server = None
        if transport is not None:
            transport.close()
        if session is not None:
            session.close()


def import_plexapi() -> None:
    """Import plexapi with our configuration. Raise ImportError."""
    # The user's own plexapi configuration must not change ours, and no attribute may cost a hidden request.
    os.environ.setdefault("PLEXAPI_CONFIG_PATH", os.devnull)
    os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "false"
    import plexapi.server  # noqa: F401 - imported to be loaded


def client_identifier(data_dir: str) -> str:
    """Return the id by which Plex knows this installation, made once and kept in the data directory."""
    path = os.path.join(data_dir, IDENTIFIER_FILE)
    try:
        with open(path, encoding="ascii") as file:
            stored = file.read().strip()
        if stored:
            return stored
    except (FileNotFoundError, ValueError):
        pass
    new = f"stash2plex-{uuid.uuid4().hex}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(new)
    return new


def _parse_xml(content: bytes) -> Element:
    from xml.etree import ElementTree

    # Plex declares no document type. An answer that does is not Plex's, and could be an attempt to fill the memory.
    if b"<!DOCTYPE" in content or b"\x00" in content[:100]:
        raise TypeError("an answer with a document type")
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - see above
    except ElementTree.ParseError:
        # Names with control characters, which XML cannot carry (plex 9): parse again without them.
        from plexapi.utils import parseXMLString

        answer: Element | None = parseXMLString(content.decode("utf-8", "replace"))
        if answer is None:
            raise TypeError("an empty answer") from None
        return answer


def _answer_text(body: str) -> str:
    """Return an answer as part of a sentence: of HTML only the words, of Plex's own XML everything."""
    return " ".join((_HTML_TAG.sub(" ", body) if "<html" in body[:1000].lower() else body).split())


def _refuse_html(content: bytes) -> None:
    """Raise PlexTemporaryError if the answer to a write is HTML: Plex answers with XML or nothing, so a proxy did."""
    if content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise PlexTemporaryError(
            "A proxy answered instead of Plex: if this goes on, set Plex URL to Plex's own address"
        )

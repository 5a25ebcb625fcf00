"""One Plex server: plexapi's connection, with our own session, time-outs and identity (plex 1.5, libraries C)."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree.ElementTree import Element

from plex.exceptions import PlexServerDown, PlexTemporaryError, error_of_status, translate_plex_exception
from plex.transport import Transport

if TYPE_CHECKING:
    from settings.config import Stash2PlexConfig

IDENTIFIER_FILE = "client_id"
PRODUCT = "Stash2Plex"
_HTML_TAG = re.compile(r"<[^>]*>")
_SUCCESS_STATUSES = (200, 201, 204)


@dataclass(frozen=True)
class Library:
    """A library of the server."""

    key: int
    title: str
    type: str
    folders: tuple[str, ...] = ()


class PlexClient:
    """A server at ``url``; times in seconds. Nothing is asked before first use.

    Once it is connected, two threads may ask at a time."""

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
        self._server: Any = None
        self._wire: Transport | None = None

    @classmethod
    def from_config(
        cls,
        config: Stash2PlexConfig,
        data_dir: str | None = None,
        *,
        max_connect_timeout: float = float("inf"),
        max_read_timeout: float = float("inf"),
    ) -> PlexClient:
        """Return a client for the server that the settings name. Raise OSError if ``data_dir`` cannot be used.

        ``data_dir`` holds the identifier of this installation; without it plexapi sends its own. The ``max_``
        time-outs, in seconds, bound those of the settings where a person waits for the answer.
        """
        return cls(
            config.plex_url,
            config.plex_token,
            min(config.connect_timeout, max_connect_timeout),
            min(config.read_timeout, max_read_timeout),
            None if data_dir is None else client_identifier(data_dir),
        )

    @property
    def server(self) -> Any:
        """The plexapi server; connects on first use. Raises PlexServerDown."""
        if self._server is None:
            self.connect()
        return self._server

    def connect(self) -> None:
        """Say hello (``GET /``). Raises PlexServerDown where Plex cannot be reached, or refuses the token."""
        import_plexapi()
        import plexapi
        import requests
        from plexapi.server import PlexServer

        if self._identifier:
            # By default the MAC address: a rebuilt container would be a new device in Plex (libraries C).
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
            self._server = PlexServer(self.url, self._token, session=session, timeout=self._timeout)
        except Exception as error:  # plexapi lets those of requests and of the parser through: all become ours
            session.close()
            known = translate_plex_exception(error)
            raise known if isinstance(known, PlexServerDown) else PlexServerDown(str(known)) from error
        self._wire = Transport(session, self._timeout)

    @property
    def machine_identifier(self) -> str:
        """The server's own name for itself. Raises PlexServerDown."""
        return str(self.server.machineIdentifier)

    @property
    def machine(self) -> str:
        """So much of :attr:`machine_identifier` as tells one server from another. Raises PlexServerDown."""
        return self.machine_identifier[:12]

    def get(self, key: str, headers: dict[str, str] | None = None) -> Element:
        """GET ``key`` (path and query); gives the parsed answer. Raises PlexError.

        The bytes are parsed as they come: by way of text, an answer without a charset would be taken for Latin-1, and a
        listing costs half as much again (plex 1.5).
        """
        content = self._ask("GET", key, headers)
        try:
            return _parse_xml(content)
        except Exception as error:  # whatever the parser raises at an answer that is none, it becomes ours
            raise translate_plex_exception(error) from error

    def put(self, key: str) -> None:
        """PUT ``key``, everything in its query (plex 4.1). Raises PlexError."""
        _refuse_html(self._ask("PUT", key))

    def post(self, key: str, data: bytes) -> None:
        """POST ``data`` to ``key``. Raises PlexError."""
        _refuse_html(self._ask("POST", key, body=data))

    def _ask(self, method: str, key: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
        server, wire = self.server, self._wire
        assert wire is not None  # made with the server
        answer = wire.send(method, server.url(key), server._headers(**headers or {}), body)
        if answer.status not in _SUCCESS_STATUSES:
            text = _answer_text(answer.content.decode("utf-8", "replace"))
            raise error_of_status(answer.status, f"({answer.status}) {method} {key} {text}")
        return answer.content

    def delete(self, key: str) -> None:
        """DELETE ``key``. Raises PlexError."""
        _refuse_html(self._ask("DELETE", key))

    def libraries(self) -> list[Library]:
        """The server's libraries. Raises PlexError."""
        return [
            Library(
                int(one.get("key", "0")),
                one.get("title", ""),
                one.get("type", ""),
                tuple(place.get("path", "") for place in one.findall("Location")),
            )
            for one in self.get("/library/sections")
            if one.tag == "Directory" and one.get("key", "").isdecimal()
        ]

    def edit(self, section: int, rating_key: int, query: str) -> None:
        """Edit exactly one item. ``query`` is encoded. Raises PlexError.

        A PUT without an id would edit the whole library (plex 4.1): there is no way to send one from here.
        """
        if rating_key <= 0 or section <= 0 or not query:
            raise ValueError(f"an edit needs a section, an item and something to write, not {section}/{rating_key}")
        self.put(f"/library/sections/{section:d}/all?type=1&id={rating_key:d}&{query}")

    def scan(self, section: int, folder: str) -> None:
        """Have Plex look for new files in one folder, as Plex sees it, and those below (plex 7). Raises PlexError."""
        self._ask("GET", f"/library/sections/{section:d}/refresh?path={quote(folder, safe='')}")

    def close(self) -> None:
        """Close the connections."""
        server, self._server = self._server, None
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
        if server is not None:
            server._session.close()


def import_plexapi() -> None:
    """Import what is needed to talk to Plex, now rather than at first use. Raises ImportError."""
    # A person's own plexapi configuration must not change ours, and no attribute may cost a hidden request.
    os.environ.setdefault("PLEXAPI_CONFIG_PATH", os.devnull)
    os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "false"
    import plexapi.server  # noqa: F401 - for its loading alone


def client_identifier(data_dir: str) -> str:
    """The name this installation has for Plex, made once and kept in the data directory."""
    path = os.path.join(data_dir, IDENTIFIER_FILE)
    try:
        with open(path, encoding="ascii") as file:
            known = file.read().strip()
        if known:
            return known
    except (FileNotFoundError, ValueError):
        pass
    made = f"stash2plex-{uuid.uuid4().hex}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(made)
    return made


def _parse_xml(content: bytes) -> Element:
    from xml.etree import ElementTree

    # Plex declares no types and no entities: an answer that does is not its own, and could be meant to fill the memory.
    if b"<!DOCTYPE" in content or b"\x00" in content[:100]:
        raise TypeError("an answer with a document type")
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - see above
    except ElementTree.ParseError:
        # Names with control characters, which XML cannot carry (plex 9): once more without them.
        from plexapi.utils import parseXMLString

        answer: Element | None = parseXMLString(content.decode("utf-8", "replace"))
        if answer is None:
            raise TypeError("an empty answer") from None
        return answer


def _answer_text(body: str) -> str:
    """What an answer says, for a sentence: of a page the words alone. What stands in the attributes of Plex's own XML
    is kept."""
    return " ".join((_HTML_TAG.sub(" ", body) if "<html" in body[:1000].lower() else body).split())


def _refuse_html(content: bytes) -> None:
    """Plex answers a write with nothing, or with XML. A page is a proxy's: nothing was written. Raises PlexError."""
    if content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise PlexTemporaryError("A proxy answered a write in Plex's place: give Plex's own address, if this goes on")

"""One Plex server: plexapi's connection, with our own session, time-outs and identity (plex 1.5, libraries C)."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from plex.exceptions import PlexServerDown, translate_plex_exception

IDENTIFIER_FILE = "client_id"
PRODUCT = "Stash2Plex"


@dataclass(frozen=True)
class Section:
    """A library of the server."""

    key: int
    title: str
    type: str
    folders: tuple[str, ...] = ()


class PlexClient:
    """A server at ``url``; times in seconds. Nothing is asked before first use. Belongs to one thread at a time."""

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

    @property
    def server(self) -> Any:
        """The plexapi server; connects on first use. Raises PlexServerDown."""
        if self._server is None:
            self.connect()
        return self._server

    def connect(self) -> None:
        """Say hello (``GET /``). Raises PlexServerDown where Plex cannot be reached, or refuses the token."""
        load()
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
        except Exception as error:
            session.close()
            known = translate_plex_exception(error)
            raise known if isinstance(known, PlexServerDown) else PlexServerDown(str(known)) from error

    @property
    def machine_identifier(self) -> str:
        """The server's own name for itself. Raises PlexServerDown."""
        return str(self.server.machineIdentifier)

    def get(self, key: str, headers: dict[str, str] | None = None) -> Element:
        """GET ``key`` (path and query); gives the parsed answer. Raises PlexError."""
        answer = self._ask(key, "get", headers)
        if answer is None:
            raise translate_plex_exception(TypeError(f"an empty answer to {key}"))
        return answer

    def put(self, key: str) -> None:
        """PUT ``key``, everything in its query (plex 4.1). Raises PlexError."""
        self._ask(key, "put", None)

    def _ask(self, key: str, method: str, headers: dict[str, str] | None) -> Element | None:
        server = self.server
        send = getattr(server._session, method)
        try:
            try:
                answer: Element | None = server.query(key, method=send, headers=headers)
            except Exception as error:
                # Plex closes an idle connection after 20 s: the first request over it may fail once (plex 9). Repeating
                # is harmless, a read changes nothing and an edit only says the same again.
                if not _was_idle(error):
                    raise
                answer = server.query(key, method=send, headers=headers)
        except Exception as error:
            raise translate_plex_exception(error) from error
        return answer

    def sections(self) -> list[Section]:
        """The server's libraries. Raises PlexError."""
        return [
            Section(
                int(one.get("key", "0")),
                one.get("title", ""),
                one.get("type", ""),
                tuple(place.get("path", "") for place in one.findall("Location")),
            )
            for one in self.get("/library/sections")
            if one.tag == "Directory" and one.get("key", "").isdigit()
        ]

    def edit(self, section: int, rating_key: int, query: str) -> None:
        """Edit exactly one item. ``query`` is encoded. Raises PlexError.

        A PUT without an id would edit the whole library (plex 4.1): there is no way to send one from here.
        """
        if rating_key <= 0 or section <= 0 or not query:
            raise ValueError(f"an edit needs a section, an item and something to write, not {section}/{rating_key}")
        self.put(f"/library/sections/{section:d}/all?type=1&id={rating_key:d}&{query}")

    def close(self) -> None:
        """Close the connections."""
        server, self._server = self._server, None
        if server is not None:
            server._session.close()


def load() -> None:
    """Import what is needed to talk to Plex, now rather than at first use. Raises ImportError."""
    # A person's own plexapi configuration must not change ours, and no attribute may cost a hidden request.
    os.environ.setdefault("PLEXAPI_CONFIG_PATH", os.devnull)
    os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "false"
    import plexapi.server  # noqa: F401


def identifier(data_dir: str) -> str:
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


def _was_idle(error: BaseException) -> bool:
    return "RemoteDisconnected" in repr(error) or "ConnectionResetError" in repr(error)

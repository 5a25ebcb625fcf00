"""What the checks share: answers of Stash and Plex, each asked for once."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from api.context import Context
from common.errors import UserError
from settings.config import Stash2PlexConfig
from stash.queries import HEALTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plex.client import Library, PlexClient

# The newest scenes stand for all.
MAX_NEWEST_SCENES = 100
MIN_SECRET_CHARS = 4
# The user waits for the answer.
MAX_CONNECT_TIMEOUT_S = 5.0
MAX_READ_TIMEOUT_S = 15.0


class HealthProbe:
    """Asks each server once. A failed question raises its error again for every check that needs the answer."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.data_dir = context.data_dir

    @property
    def config(self) -> Stash2PlexConfig:
        """The settings. Raise StashError."""
        return self.context.config

    @cached_property
    def _stash(self) -> dict[str, object]:
        newest = {"per_page": MAX_NEWEST_SCENES, "sort": "id", "direction": "DESC"}
        answer: dict[str, object] = self.context.stash.call(HEALTH, {"newest": newest})
        return answer

    @property
    def stash_version(self) -> str | None:
        """Stash's version. Raise StashError."""
        version = _at(self._stash, "version", "version")
        return str(version) if version else None

    @property
    def scene_count(self) -> int:
        """The number of scenes in Stash. Raise StashError."""
        count = _at(self._stash, "findScenes", "count")
        return count if isinstance(count, int) else 0

    @property
    def stash_folders(self) -> list[str]:
        """The folders of Stash's library. Raise StashError."""
        folders = _objects(_at(self._stash, "configuration", "general", "stashes"))
        return [str(folder["path"]) for folder in folders if folder.get("path")]

    @property
    def newest_files(self) -> list[str]:
        """The paths of the files of Stash's newest scenes. Raise StashError."""
        scenes = _objects(_at(self._stash, "findScenes", "scenes"))
        return [str(file["path"]) for scene in scenes for file in _objects(scene.get("files")) if file.get("path")]

    @cached_property
    def plex(self) -> PlexClient:
        """A client for the Plex server of the settings, not connected yet. Raise StashError, UserError."""
        from plex.client import PlexClient

        if not self.config.plex_url or not self.config.plex_token:
            raise UserError("Plex URL or Plex token is missing")
        create = partial(
            PlexClient.from_config,
            self.config,
            max_connect_timeout=MAX_CONNECT_TIMEOUT_S,
            max_read_timeout=MAX_READ_TIMEOUT_S,
        )
        try:
            return create(self.data_dir)
        except OSError:  # the data directory cannot be used; a check of its own says so
            return create()

    def connect(self) -> PlexClient:
        """Return Plex, connected. Raise PlexError, again for each caller."""
        if self._connection_error is not None:
            raise self._connection_error
        return self.plex

    @cached_property
    def _connection_error(self) -> Exception | None:
        from plex.exceptions import PlexError

        try:
            self.plex.connect()
        except PlexError as error:
            return error
        return None

    @cached_property
    def libraries(self) -> list[Library]:
        """Plex's libraries. Raise PlexError."""
        return self.connect().libraries()

    def secrets(self) -> list[str]:
        """Return what no line may show: tokens, API keys, the session."""
        connection = self.context.connection
        secrets = [str(connection.get("ApiKey") or ""), str(_at(connection, "SessionCookie", "Value") or "")]
        if self.context.stash_if_used is not None:
            credentials = self.context.stash_if_used.credentials()
            secrets += [credentials["SessionCookie"]["Value"], credentials["ApiKey"]]
        if self.context.config_if_read is not None:
            secrets.append(self.context.config_if_read.plex_token)
        return [secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS]

    def close(self) -> None:
        """Close the connection to Plex."""
        if "plex" in self.__dict__:
            self.plex.close()


def _at(value: Mapping[str, object], *names: str) -> object:
    """Return what is stored under a path of names, or None."""
    found: object = value
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _objects(value: object) -> list[dict[str, object]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []

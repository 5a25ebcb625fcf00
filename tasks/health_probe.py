"""What the checks of the health check share: a finding, and what several of them want to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from api.context import Context
from common.errors import UserError
from settings.config import Stash2PlexConfig
from stash.queries import HEALTH

if TYPE_CHECKING:
    from plex.client import Library, PlexClient

# So many of the newest scenes stand for all.
SAMPLE = 100


@dataclass(frozen=True)
class HealthFinding:
    """What was checked, whether it is as it should be (None: nobody knows), what was found, and what to do."""

    check: str
    ok: bool | None
    finding: str
    advice: str = ""

    def without(self, secrets: Iterable[str]) -> HealthFinding:
        """The same without a word of these, whatever a server has put into its answer."""
        finding, advice = self.finding, self.advice
        for secret in secrets:
            finding, advice = finding.replace(secret, "***"), advice.replace(secret, "***")
        return replace(self, finding=finding, advice=advice)


class HealthProbe:
    """Asks each server once. What could not be had raises again for each check that wants it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.data_dir = context.data_dir

    @property
    def config(self) -> Stash2PlexConfig:
        """The settings. Raises StashError."""
        return self.context.config

    @cached_property
    def stash(self) -> dict[str, Any]:
        """Version, folders and newest files of Stash. Raises StashError."""
        newest = {"per_page": SAMPLE, "sort": "id", "direction": "DESC"}
        return self.context.stash.call(HEALTH, {"newest": newest})

    @property
    def stash_folders(self) -> list[str]:
        """The folders of Stash's library. Raises StashError."""
        general = (self.stash.get("configuration") or {}).get("general") or {}
        return [str(one["path"]) for one in general.get("stashes") or () if one.get("path")]

    @property
    def files(self) -> list[str]:
        """The paths of Stash's newest files. Raises StashError."""
        scenes = (self.stash.get("findScenes") or {}).get("scenes") or ()
        return [str(file["path"]) for scene in scenes for file in scene.get("files") or () if file.get("path")]

    @cached_property
    def plex(self) -> PlexClient:
        """Plex as the settings name it; nothing is asked yet. Raises StashError, UserError."""
        from plex.client import PlexClient

        if not self.config.plex_url or not self.config.plex_token:
            raise UserError("Plex URL or Plex token is missing")
        # The user waits for the answer.
        connect = partial(PlexClient.from_config, self.config, max_connect_timeout=5.0, max_read_timeout=15.0)
        try:
            return connect(self.data_dir)
        except OSError:  # a data directory that cannot be used has a line of its own
            return connect()

    def connect(self) -> PlexClient:
        """Plex, having said hello; the same error again where it did not answer. Raises PlexServerDown."""
        failure = self._hello
        if failure is not None:
            raise failure
        return self.plex

    @cached_property
    def _hello(self) -> Exception | None:
        from plex.exceptions import PlexError

        try:
            self.plex.connect()
        except PlexError as error:
            return error
        return None

    @cached_property
    def sections(self) -> list[Library]:
        """Plex's libraries. Raises PlexError."""
        return self.connect().libraries()

    def secrets(self) -> list[str]:
        """What must stand in no line: token, API key, session."""
        connection = self.context.connection
        cookie = connection.get("SessionCookie")
        known = [
            str(cookie.get("Value") or "") if isinstance(cookie, dict) else "",
            str(connection.get("ApiKey") or ""),
        ]
        if self.context.stash_if_used is not None:
            credentials = self.context.stash_if_used.credentials()
            known += [credentials["SessionCookie"]["Value"], credentials["ApiKey"]]
        if self.context.config_if_read is not None:
            known.append(self.context.config_if_read.plex_token)
        return [secret for secret in known if len(secret) > 3]

    def close(self) -> None:
        """Close the connection to Plex."""
        if "plex" in self.__dict__:
            self.plex.close()

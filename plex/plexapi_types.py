"""The parts of plexapi's objects that the plugin uses, as protocols: plexapi has no types and is imported late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class PlexApiPart(Protocol):
    """A file."""

    file: str | None
    size: object
    duration: object


class PlexApiMedia(Protocol):
    """A version of a video."""

    parts: Sequence[PlexApiPart] | None


class PlexApiVideo(Protocol):
    """A video. Unless ``_autoReload`` is False, plexapi requests it again at its first empty attribute (plex 3.6)."""

    key: str
    title: str
    media: Sequence[PlexApiMedia] | None
    _autoReload: bool  # noqa: N815 - plexapi's name


class PlexApiVideos(Protocol):
    """One library, or all of them together."""

    def all(self) -> Sequence[PlexApiVideo]:
        """Return all videos."""


class PlexApiSection(PlexApiVideos, Protocol):
    """A library of plexapi."""

    key: int
    title: str
    type: str


class PlexApiLibrary(PlexApiVideos, Protocol):
    """All libraries of a server."""

    def section(self, title: str) -> PlexApiSection:
        """Return the library with this title."""

    def sections(self) -> Sequence[PlexApiSection]:
        """Return all libraries."""


class PlexApiServer(Protocol):
    """A connected server."""

    friendlyName: str  # noqa: N815 - plexapi's name
    platform: str
    version: str
    machineIdentifier: str  # noqa: N815 - plexapi's name
    library: PlexApiLibrary

    def url(self, key: str) -> str:
        """Return the whole address for a path and query."""

    def _headers(self, **headers: str) -> dict[str, str]:
        """Return the headers that identify and authenticate us, with these added."""

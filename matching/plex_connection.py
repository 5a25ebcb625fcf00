"""The connection to one Plex server, and the libraries that the settings choose there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plex.client import Library, PlexClient
from plex.exceptions import PlexLibraryMissing
from plex.libraries import choose_libraries

# Called with the client, all libraries of the server, and those that the settings choose.
OnLibraries = Callable[[PlexClient, list[Library], list[Library]], None]


def ignore_libraries(client: PlexClient, libraries: list[Library], chosen: list[Library]) -> None:
    """Do nothing with the libraries of a server."""


class PlexConnection:
    """A client and the names of the libraries to choose. Nothing is asked before first use.

    ``on_libraries`` is called whenever the server was asked for its libraries.
    """

    def __init__(self, client: PlexClient, wanted: Sequence[str], on_libraries: OnLibraries = ignore_libraries) -> None:
        self.client = client
        self._wanted = list(wanted)
        self._on_libraries = on_libraries

    def choose_libraries(self) -> list[Library]:
        """Ask the server for its libraries; return the chosen ones. Raise PlexError."""
        libraries = self.client.libraries()
        try:
            chosen = choose_libraries(libraries, self._wanted)
        except PlexLibraryMissing:
            self._on_libraries(self.client, libraries, [])
            raise
        self._on_libraries(self.client, libraries, chosen)
        return chosen

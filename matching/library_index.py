"""The libraries that the settings choose on one server, and their index, refreshed as the refresh policy decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from matching.index_store import PlexCache
from matching.refresh_policy import IndexState, Refresh, Urgency, choose_refresh, waiting_interval
from plex.client import Library, PlexClient
from plex.exceptions import PlexError, PlexLibraryMissing, PlexServerDown
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


class LibraryIndex:
    """Belongs to one thread, and to the server and libraries of ``connection``. Everything may raise PlexError."""

    def __init__(
        self, connection: PlexConnection, cache: PlexCache, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.cache = cache
        self._connection = connection
        self._clock = clock
        self._libraries: list[Library] | None = None
        self._state = IndexState()
        self._changed = True
        self._version = cache.version()

    @property
    def machine(self) -> str:
        """The server's identifier, as manual matches and snapshots name it."""
        return self._connection.client.machine

    @property
    def libraries(self) -> list[Library]:
        """The chosen libraries, asked for once. Binds the index to them, and reads them in full where it is new."""
        if self._libraries is None:
            libraries = self._connection.choose_libraries()
            if not self.cache.belongs_to(self._connection.client.machine_identifier, libraries):
                self._read_all(libraries)
            elif self._state.full_at == float("-inf") and (age := self.cache.age()) is not None:
                self._state = IndexState(full_at=self._clock() - age)
            self._libraries = libraries
        return self._libraries

    @property
    def is_open(self) -> bool:
        """Tell whether the server was asked for its libraries already."""
        return self._libraries is not None

    @property
    def refreshed_at(self) -> float:
        """When the index was last refreshed, in seconds of the clock."""
        return self._state.new_at

    @property
    def waiting_interval(self) -> float:
        """The seconds between two refreshes for jobs that wait for their files."""
        return waiting_interval(len(self._libraries or ()))

    def refresh_if_due(self, urgency: Urgency) -> bool:
        """Read as much as the policy asks for. Return whether anything was read."""
        library_count = len(self.libraries)
        refresh = choose_refresh(self._clock(), self._state, urgency, library_count)
        if refresh is not Refresh.NOTHING:
            self.refresh(refresh)
        return refresh is not Refresh.NOTHING

    def refresh(self, refresh: Refresh) -> None:
        """Read this much of the libraries now."""
        began = self._clock()
        if refresh is Refresh.FULL:
            self._libraries = None  # one may have been added since
        libraries = self.libraries
        if self._state.full_at >= began:
            return  # the index was new, and has just been read in full
        if refresh is Refresh.FULL:
            self._read_all(libraries)
            return
        found = self.cache.refresh(self._connection.client, libraries, thorough=refresh is Refresh.CHANGED)
        self._changed |= found.changed > 0
        self._state = self._state.after(refresh, self._clock(), found.incomplete)

    def _read_all(self, libraries: list[Library]) -> None:
        self._changed |= self.cache.build_and_compare(self._connection.client, libraries)[1] > 0
        self._state = self._state.after(Refresh.FULL, self._clock())

    def ask_for_names(self, names: Iterable[str]) -> bool:
        """Ask Plex for items with files of these names. Return whether the index changed. Raise PlexServerDown only."""
        try:
            changed = sum(self.cache.look_up(self._connection.client, self.libraries, name) for name in names)
        except PlexServerDown:
            raise
        except PlexError:
            return False  # not every server answers this query (plex 3.4); the listing does
        self._changed |= changed > 0
        return changed > 0

    def report_contradiction(self, rating_key: int | None = None) -> None:
        """Note that an item just read is not what the index said, and drop it: a refresh is due at once."""
        if rating_key is not None:
            self.cache.forget(rating_key)
        self._state = self._state.contradicted()

    def pop_changed(self) -> bool:
        """Return whether the index has changed since the last call, by this process or by another."""
        version = self.cache.version()
        changed = self._changed or version != self._version
        self._changed, self._version = False, version
        return changed

"""The session with the Plex server that the settings name: connection, index, matcher, item reader, scan requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from common import damaged_files
from matching.index_store import PlexCache
from matching.library_index import LibraryIndex, OnLibraries, PlexConnection, ignore_libraries
from matching.matcher import Matcher
from matching.path_map import parse_path_map
from pipeline.item_reader import ItemReader
from pipeline.scan_requests import ScanRequests
from plex.client import PlexClient
from settings.config import Stash2PlexConfig

# A change of one of these needs another session.
_SESSION_SETTINGS = ("plex_url", "plex_token", "plex_library", "path_map", "connect_timeout", "read_timeout")


class PlexSession:
    """Belongs to one thread. Everything may raise PlexError. ``clock`` is monotonic seconds.

    ``on_libraries`` is called whenever the server was asked for its libraries."""

    def __init__(
        self,
        config: Stash2PlexConfig,
        data_dir: str,
        clock: Callable[[], float] = time.monotonic,
        on_libraries: OnLibraries = ignore_libraries,
    ) -> None:
        self.client = PlexClient.from_config(config, data_dir)
        connection = PlexConnection(self.client, config.libraries, on_libraries)
        self.index = LibraryIndex(connection, PlexCache(data_dir, damaged_files.put_aside), clock)
        self.matcher = Matcher(self.index, parse_path_map(config.path_map))
        self.item_reader = ItemReader(self.client, clock, lambda: self.index.refreshed_at)
        self.scans = ScanRequests(self.client, self.matcher, clock)

    def prefetch(self, rating_keys: Collection[int]) -> None:
        """Request items that will probably be read next. Does nothing before the first use of the server."""
        if self.index.is_open:
            self.item_reader.prefetch(rating_keys)

    def folders(self) -> str:
        """Return the folders of the chosen libraries, as text."""
        return ", ".join(folder for library in self.index.libraries for folder in library.folders) or "no folder"

    def close(self) -> None:
        """Close the connection and the index."""
        self.client.close()
        self.index.cache.close()


class SessionHolder:
    """Holds the settings in force and at most one session. ``clock`` is monotonic seconds."""

    def __init__(
        self,
        config: Stash2PlexConfig,
        data_dir: str | None,
        clock: Callable[[], float] = time.monotonic,
        on_libraries: OnLibraries = ignore_libraries,
    ) -> None:
        self.config = config
        # How many sessions were closed: what was read over an earlier one must not be written over a later one.
        self.generation = 0
        self._data_dir = data_dir
        self._clock = clock
        self._on_libraries = on_libraries
        self._session: PlexSession | None = None

    @property
    def session(self) -> PlexSession:
        """The session, opened where there is none. Raises ValueError without a data directory."""
        if self._session is None:
            if self._data_dir is None:
                raise ValueError("the worker needs a data directory to keep the library's index in")
            self._session = PlexSession(self.config, self._data_dir, self._clock, self._on_libraries)
        return self._session

    @property
    def open_session(self) -> PlexSession | None:
        """The session if there is one."""
        return self._session

    @property
    def client(self) -> PlexClient:
        """The client of the session."""
        return self.session.client

    def configure(self, config: Stash2PlexConfig) -> bool:
        """Apply settings. Close the session and return True if they name another server or view it differently."""
        old, self.config = self.config, config
        changed = any(getattr(old, name) != getattr(config, name) for name in _SESSION_SETTINGS)
        if changed:
            self.close()
        return changed

    def close(self) -> None:
        """Close the session; the next use opens another."""
        session, self._session = self._session, None
        if session is not None:
            self.generation += 1
            session.close()

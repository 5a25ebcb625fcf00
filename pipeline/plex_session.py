"""A session with one Plex server as the settings name it: connection, library index, matcher, item reader, scans."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from common import damaged_files
from matching.index_store import PlexCache
from matching.library_index import LibraryIndex
from matching.matcher import Matcher
from matching.path_map import parse_path_map
from matching.plex_connection import OnLibraries, PlexConnection, ignore_libraries
from pipeline.item_reader import ItemReader
from pipeline.scan_requests import ScanRequests
from plex.client import PlexClient
from settings.config import Stash2PlexConfig


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
        self.items = ItemReader(self.client, clock, lambda: self.index.refreshed_at)
        self.scans = ScanRequests(self.client, self.matcher, clock)

    def prefetch(self, rating_keys: Collection[int]) -> None:
        """Request items that will probably be read next. Does nothing before the first use of the server."""
        if self.index.is_open:
            self.items.prefetch(rating_keys)

    def folders(self) -> str:
        """Return the folders of the chosen libraries, as text."""
        return ", ".join(folder for library in self.index.libraries for folder in library.folders) or "no folder"

    def close(self) -> None:
        """Close the connection and the index."""
        self.client.close()
        self.index.cache.close()

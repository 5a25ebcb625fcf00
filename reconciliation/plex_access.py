"""What a run has open of Plex: the client, and the library index or, where there is none, plexapi's libraries."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from common import damaged_files
from matching.bulk_matcher import BulkMatcher
from matching.index_store import PlexCache
from matching.library_index import LibraryIndex, PlexConnection
from matching.matcher import Matcher
from matching.path_map import parse_path_map
from matching.plex_presence import Metadata, PlexData
from matching.refresh_policy import Refresh
from plex.client import PlexClient
from plex.exceptions import PlexServerDown, translate_plex_exception
from plex.plexapi_types import PlexApiVideo, PlexApiVideos
from reconciliation import plexapi_lookup
from settings.config import Stash2PlexConfig
from state.manual_matches import read_decisions


def connect(config: Stash2PlexConfig, data_dir: str) -> PlexClient:
    """Return a client that has reached its server. Raise PlexServerDown."""
    from plex import client  # by its module: tests outside replace the class there

    existing_dir = data_dir if os.path.isdir(data_dir) else None
    try:
        if isinstance(client.PlexClient, type) and hasattr(client.PlexClient, "from_config"):
            connected = client.PlexClient.from_config(config, existing_dir)
        else:
            # A published edge: tests outside put a function or a double here, which returns a client or raises.
            connected = client.PlexClient(
                config.plex_url,
                config.plex_token,
                config.connect_timeout,
                config.read_timeout,
                client.client_identifier(existing_dir) if existing_dir else None,
            )
        _ = connected.server
    except ImportError:
        raise
    except Exception as error:  # of plexapi or a double of it: each becomes ours
        translated = translate_plex_exception(error)
        raise translated if isinstance(translated, PlexServerDown) else PlexServerDown(str(translated)) from error
    return connected


class PlexAccess:
    """``matcher`` matches over the index; None where the server cannot be indexed, since it does not say which it is.

    ``full`` reads the libraries in full, else only what is new in them. Takes over ``client``. Raises PlexError.
    """

    def __init__(self, client: PlexClient, config: Stash2PlexConfig, data_dir: str, *, full: bool) -> None:
        self.matcher: BulkMatcher | None = None
        self._client = client
        self._libraries: list[PlexApiVideos] = []
        try:
            if isinstance(getattr(client, "machine_identifier", None), str):
                self.matcher = _open_index(client, config, data_dir, Refresh.FULL if full else Refresh.CHANGED)
            else:
                self._libraries = plexapi_lookup.libraries_of(client, config.libraries)
        except BaseException:  # raised again; nobody else could close it
            self.close()
            raise

    def match_page(
        self,
        scenes: Mapping[int, Mapping[str, object]],
        sync_timestamps: Mapping[int, float],
        extract: Callable[[PlexApiVideo], Metadata],
        errors: list[str],
        progress: Callable[[], None],
    ) -> PlexData:
        """Return how scenes stand in Plex, by id. Raise PlexError.

        Without an index sync timestamps count as matches, and the other scenes are matched one by one; ``errors``
        takes what went wrong with single scenes.
        """
        if self.matcher is not None:
            return self.matcher.match_page(scenes)
        return plexapi_lookup.match_page(scenes, sync_timestamps, self._libraries, extract, errors, progress)

    def close(self) -> None:
        """Close index and client."""
        if self.matcher is not None:
            self.matcher.cache.close()
        self._client.close()


def _open_index(client: PlexClient, config: Stash2PlexConfig, data_dir: str, refresh: Refresh) -> BulkMatcher:
    path_map = parse_path_map(config.path_map)
    cache = PlexCache(data_dir, damaged_files.put_aside)
    try:
        index = LibraryIndex(PlexConnection(client, config.libraries), cache)
        index.refresh(refresh)
        decided = read_decisions(data_dir, index.machine, {library.key for library in index.libraries})
        return BulkMatcher(Matcher(index, path_map), config.strict_matching, decided)
    except BaseException:  # raised again; nobody else could close it
        cache.close()
        raise

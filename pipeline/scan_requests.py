"""Ask Plex to scan the folder of a file it does not have, each folder at most once a minute."""

from __future__ import annotations

from collections.abc import Callable

from common.media_paths import folder_of
from matching.matcher import Matcher
from matching.path_map import PathRule
from plex.client import Library, PlexClient

SCAN_INTERVAL_S = 60.0


class ScanRequests:
    """The scans that were asked for lately. ``clock`` counts seconds."""

    def __init__(self, client: PlexClient, matcher: Matcher, clock: Callable[[], float]) -> None:
        self._client = client
        self._matcher = matcher
        self._clock = clock
        self._asked_at: dict[str, float] = {}

    def request(self, path: str) -> str | None:
        """Have Plex scan the folder of a file of Stash. Raise PlexError.

        Return the folder, or None where no library has it or it was asked for a moment ago.
        """
        folder, library = self._folder_in_plex(path)
        now = self._clock()
        if library is None or now - self._asked_at.get(folder, float("-inf")) < SCAN_INTERVAL_S:
            return None
        self._asked_at = {name: at for name, at in self._asked_at.items() if now - at < SCAN_INTERVAL_S}
        self._asked_at[folder] = now
        self._client.scan(library.key, folder)
        return folder

    def _folder_in_plex(self, path: str) -> tuple[str, Library | None]:
        # A scan of the wrong folder does no harm.
        possible = self._matcher.possible_plex_paths(path)
        for plex_path in possible:
            for library in self._matcher.index.libraries:
                if any(PathRule(place, place).apply(plex_path) is not None for place in library.folders):
                    return folder_of(plex_path), library
        return folder_of(possible[0]), None

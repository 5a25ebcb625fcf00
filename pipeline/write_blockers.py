"""Whether the settings allow writing to Plex at all, for the worker and for tasks alike."""

from __future__ import annotations

from matching.path_map import BadPathRule, parse_path_map
from plex.exceptions import PlexLibraryMissing, PlexTokenRefused
from settings.config import Stash2PlexConfig

# Errors that only the user can fix: the job is not at fault and keeps its tries.
NEEDS_USER = (PlexTokenRefused, PlexLibraryMissing)


def write_blocker(config: Stash2PlexConfig) -> str | None:
    """Return the sentence for the user if a setting is missing or wrong, else None."""
    blocker = config.write_blocker()
    if blocker:
        return blocker
    try:
        parse_path_map(config.path_map)
    except BadPathRule as error:
        return f"Stash2Plex is paused by a wrong setting: Path map: {error}. Fix it in Settings > Plugins"
    return None

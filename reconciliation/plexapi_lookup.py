"""Scenes matched one by one through plexapi's libraries: for a Plex that cannot be indexed.

An index needs a server that says who it is. Whatever else answers like plexapi is asked file by file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common.scene import files_of
from matching.presence import PlexData, PlexPresence, Presence
from plex.exceptions import PlexNotFound, PlexServerDown

# Said at least this often how far it is.
STRIDE = 50


def libraries_of(client: Any, names: list[str]) -> list[Any]:
    """The libraries of plexapi to ask: those named, else every one of movies."""
    library = client.server.library
    if names:
        return [library.section(name) for name in names]
    movies = [one for one in library.sections() if getattr(one, "type", "movie") == "movie"]
    # Where none can be told apart, all at once.
    return movies or [library]


def look(
    scenes: Mapping[int, Mapping[str, Any]],
    sync_timestamps: Mapping[int, float],
    libraries: list[Any],
    extract: Callable[[Any], dict[str, Any]],
    errors: list[str],
    progress: Callable[[int], None],
) -> PlexData:
    """How these scenes stand in Plex. A sync timestamp is a known match and costs no look; one scene's failure is an
    error of its own. Raises PlexServerDown."""
    from plex import matcher

    metadata: dict[str, dict[str, Any]] = {}
    matched: set[str] = set()
    presences: dict[int, PlexPresence] = {}
    for number, (scene_id, scene) in enumerate(scenes.items(), 1):
        files = files_of(scene)
        if scene_id in sync_timestamps:
            matched.update(file.path for file in files)
            continue
        proven: dict[str, Any] = {}
        doubtful = failed = False
        for file in files:
            for library in libraries:
                try:
                    confidence, item, candidates = matcher.find_plex_items_with_confidence(
                        library, file.path, size=file.size, duration=file.duration
                    )
                except PlexNotFound:
                    continue
                except PlexServerDown:
                    raise
                except Exception as error:  # noqa: BLE001 - one scene's, and the others go on
                    errors.append(f"Scene {scene_id} could not be matched: {error}")
                    failed = True
                    continue
                if confidence is matcher.MatchConfidence.HIGH and item is not None:
                    proven[str(item.key)] = item
                    metadata[file.path] = extract(item)
                else:
                    doubtful |= bool(candidates)
        if proven or doubtful or failed:
            # What could not be matched is not known to be missing.
            matched.update(file.path for file in files)
        if proven:
            presences[scene_id] = PlexPresence(Presence.PROVEN)
        elif doubtful:
            presences[scene_id] = PlexPresence(Presence.DOUBTFUL)
        if number % STRIDE == 0:
            progress(number)
    return PlexData(metadata, matched, presences)

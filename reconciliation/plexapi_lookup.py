"""Match scenes one by one through plexapi's libraries: for a Plex that cannot be indexed.

The index needs a server that says which one it is. Anything else that answers like plexapi is asked file by file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from common.scene import SceneFile, scene_files
from matching.plex_presence import Metadata, PlexData, PlexPresence, Presence
from plex.client import PlexClient
from plex.exceptions import PlexNotFound, PlexServerDown, translate_plex_exception
from plex.plexapi_types import PlexApiVideo, PlexApiVideos

# Progress is reported after so many scenes.
SCENES_PER_PROGRESS = 50


def libraries_of(client: PlexClient, names: Sequence[str]) -> list[PlexApiVideos]:
    """Return the libraries of plexapi to ask: those named, else all of movies. Raise PlexError."""
    try:
        library = client.server.library
        if names:
            return [library.section(name) for name in names]
        movies = [section for section in library.sections() if getattr(section, "type", "movie") == "movie"]
    except Exception as error:  # of plexapi or a double of it: each becomes ours
        raise translate_plex_exception(error) from error
    # Where no library can be told from another, all at once.
    return [*movies] or [library]


def match_page(
    scenes: Mapping[int, Mapping[str, object]],
    sync_timestamps: Mapping[int, float],
    libraries: Sequence[PlexApiVideos],
    extract: Callable[[PlexApiVideo], Metadata],
    errors: list[str],
    progress: Callable[[], None],
) -> PlexData:
    """Return how scenes stand in Plex, by id. Raise PlexServerDown.

    A sync timestamp is a known match and costs no request. ``errors`` takes the failures of single scenes.
    """
    metadata: dict[str, Metadata] = {}
    matched: set[str] = set()
    presences: dict[int, PlexPresence] = {}
    for number, (scene_id, scene) in enumerate(scenes.items(), 1):
        files = scene_files(scene)
        if scene_id in sync_timestamps:
            matched.update(file.path for file in files)
            continue
        lookup = _Lookup()
        for file in files:
            for library in libraries:
                lookup.ask(library, file)
        metadata |= {path: extract(video) for path, video in lookup.proven.items()}
        errors += [f"Scene {scene_id} could not be matched: {error}" for error in lookup.errors]
        if lookup.proven or lookup.is_doubtful or lookup.errors:
            # A scene that could not be matched is not known to be missing.
            matched.update(file.path for file in files)
        if lookup.proven:
            presences[scene_id] = PlexPresence(Presence.PROVEN)
        elif lookup.is_doubtful:
            presences[scene_id] = PlexPresence(Presence.DOUBTFUL)
        if number % SCENES_PER_PROGRESS == 0:
            progress()
    return PlexData(metadata, matched, presences)


@dataclass
class _Lookup:
    """What came of asking for one scene: proven videos by path."""

    proven: dict[str, PlexApiVideo] = field(default_factory=dict)
    is_doubtful: bool = False
    errors: list[str] = field(default_factory=list)

    def ask(self, library: PlexApiVideos, file: SceneFile) -> None:
        from plex import matcher  # by its module: tests outside replace the function there

        try:
            confidence, video, candidates = matcher.find_plex_items_with_confidence(
                library, file.path, size=file.size, duration=file.duration
            )
        except PlexNotFound:
            return
        except PlexServerDown:
            raise
        except Exception as error:  # noqa: BLE001 - of one scene; the others go on
            self.errors.append(str(error))
            return
        if confidence is matcher.MatchConfidence.HIGH and video is not None:
            self.proven[file.path] = video
        else:
            self.is_doubtful |= bool(candidates)

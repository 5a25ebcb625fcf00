"""Match a page of scenes against the library index: no request, and one query for all paths of the page.

Nearly every scene of a settled library is at its path, letter by letter. Looking these up together takes 0.26 s for
20,000 scenes, matching them one by one 1.3 s; it serves the benchmark "reconcile" (docs/performance.md), which takes
7 s for as many. All other scenes are matched as the worker matches them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from common.media_paths import plain
from common.scene import SceneFile, scene_files
from matching.index_store import FileAtPath, files_at_paths, keys_with_metadata
from matching.matcher import Matcher
from matching.ownership import Claimant, owner_among
from matching.path_map import PathRule
from matching.plex_presence import NO_METADATA, Metadata, PlexData, PlexPresence, Presence, PresentItem
from matching.ranking import Match, MatchConfidence
from matching.rivals import Rivals
from state.ledger import Ledger
from state.manual_matches import ManualDecisions, ManualMatch, ManualMatches, PlexFile

_ABSENT = PlexPresence(Presence.ABSENT)
NOTHING_DECIDED = ManualDecisions()
_Found = tuple[PlexPresence, list[str]]
"""How a scene stands in Plex, and the paths of its files whose items show no metadata."""


class BulkMatcher:
    """Matches over the index of ``matcher``. ``strict``: a doubtful item is not the scene's. ``decided`` are the manual
    matches and rejected files of this server. ``concerned`` collects the items that any scene may belong to."""

    def __init__(self, matcher: Matcher, strict: bool = True, decided: ManualDecisions = NOTHING_DECIDED) -> None:
        self.cache = matcher.index.cache
        self.concerned: set[int] = set()
        self._matcher = matcher
        self._strict = strict
        self._decided = decided

    def match_page(self, scenes: Mapping[int, Mapping[str, object]]) -> PlexData:
        """Return how these scenes stand in Plex, by id; all files of each count."""
        files = {scene_id: scene_files(scene) for scene_id, scene in scenes.items()}
        to_plex = self._matcher.path_map.to_plex
        mapped = {file.path: to_plex(file.path) for some in files.values() for file in some}
        at_path = files_at_paths(self.cache, set(mapped.values()))
        presences: dict[int, PlexPresence] = {}
        metadata: dict[str, Metadata] = {}
        matched: set[str] = set()
        for scene_id, its_files in files.items():
            paths = [file.path for file in its_files]
            rejected = self._decided.rejected.get(scene_id, frozenset())
            chosen = self._decided.chosen.get(scene_id)
            exact = [_exactly(mapped[path], at_path.get(mapped[path])) for path in paths]
            if chosen is not None:
                presence, without_metadata = self._match_manually(chosen, paths)
            elif exact and all(exact) and not rejected:
                presence, without_metadata = _present_at_paths(paths, exact)
            else:
                presence, without_metadata = self._match_ranked(its_files, rejected)
            presences[scene_id] = presence
            # A scene whose items the user has rejected is not missing.
            if presence.presence is not Presence.ABSENT or rejected:
                matched.update(paths)
            metadata.update(dict.fromkeys(without_metadata, NO_METADATA))
            self.concerned.update(item.rating_key for item in presence.items)
        return PlexData(metadata, matched, presences)

    def _match_manually(self, chosen: ManualMatch, paths: list[str]) -> _Found:
        items = [
            item
            for item in self.cache.candidates(chosen.files)
            if not item.trashed and chosen.has_any_file((part.path, part.size) for part in item.parts)
        ]
        item = next((item for item in items if item.rating_key == chosen.rating_key), items[0] if items else None)
        if item is None:
            return PlexPresence(Presence.DOUBTFUL), []  # the user has to choose again
        has_metadata = bool(keys_with_metadata(self.cache, [item.rating_key]))
        present = PresentItem(item.rating_key, item.section, has_metadata)
        return PlexPresence(Presence.PROVEN, (present,)), [] if has_metadata else paths

    def _match_ranked(self, files: Sequence[SceneFile], rejected: frozenset[PlexFile]) -> _Found:
        match = self._matcher.match_in_index(files, rejected).match
        if match is None or not match.chosen:
            return _ABSENT if match is None else PlexPresence(Presence.ABSENT, match=match), []
        # Doubtful items may be the scene's: they are not reported as unknown to Stash.
        self.concerned.update(ranked.candidate.rating_key for ranked in match.ranked)
        items, without_metadata = self._present_items(match)
        if match.confidence is MatchConfidence.HIGH:
            return PlexPresence(Presence.PROVEN, items, match), without_metadata
        if self._strict:
            return PlexPresence(Presence.DOUBTFUL, (), match), []
        return PlexPresence(Presence.DOUBTFUL, items, match), without_metadata

    def _present_items(self, match: Match) -> tuple[tuple[PresentItem, ...], list[str]]:
        keys = keys_with_metadata(self.cache, [ranked.candidate.rating_key for ranked in match.chosen])
        items = tuple(
            PresentItem(ranked.candidate.rating_key, ranked.candidate.section, ranked.candidate.rating_key in keys)
            for ranked in match.chosen
        )
        return items, [ranked.file.path for ranked in match.chosen if ranked.candidate.rating_key not in keys]

    def evidence(self, scene: Mapping[str, object]) -> str:
        """Return the checksum of what the index has for a scene (``Matcher.evidence``)."""
        return self._matcher.evidence(scene_files(scene), self._decided.chosen.get(int(str(scene["id"]))))

    def is_in_library_folder(self, path: str) -> bool:
        """Tell whether a file of Stash lies in a folder of the chosen libraries, as far as the path map and the learned
        mapping tell."""
        folders = [folder for library in self._matcher.index.libraries for folder in library.folders]
        possible = self._matcher.possible_plex_paths(path)
        return any(
            PathRule(folder, folder).apply(plex_path) is not None for folder in folders for plex_path in possible
        )

    def owned_by_others(
        self,
        scene_id: int,
        scene: Mapping[str, object],
        rating_keys: Collection[int],
        is_guess: bool,
        db: sqlite3.Connection,
    ) -> set[int]:
        """Return those of a scene's items that belong to another scene, by the ledger and the manual matches of ``db``.

        ``is_guess``: the scene's match is not proven.
        """
        rivals = Rivals(Ledger(db), ManualMatches(db), self._matcher.is_in_force)
        files = scene_files(scene)
        path_map = self._matcher.path_map
        chosen = self._decided.chosen.get(scene_id)
        claimant = Claimant(scene_id, tuple(files), chosen, is_guess=is_guess)
        in_plex = [(path_map.to_plex(file.path), file.size) for file in files]
        owned = set()
        for item in self.cache.candidates([*in_plex, *(chosen.files if chosen is not None else ())]):
            if item.rating_key in rating_keys:
                others = rivals.of(item, item.section, self._matcher.index.machine, scene_id)
                owner = owner_among(item, [claimant, *others], path_map) if others else None
                if owner is not None and owner.scene_id != scene_id:
                    owned.add(item.rating_key)
        return owned


def _exactly(mapped: str, files_at_path: list[FileAtPath] | None) -> list[FileAtPath]:
    """Return the files at a path if all are there letter by letter; none if they need ranking."""
    if not files_at_path or any(
        file.trashed or (file.path != mapped and plain(file.path) != plain(mapped)) for file in files_at_path
    ):
        return []
    return files_at_path


def _present_at_paths(paths: list[str], exact: list[list[FileAtPath]]) -> _Found:
    items: dict[int, PresentItem] = {}
    for file in (file for files in exact for file in files):
        items.setdefault(file.rating_key, PresentItem(file.rating_key, file.section, file.has_metadata))
    without_metadata = [
        path for path, files in zip(paths, exact, strict=True) if not all(file.has_metadata for file in files)
    ]
    return PlexPresence(Presence.PROVEN, tuple(items.values())), without_metadata

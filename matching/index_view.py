"""Scenes looked up in the library index, a page at a time: the usual way, and no request for any of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from common.media_paths import plain
from common.scene import SceneFile, files_of
from matching.index import MatchCache, PlexCache
from matching.index_queries import FileInIndex, at_paths, speaking
from matching.path_map import PathMap, PathRule
from matching.presence import NOTHING, PlexData, PlexPresence, Presence, PresentItem
from matching.ranking import Candidate, Match, MatchConfidence, rank
from plex.items import Part
from state.manual_matches import ManualDecisions, ManualMatch, PlexFile, is_refused

_ABSENT = PlexPresence(Presence.ABSENT)
NOTHING_DECIDED = ManualDecisions()


class IndexView:
    """What one Plex holds, as its index says. ``places`` are its libraries' folders; ``noted`` collects the items that
    any scene was found to concern. ``strict``: what is doubtful is no scene's item. ``decided`` is what a person has
    said about scenes and items of this server."""

    def __init__(
        self,
        cache: PlexCache,
        path_map: PathMap,
        places: Iterable[str] = (),
        strict: bool = True,
        decided: ManualDecisions = NOTHING_DECIDED,
    ) -> None:
        self.cache = cache
        self._decided = decided
        self.noted: set[int] = set()
        self._strict = strict
        self._path_map = path_map
        self._places = PathMap(tuple(PathRule(place, place) for place in places))
        self._learned = MatchCache(cache).learned()

    def look(self, scenes: Mapping[int, Mapping[str, Any]]) -> PlexData:
        """How these scenes stand in Plex, by id; all files of each count."""
        files = {scene_id: files_of(scene) for scene_id, scene in scenes.items()}
        mapped = {file.path: self._path_map.to_plex(file.path) for some in files.values() for file in some}
        held = at_paths(self.cache, set(mapped.values()))
        sightings: dict[int, PlexPresence] = {}
        metadata: dict[str, dict[str, Any]] = {}
        matched: set[str] = set()
        for scene_id, some in files.items():
            paths = [file.path for file in some]
            refused = self._decided.refused.get(scene_id, frozenset())
            by_path = [_surely(mapped[path], held.get(mapped[path])) for path in paths] if not refused else []
            if scene_id in self._decided.bound:
                sighting, silent = self._by_hand(self._decided.bound[scene_id], paths)
            elif by_path and all(by_path):
                sighting = PlexPresence(Presence.PROVEN, _items(one for found in by_path for one in found))
                silent = [path for path, found in zip(paths, by_path, strict=True) if not all(h.says for h in found)]
            else:
                sighting, silent = self._judged(some, refused)
            sightings[scene_id] = sighting
            # Where a person has said that no item is the scene's, none is missing.
            if sighting.seen is not Presence.ABSENT or refused:
                matched.update(paths)
            metadata.update(dict.fromkeys(silent, NOTHING))
            self.noted.update(item.rating_key for item in sighting.items)
        return PlexData(metadata, matched, sightings)

    def _by_hand(self, binding: ManualMatch, paths: list[str]) -> tuple[PlexPresence, list[str]]:
        """The item that a person has chosen, as the worker would find it; and the scene's files where it is silent."""
        there = [
            item
            for item in self.cache.candidates(binding.files)
            if not item.trashed and binding.holds((part.path, part.size) for part in item.parts)
        ]
        item = next((one for one in there if one.rating_key == binding.rating_key), there[0] if there else None)
        if item is None:
            # Chosen by hand, and gone: a person is asked once more.
            return PlexPresence(Presence.DOUBTFUL), []
        says = bool(speaking(self.cache, [item.rating_key]))
        return PlexPresence(Presence.PROVEN, (PresentItem(item.rating_key, item.section, says),)), [] if says else paths

    def _judged(self, files: list[SceneFile], refused: frozenset[PlexFile]) -> tuple[PlexPresence, list[str]]:
        """The same judgement as the worker's, for what is not plainly at its path; and the files of silent items."""
        match = self._rank(files, refused)
        if match is None or not match.chosen:
            return _ABSENT if match is None else PlexPresence(Presence.ABSENT, match=match), []
        # A doubtful one may yet be Stash's: it is not to be called unknown there.
        self.noted.update(one.candidate.rating_key for one in match.ranked)
        says = speaking(self.cache, [one.candidate.rating_key for one in match.chosen])
        items = tuple(
            PresentItem(one.candidate.rating_key, one.candidate.section, one.candidate.rating_key in says)
            for one in match.chosen
        )
        silent = [one.file.path for one in match.chosen if one.candidate.rating_key not in says]
        if match.confidence is MatchConfidence.HIGH:
            return PlexPresence(Presence.PROVEN, items, match), silent
        return PlexPresence(Presence.DOUBTFUL, () if self._strict else items, match), [] if self._strict else silent

    def _rank(self, files: Sequence[SceneFile], refused: frozenset[PlexFile]) -> Match | None:
        asked = [(self._path_map.to_plex(file.path), file.size) for file in files]
        candidates = [
            Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)
            for item in self.cache.candidates(asked)
            if not (refused and is_refused(((part.path, part.size) for part in item.parts), refused))
        ]
        return rank(files, candidates, self._path_map, self._learned) if candidates else None

    def evidence(self, scene: Mapping[str, Any]) -> str:
        """What the index knows under the names of a scene's files, and of those of the item chosen by hand, in a few
        letters."""
        files = [(self._path_map.to_plex(file.path), file.size) for file in files_of(scene)]
        chosen = self._decided.bound.get(int(scene["id"]))
        return self.cache.evidence([*files, *(chosen.files if chosen is not None else ())])

    def has_folder_of(self, path: str) -> bool:
        """Whether a file of Stash lies in a folder of Plex's libraries, as far as the two views are known."""
        guesses = [self._path_map.to_plex(path), *(PathRule(*pair).apply(path) for pair in self._learned)]
        return any(rule.apply(guess) is not None for guess in guesses if guess for rule in self._places.rules)

    def others(
        self,
        scene_id: int,
        scene: Mapping[str, Any],
        rating_keys: Collection[int],
        holder: Callable[[int, int, str, int], int | None],
    ) -> set[int]:
        """Those of a scene's items that belong to another scene: it has their first file (design 4), or they were given
        to it by hand."""
        if scene_id in self._decided.bound:
            return set()
        files = files_of(scene)
        found = set()
        for item in self.cache.candidates((self._path_map.to_plex(file.path), file.size) for file in files):
            if item.rating_key not in rating_keys or not item.parts:
                continue
            given = self._decided.owner(item.rating_key, ((part.path, part.size) for part in item.parts))
            if given not in (None, scene_id):
                found.add(item.rating_key)
                continue
            first = item.parts[0]
            other = holder(item.rating_key, item.section, first.path, scene_id)
            # Of two scenes with the first file the lower id has the item.
            if other is not None and not (other > scene_id and self._holds(first, files)):
                found.add(item.rating_key)
        return found

    def _holds(self, part: Part, files: Sequence[SceneFile]) -> bool:
        judged = rank(files, [Candidate(0, 0, (part,))], self._path_map)
        return judged is not None and judged.confidence is MatchConfidence.HIGH


def _surely(mapped: str, held: list[FileInIndex] | None) -> list[FileInIndex]:
    """The files that are at a path beyond doubt, letter by letter; none where there is anything to judge."""
    if not held or any(one.trashed or (one.path != mapped and plain(one.path) != plain(mapped)) for one in held):
        return []
    return held


def _items(held: Iterable[FileInIndex]) -> tuple[PresentItem, ...]:
    found: dict[int, PresentItem] = {}
    for one in held:
        found.setdefault(one.rating_key, PresentItem(one.rating_key, one.section, one.says))
    return tuple(found.values())

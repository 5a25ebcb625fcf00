"""Find the items of a scene in the index, rank them, and prove the choice against the items as Plex has them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from common.media_paths import base_name
from common.scene import SceneFile
from matching import manual_match
from matching.index_store import IndexedItem, MatchCache
from matching.library_index import LibraryIndex
from matching.path_map import PathMap, PathRule
from matching.proof import PROOFS, Candidate
from matching.ranking import Match, MatchConfidence, Ranked, rank
from matching.refresh_policy import Urgency
from plex.items import FullItem
from state.manual_matches import ManualMatch, PlexFile, is_rejected

_NONE_REJECTED: frozenset[PlexFile] = frozenset()


class IndexMatch(NamedTuple):
    """What the index says about a scene: the match, None where nothing has a name or a path of its files; and a
    checksum of everything the index has under those names. While that is the same, a new match would be, too."""

    match: Match | None
    evidence: str


class Matcher:
    """Matches scenes over one library index. ``path_map`` leads from Stash's paths to Plex's."""

    def __init__(self, index: LibraryIndex, path_map: PathMap) -> None:
        self.index = index
        self.path_map = path_map
        self._proven_matches = MatchCache(index.cache)
        self._learned: dict[tuple[str, str], int] | None = None
        self._has_matched = False

    def match(
        self,
        files: Sequence[SceneFile],
        urgency: Urgency = Urgency.SAVE,
        *,
        ask_by_name: bool = False,
        rejected: frozenset[PlexFile] = _NONE_REJECTED,
    ) -> IndexMatch:
        """Return the match of a scene's files; refresh the index first where it has no proof. Raise PlexError.

        ``ask_by_name`` asks Plex for the files by name (plex 3.4) before that, the cheapest way for a few scenes. Items
        with none but ``rejected`` files are no candidates.
        """
        _ = self.index.libraries  # binds the index, and reads it where it is new
        index_match = self.match_in_index(files, rejected)
        if _is_proven(index_match):
            return index_match
        if ask_by_name and self.index.ask_for_names(self._names(files)):
            index_match = self.match_in_index(files, rejected)
            if _is_proven(index_match):
                return index_match
        if self.index.refresh_if_due(urgency):
            index_match = self.match_in_index(files, rejected)
        return index_match

    def match_in_index(self, files: Sequence[SceneFile], rejected: frozenset[PlexFile] = _NONE_REJECTED) -> IndexMatch:
        """Return the match of a scene's files by what the index has now. No request."""
        self._has_matched = True
        items, evidence = self.index.cache.candidates_and_evidence(self._in_plex(files))
        return IndexMatch(rank(files, _candidates(items, rejected), self.path_map, self.learned()), evidence)

    def evidence(self, files: Iterable[SceneFile], chosen: ManualMatch | None = None) -> str:
        """Return the checksum of what the index has under the names of a scene's files, and of its manual match's."""
        return self.index.cache.evidence([*self._in_plex(files), *(chosen.files if chosen is not None else ())])

    def prove(self, match: Match, items: Mapping[int, FullItem], files: Sequence[SceneFile]) -> list[FullItem]:
        """Return the chosen items that, read in full, still are what the index said; forget the others.

        A doubtful choice (LOW) needs no more than it had: the item still has a file of this name.
        """
        proven = []
        for ranked in match.chosen:
            key = ranked.candidate.rating_key
            item = items.get(key)
            now = None if item is None or item.trashed else self._ranked_again(item, files, ranked)
            if item is None or now is None or not _as_good(now, ranked):
                self.index.report_contradiction(key)
                continue
            proven.append(item)
            if match.confidence is MatchConfidence.HIGH:
                self._proven_matches.put(now.file.path, key, item.section, now.part.path)
                self._learned = None
        return proven

    def _ranked_again(self, item: FullItem, files: Sequence[SceneFile], before: Ranked) -> Ranked | None:
        if item.parts == before.candidate.parts:
            return before
        candidate = Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)
        match = rank(files, [candidate], self.path_map)
        return match.ranked[0] if match is not None else None

    def is_in_force(self, chosen: ManualMatch) -> bool:
        """Tell whether a manual match concerns this server and a chosen library. Raise PlexError."""
        sections = {library.key for library in self.index.libraries}
        return manual_match.is_in_force(chosen, self.index.machine, sections)

    def keys_with_file_of(self, chosen: ManualMatch) -> list[int]:
        """Return the items that have a file of a manual match, after a refresh. Raise PlexError.

        To be asked when the chosen item, just read, turned out to be another.
        """
        self.index.report_contradiction()
        self.index.refresh_if_due(Urgency.SAVE)
        items = self.index.cache.candidates(chosen.files)
        return [item.rating_key for item in items if chosen.has_any_file(manual_match.files_of(item.parts))]

    def learned(self) -> dict[tuple[str, str], int]:
        """Return the pairs of folders (Stash's, Plex's) that proven matches suggest, with their number, most first."""
        if self._learned is None:
            self._learned = self._proven_matches.learned()
        return self._learned

    def possible_plex_paths(self, path: str) -> list[str]:
        """Return where Plex may have a file of Stash: by the path map, then by what proven matches suggest."""
        learned = [PathRule(*pair).apply(path) for pair in self.learned()]
        return [self.path_map.to_plex(path), *(mapped for mapped in learned if mapped is not None)]

    def unused_path_rules(self) -> list[str]:
        """Return the rules of the path map that applied to no file so far, as text; none before the first match."""
        return [str(rule) for rule in self.path_map.unused()] if self._has_matched else []

    def forget(self, stash_paths: Iterable[str]) -> None:
        """Forget which items these files were proven to be."""
        for path in stash_paths:
            self._proven_matches.forget(path)

    def _in_plex(self, files: Iterable[SceneFile]) -> list[PlexFile]:
        return [(self.path_map.to_plex(file.path), file.size) for file in files]

    def _names(self, files: Iterable[SceneFile]) -> list[str]:
        return list(dict.fromkeys(base_name(path) for path, _ in self._in_plex(files)))


def _candidates(items: Iterable[IndexedItem], rejected: frozenset[PlexFile]) -> list[Candidate]:
    return [
        Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)
        for item in items
        if not (rejected and is_rejected(manual_match.files_of(item.parts), rejected))
    ]


def _is_proven(index_match: IndexMatch) -> bool:
    return index_match.match is not None and index_match.match.confidence is MatchConfidence.HIGH


def _as_good(now: Ranked, before: Ranked) -> bool:
    """Tell whether an item read in full holds what the index promised of it."""
    return now.evidence in PROOFS or before.evidence not in PROOFS

"""The worker's hold on one Plex server: connection, chosen libraries, index, and finding a scene's items."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from plex.cache import MatchCache, PlexCache
from plex.client import PlexClient, Section, identifier
from plex.exceptions import PlexLibraryMissing
from plex.item import FullItem, Part, read_full
from plex.paths import PathMap, parse_path_map
from plex.ranking import Candidate, Evidence, Match, MatchConfidence, Ranked, SceneFile, rank

# Between two looks for new items: while new jobs come in, and for those that only wait for their file (design 4).
FRESH_LOOK = 2.0
PATIENT_LOOK = 45.0
# The incremental look does not see everything (plex 4.6); a miss may cost a whole one this often.
WHOLE_LOOK = 3600.0


def choose_sections(sections: Iterable[Section], wanted: list[str]) -> list[Section]:
    """The libraries named (by title or key), else every movie-type one. Raises PlexLibraryMissing."""
    known = list(sections)
    movies = [section for section in known if section.type == "movie"]
    if not wanted:
        if not movies:
            raise PlexLibraryMissing("Plex has no movie-type library: add one that holds the scenes' folders")
        return movies
    chosen: dict[int, Section] = {}
    for name in wanted:
        named = [s for s in known if s.title.strip().casefold() == name.casefold() or str(s.key) == name]
        usable = [section for section in named if section.type == "movie"]
        if not usable:
            why = (
                f"is of type {named[0].type}, only movie-type ones can be written" if named else "is not on the server"
            )
            there = ", ".join(section.title for section in movies) or "none"
            raise PlexLibraryMissing(f"The Plex library {name!r} {why}. There are: {there}")
        chosen.update((section.key, section) for section in usable)
    return list(chosen.values())


class PlexSide:
    """One server as the settings name it. Belongs to one thread. Everything may raise PlexError."""

    def __init__(self, config: Any, data_dir: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = PlexClient(
            config.plex_url, config.plex_token, config.connect_timeout, config.read_timeout, identifier(data_dir)
        )
        self._wanted = config.libraries
        self._clock = clock
        self._cache = PlexCache(data_dir)
        self._matches = MatchCache(self._cache)
        self._path_map: PathMap = parse_path_map(config.path_map)
        self._sections: list[Section] | None = None
        self._looked_at = float("-inf")
        self._whole_look_at = float("-inf")
        self._read_at = float("-inf")
        self._looked_for_any = False

    @property
    def sections(self) -> list[Section]:
        """The chosen libraries; asked once. Binds the index to them and builds it where it is new."""
        if self._sections is None:
            sections = choose_sections(self.client.sections(), self._wanted)
            if not self._cache.belongs_to(self.client.machine_identifier, sections):
                self._whole(sections)
            self._sections = sections
        return self._sections

    def match(self, files: list[SceneFile], patient: bool = False, refuted: bool = False) -> Match | None:
        """The items of a scene's files, judged by what the index knows; None where it knows nothing like them.

        Where there is no proof it looks for new items first. ``patient`` is for jobs that have been waiting for their
        file: many of them share one look. ``refuted``: an item that was read was not what the index said, so one look
        after that reading is due whatever the pause.
        """
        sections = self.sections
        match = self._judge(files)
        proven = match is not None and match.confidence is MatchConfidence.HIGH
        overdue = refuted and self._looked_at < self._read_at
        if not proven and self._look(sections, 0.0 if overdue else PATIENT_LOOK if patient else FRESH_LOOK):
            match = self._judge(files)
        return match

    def _judge(self, files: list[SceneFile]) -> Match | None:
        self._looked_for_any = True
        asked = [(self._path_map.to_plex(file.path), file.size) for file in files]
        candidates = [
            Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)
            for item in self._cache.candidates(asked)
        ]
        return rank(files, candidates, self._path_map, self._matches.learned())

    def read(self, rating_keys: Iterable[int]) -> dict[int, FullItem]:
        """Items in full."""
        self._read_at = self._clock()
        return read_full(self.client, rating_keys)

    def proven(self, match: Match, items: dict[int, FullItem], files: list[SceneFile]) -> list[FullItem]:
        """Those chosen items that, read in full, still are what the index said; what is not so is forgotten.

        A doubtful choice (LOW) needs no more than it had: that the item still has a file of this name.
        """
        kept = []
        for ranked in match.chosen:
            key = ranked.candidate.rating_key
            item = items.get(key)
            again = None if item is None else self._again(item, files)
            if item is None or item.trashed or again is None or not _as_good(again, ranked):
                self._cache.forget(key)
                continue
            kept.append(item)
            if match.confidence is MatchConfidence.HIGH:
                self._matches.put(again.file.path, key, item.section, again.part.path)
        return kept

    def holds(self, part: Part, files: list[SceneFile]) -> bool:
        """Whether one of a scene's files is this file of Plex, proven."""
        judged = rank(files, [Candidate(0, 0, (part,))], self._path_map)
        return judged is not None and judged.confidence is MatchConfidence.HIGH

    def _again(self, item: FullItem, files: list[SceneFile]) -> Ranked | None:
        judged = rank(
            files, [Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)], self._path_map
        )
        return judged.ranked[0] if judged is not None else None

    def folders(self) -> str:
        """Where the chosen libraries lie, in words."""
        return ", ".join(folder for section in self.sections for folder in section.folders) or "no folder"

    def unused_rules(self) -> list[str]:
        """Rules of the path map that have concerned no file so far, in words; none before the first file."""
        return [str(rule) for rule in self._path_map.unused()] if self._looked_for_any else []

    def learned(self) -> dict[tuple[str, str], int]:
        """What proven pairs say about the two views of the files, most votes first."""
        return self._matches.learned()

    def _look(self, sections: list[Section], pause: float) -> bool:
        now = self._clock()
        if now - self._looked_at < pause:
            return False
        if now - self._whole_look_at > WHOLE_LOOK:
            # A library may have been added since.
            self._sections = None
            sections = self.sections
            if self._whole_look_at < now:
                self._whole(sections)
        else:
            self._cache.refresh(self.client, sections)
            self._looked_at = self._clock()
        return True

    def _whole(self, sections: list[Section]) -> None:
        self._cache.build(self.client, sections)
        self._looked_at = self._whole_look_at = self._clock()

    def close(self) -> None:
        """Close connection and index."""
        self.client.close()
        self._cache.close()


def _as_good(now: Ranked, before: Ranked) -> bool:
    """Whether an item read in full holds what the index promised of it."""
    proofs = (Evidence.PATH, Evidence.NAME_AND_SIZE)
    return now.evidence in proofs or before.evidence not in proofs

"""The worker's hold on one Plex server: connection, chosen libraries, index, and finding a scene's items."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from common import damaged_files
from common.media_paths import base_name, folder_of
from common.scene import SceneFile
from matching import manual_match
from matching.index import MatchCache, PlexCache
from matching.path_map import PathMap, PathRule, parse_path_map
from matching.ranking import Candidate, Evidence, Match, MatchConfidence, Ranked, rank
from pipeline.item_reader import ItemReader
from plex.client import Library, PlexClient
from plex.exceptions import PlexError, PlexLibraryMissing, PlexServerDown
from plex.items import FullItem, Part
from plex.libraries import choose_libraries
from state.manual_matches import ManualMatch, PlexFile, is_refused

# Between two looks for new items: while new jobs come in, and for those that only wait for their file (design 4).
FRESH_LOOK = 2.0
PATIENT_LOOK = 45.0
# A patient look is one request for each library. With many of them it comes as much more seldom, up to this.
LONGEST_PATIENCE = 180.0
# How often a look also asks for what was changed, not only for what was added.
THOROUGH_LOOK = 600.0
# The incremental look does not see everything (plex 4.6); now and then the libraries are read whole.
WHOLE_LOOK = 3600.0
# Where items are known to be missing from the index, sooner.
REPAIR_LOOK = 600.0
# Plex is asked to scan the same folder once in so many seconds.
SCAN_PAUSE = 60.0


class PlexSession:
    """One server as the settings name it. Belongs to one thread. Everything may raise PlexError.

    ``heard`` is told the server's libraries and those of them that are chosen, whenever they were asked for."""

    def __init__(
        self,
        config: Any,
        data_dir: str,
        clock: Callable[[], float] = time.monotonic,
        heard: Callable[[PlexClient, list[Library], list[Library]], None] = lambda client, there, chosen: None,
    ) -> None:
        self.client = PlexClient.from_config(config, data_dir)
        self._wanted = config.libraries
        self._clock = clock
        self._heard = heard
        self._cache = PlexCache(data_dir, damaged_files.put_aside)
        self._matches = MatchCache(self._cache)
        self._path_map: PathMap = parse_path_map(config.path_map)
        self._sections: list[Library] | None = None
        self._looked_at = float("-inf")
        self._thorough_look_at = float("-inf")
        self._whole_look_at = float("-inf")
        self._incomplete = False
        # Something was forgotten since the last look: until the next the index knows too little to doubt by.
        self._behind = False
        self._looked_for_any = False
        self._scanned_at: dict[str, float] = {}
        self._items = ItemReader(self.client, clock, lambda: self._looked_at)
        # What is learned from one batch counts with the next.
        self._views: dict[tuple[str, str], int] | None = None
        # Whether the index has changed since somebody took notice.
        self._news = True
        self._version = self._cache.version()

    @property
    def sections(self) -> list[Library]:
        """The chosen libraries; asked once. Binds the index to them and builds it where it is new."""
        if self._sections is None:
            sections = self._choose()
            if not self._cache.belongs_to(self.client.machine_identifier, sections):
                self._whole(sections)
            elif self._whole_look_at == float("-inf") and (age := self._cache.age()) is not None:
                self._whole_look_at = self._clock() - age
            self._sections = sections
        return self._sections

    def _choose(self) -> list[Library]:
        there = self.client.libraries()
        try:
            chosen = choose_libraries(there, self._wanted)
        except PlexLibraryMissing:
            self._heard(self.client, there, [])
            raise
        self._heard(self.client, there, chosen)
        return chosen

    def match(
        self,
        files: list[SceneFile],
        patient: bool = False,
        refuted: bool = False,
        ask: bool = False,
        refused: frozenset[PlexFile] = frozenset(),
    ) -> tuple[Match | None, str]:
        """The items of a scene's files, judged by what the index knows, None where it knows nothing like them; and what
        it knows, as :meth:`evidence` gives it.

        Where there is no proof it looks for new items first. ``ask``: Plex is asked for the files by name (plex 3.4),
        the cheapest way while they are few. ``patient`` is for jobs of which there may be thousands: they share one
        look. ``refuted``: an item that was read was not what the index said, so one look after that reading is due
        whatever the pause. ``refused``: an item that has none but these files is no candidate, a person has said so.
        """
        sections = self.sections
        found = self._judge(files, refused)
        if _is_proven(found[0]):
            return found
        if ask and self._look_up(sections, files):
            found = self._judge(files, refused)
            if _is_proven(found[0]):
                return found
        overdue = self._behind or (refuted and self._looked_at < self._items.last_read_at)
        if self._look(0.0 if overdue else self.patience if patient else FRESH_LOOK, thorough=not patient):
            found = self._judge(files, refused)
        return found

    def _look_up(self, sections: list[Library], files: list[SceneFile]) -> bool:
        """Ask for files by name; True where that brought something. Raises PlexServerDown."""
        names = dict.fromkeys(base_name(self._path_map.to_plex(file.path)) for file in files)
        try:
            changed = sum(self._cache.look_up(self.client, sections, name) for name in names)
        except PlexServerDown:
            raise
        except PlexError:
            # Not every server answers this question (plex 3.4); the listing does.
            return False
        self._news |= changed > 0
        return changed > 0

    def take_news(self) -> bool:
        """Whether the index has changed since this was asked last, by us or by another process (a reconciliation)."""
        version = self._cache.version()
        news = self._news or version != self._version
        self._news, self._version = False, version
        return news

    def evidence(self, files: Iterable[SceneFile]) -> str:
        """What the index knows under the names of a scene's files: a verdict stands until this changes."""
        return self._cache.evidence((self._path_map.to_plex(file.path), file.size) for file in files)

    def _judge(self, files: list[SceneFile], refused: frozenset[PlexFile]) -> tuple[Match | None, str]:
        self._looked_for_any = True
        items, evidence = self._cache.look_for([(self._path_map.to_plex(file.path), file.size) for file in files])
        candidates = [
            Candidate(item.rating_key, item.section, item.parts, item.title, item.trashed)
            for item in items
            if not (refused and is_refused(manual_match.files_of(item.parts), refused))
        ]
        if self._views is None:
            self._views = self._matches.learned()
        return rank(files, candidates, self._path_map, self._views), evidence

    def prefetch(self, rating_keys: Collection[int]) -> None:
        """Request items that the next :meth:`read` will probably ask for. Does nothing before the first use of the
        server."""
        if self._sections is not None:
            self._items.prefetch(rating_keys)

    def read(self, rating_keys: Iterable[int]) -> dict[int, FullItem]:
        """Return items in full, by rating key, as they are now or were when they were prefetched."""
        self._views = None
        return self._items.read(rating_keys)

    def proven(self, match: Match, items: dict[int, FullItem], files: list[SceneFile]) -> list[FullItem]:
        """Those chosen items that, read in full, still are what the index said; what is not so is forgotten.

        A doubtful choice (LOW) needs no more than it had: that the item still has a file of this name.
        """
        kept = []
        for ranked in match.chosen:
            key = ranked.candidate.rating_key
            item = items.get(key)
            again = None if item is None else self._again(item, files, ranked)
            if item is None or item.trashed or again is None or not _as_good(again, ranked):
                self._cache.forget(key)
                self._behind = True
                continue
            kept.append(item)
            if match.confidence is MatchConfidence.HIGH:
                self._matches.put(again.file.path, key, item.section, again.part.path)
        return kept

    def stands(self, binding: ManualMatch) -> bool:
        """Whether a binding concerns this server, and a library that is written to."""
        sections = {section.key for section in self.sections}
        return binding.section in sections and binding.machine == self.client.machine

    def holding(self, binding: ManualMatch) -> list[FullItem]:
        """The items, read in full, that have a file of a binding; after a look at what is new."""
        self._look(0.0 if self._looked_at < self._items.last_read_at else FRESH_LOOK, thorough=True)
        there = self._cache.candidates(binding.files)
        return list(
            self.read(item.rating_key for item in there if binding.holds(manual_match.files_of(item.parts))).values()
        )

    def holds(self, part: Part, files: list[SceneFile]) -> bool:
        """Whether one of a scene's files is this file of Plex, proven."""
        judged = rank(files, [Candidate(0, 0, (part,))], self._path_map)
        return judged is not None and judged.confidence is MatchConfidence.HIGH

    def _again(self, item: FullItem, files: list[SceneFile], before: Ranked) -> Ranked | None:
        if item.parts == before.candidate.parts:
            return before
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

    @property
    def patience(self) -> float:
        """Seconds between two looks for those that wait for their files."""
        return min(LONGEST_PATIENCE, PATIENT_LOOK * max(1, len(self._sections or ())))

    def look_for_files(self) -> bool:
        """Look for new items on behalf of all that wait for their files; True where it was time for that."""
        return self._look(self.patience)

    def _look(self, pause: float, thorough: bool = False) -> bool:
        """Look for new items unless that was done less than ``pause`` seconds ago; True where it was done now."""
        now = self._clock()
        if now - self._looked_at < pause:
            return False
        if now - self._whole_look_at > (REPAIR_LOOK if self._incomplete else WHOLE_LOOK):
            # A library may have been added since.
            self._sections = None
            sections = self.sections
            if self._whole_look_at < now:
                self._whole(sections)
            return True
        thorough = thorough or now - self._thorough_look_at > THOROUGH_LOOK
        look = self._cache.refresh(self.client, self.sections, thorough)
        self._news |= look.changed > 0
        self._incomplete = look.incomplete
        self._behind = False
        self._looked_at = self._clock()
        if thorough:
            self._thorough_look_at = self._looked_at
        return True

    def _whole(self, sections: list[Library]) -> None:
        self._news |= self._cache.build_and_compare(self.client, sections)[1] > 0
        self._incomplete = self._behind = False
        self._looked_at = self._whole_look_at = self._thorough_look_at = self._clock()

    def ask_for_scan(self, path: str) -> str | None:
        """Have Plex scan the folder of a file it does not have; gives the folder, or None where no library holds it or
        it was asked a moment ago. Raises PlexError."""
        folder, section = self._folder_in_plex(path)
        now = self._clock()
        if section is None or now - self._scanned_at.get(folder, float("-inf")) < SCAN_PAUSE:
            return None
        self._scanned_at = {name: at for name, at in self._scanned_at.items() if now - at < SCAN_PAUSE} | {folder: now}
        self.client.scan(section.key, folder)
        return folder

    def _folder_in_plex(self, path: str) -> tuple[str, Library | None]:
        """A file's folder as Plex sees it, and the library it lies in: by the path map, else by what was learned. A
        scan of the wrong folder does no harm."""
        guesses = [self._path_map.to_plex(path)]
        guesses += [mapped for pair in self._matches.learned() if (mapped := PathRule(*pair).apply(path)) is not None]
        for guess in guesses:
            for section in self.sections:
                if any(PathRule(place, place).apply(guess) is not None for place in section.folders):
                    return folder_of(guess), section
        return folder_of(guesses[0]), None

    def forget(self, stash_paths: Iterable[str]) -> None:
        """Forget what was proven of these files."""
        for path in stash_paths:
            self._matches.forget(path)

    def close(self) -> None:
        """Close connection and index."""
        self.client.close()
        self._cache.close()


def _is_proven(match: Match | None) -> bool:
    return match is not None and match.confidence is MatchConfidence.HIGH


def _as_good(now: Ranked, before: Ranked) -> bool:
    """Whether an item read in full holds what the index promised of it."""
    proofs = (Evidence.PATH, Evidence.NAME_AND_SIZE)
    return now.evidence in proofs or before.evidence not in proofs

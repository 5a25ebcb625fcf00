"""The worker's hold on one Plex server: connection, chosen libraries, index, and finding a scene's items."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from plex.cache import Known, PlexCache
from plex.client import PlexClient, Section, identifier
from plex.exceptions import PlexLibraryMissing
from plex.item import FullItem, read_full
from plex.matcher import proves

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
        self._sections: list[Section] | None = None
        self._looked_at = float("-inf")
        self._whole_look_at = float("-inf")

    @property
    def sections(self) -> list[Section]:
        """The chosen libraries; asked once. Binds the index to them and builds it where it is new."""
        if self._sections is None:
            sections = choose_sections(self.client.sections(), self._wanted)
            if not self._cache.belongs_to(self.client.machine_identifier, sections):
                self._whole(sections)
            self._sections = sections
        return self._sections

    def locate(self, paths: list[str], patient: bool = False) -> list[Known]:
        """What the index knows of a scene's files; looks for new items first where it knows nothing.

        ``patient`` is for jobs that have been waiting for their file: many of them share one look.
        """
        sections = self.sections
        found = self._cache.find(paths)
        if not found and self._look(sections, PATIENT_LOOK if patient else FRESH_LOOK):
            found = self._cache.find(paths)
        return found

    def read(self, known: Iterable[Known]) -> dict[int, FullItem]:
        """The full items behind what the index knows."""
        return read_full(self.client, {one.rating_key for one in known})

    def proven(self, known: Iterable[Known], items: dict[int, FullItem], paths: list[str]) -> list[FullItem]:
        """Those items that really hold one of the files; what the index got wrong is forgotten."""
        proofs = []
        for rating_key in dict.fromkeys(one.rating_key for one in known):
            item = items.get(rating_key)
            if item is not None and proves(item, paths):
                proofs.append(item)
            else:
                self._cache.forget(rating_key)
        return proofs

    def _look(self, sections: list[Section], pause: float) -> bool:
        now = self._clock()
        if now - self._looked_at < pause:
            return False
        if now - self._whole_look_at > WHOLE_LOOK:
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

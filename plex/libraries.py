"""Which libraries of a server are meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from plex.client import Library
from plex.exceptions import PlexLibraryMissing


def choose_libraries(sections: Iterable[Library], wanted: list[str]) -> list[Library]:
    """The libraries named (by title or key), else every movie-type one. Raises PlexLibraryMissing."""
    known = list(sections)
    movies = [section for section in known if section.type == "movie"]
    if not wanted:
        if not movies:
            raise PlexLibraryMissing("Plex has no movie-type library: add one that holds the scenes' folders")
        return movies
    chosen: dict[int, Library] = {}
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

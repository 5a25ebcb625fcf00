"""Which libraries of a server the settings name. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from plex.client import Library
from plex.exceptions import PlexLibraryMissing


def choose_libraries(libraries: Iterable[Library], names: list[str]) -> list[Library]:
    """Return the libraries with these titles or keys, without names every movie-type one. Raise PlexLibraryMissing."""
    known = list(libraries)
    movies = [library for library in known if library.type == "movie"]
    if not names:
        if not movies:
            raise PlexLibraryMissing("Plex has no movie-type library: add one that holds the scenes' folders")
        return movies
    chosen: dict[int, Library] = {}
    for name in names:
        named = [
            library for library in known if name.casefold() in (library.title.strip().casefold(), str(library.key))
        ]
        usable = [library for library in named if library.type == "movie"]
        if not usable:
            reason = (
                f"is of type {named[0].type}, only movie-type ones can be written" if named else "is not on the server"
            )
            titles = ", ".join(library.title for library in movies) or "none"
            raise PlexLibraryMissing(f"The Plex library {name!r} {reason}. There are: {titles}")
        chosen.update((library.key, library) for library in usable)
    return list(chosen.values())

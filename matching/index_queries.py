"""The library index asked for many files at once, and read from one end to the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from common.media_paths import lookup_key
from matching.index import PlexCache, _checksum

# Older SQLites take 999 values.
_PORTION = 500


class FileInIndex(NamedTuple):
    """A file of Plex and the item it belongs to; ``says`` whether that shows anything but title and rating."""

    path: str
    rating_key: int
    section: int
    says: bool
    trashed: bool


def at_paths(cache: PlexCache, paths: Iterable[str]) -> dict[str, list[FileInIndex]]:
    """What might lie at each of these paths of Plex, which may differ in letter case; those with nothing are missing.

    In the order of sections and items.
    """
    by_key: dict[int, list[str]] = {}
    for path in paths:
        by_key.setdefault(_checksum(path), []).append(path)
    found: dict[str, list[FileInIndex]] = {}
    for key, *row in _in(
        cache._db,
        "SELECT p.path_key, p.path, p.rating_key, i.section, i.says_something, i.trashed "
        "FROM parts p JOIN items i USING (rating_key) WHERE p.path_key IN ({}) ORDER BY i.section, p.rating_key",
        list(by_key),
    ):
        held = FileInIndex(row[0], row[1], row[2], bool(row[3]), bool(row[4]))
        for path in by_key[key]:
            # two paths may have one checksum
            if path == held.path or lookup_key(path) == lookup_key(held.path):
                found.setdefault(path, []).append(held)
    return found


def speaking(cache: PlexCache, rating_keys: Iterable[int]) -> set[int]:
    """Those of these items that say something."""
    keys = list(rating_keys)
    return {
        row[0]
        for row in _in(cache._db, "SELECT rating_key FROM items WHERE says_something AND rating_key IN ({})", keys)
    }


def items(cache: PlexCache) -> Iterator[tuple[int, str, str]]:
    """Every item that is not in Plex's trash: rating key, title, and the path of its first file, sorted by that."""
    yield from cache._db.execute(
        "SELECT i.rating_key, i.title, p.path FROM items i JOIN parts p ON p.rating_key = i.rating_key AND p.place = 0 "
        "WHERE NOT i.trashed ORDER BY p.path"
    )


def _in(db: sqlite3.Connection, statement: str, values: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(values), _PORTION):
        some = values[start : start + _PORTION]
        yield from db.execute(statement.format(",".join("?" * len(some))), some)

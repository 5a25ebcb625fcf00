"""The library index: which file belongs to which item, read page by page as raw XML and stored in ``cache.db``.

It can be deleted at any time: a match found here is proven again by the item itself before anything is written.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import Element

from common.media_paths import base_name, lookup_key, same_path
from common.sqlite import transaction
from matching.index_database import CREATE_INDEXES, DELETE_ALL, INDEXES, open_index
from matching.learned_mapping import FILE as FILE
from matching.learned_mapping import LEARNED
from matching.path_map import prefix_pair
from plex.items import Part, item_parts_and_trashed, parse_int
from plex.listing import has_metadata, listing_pages

if TYPE_CHECKING:
    from plex.client import Library, PlexClient

# Older SQLites take 999 values in a statement.
MAX_SQL_PARAMS = 500
# New items are few and come first: a small first page is almost always enough.
FIRST_PAGE_SIZE = 100
# A search by name may return a whole folder (plex 3.4); beyond so many pages reading the listing is cheaper.
MAX_PAGES_BY_NAME = 3
# Beyond so many items with one name only those of the right size are returned.
MAX_ITEMS_BY_NAME = 100


@dataclass(frozen=True)
class IndexedItem:
    """An item as the index has it."""

    rating_key: int
    section: int
    title: str
    trashed: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class IndexedFile:
    """A file in the index, and the item it belongs to."""

    rating_key: int
    section: int
    part: Part


@dataclass(frozen=True)
class RefreshResult:
    """How many items a refresh added or changed, and whether the index still has fewer items than Plex."""

    changed: int
    incomplete: bool = False


class PlexCache:
    """The items and files of the chosen libraries of one server. ``put_aside`` moves a damaged file out of the way."""

    def __init__(self, data_dir: str, put_aside: Callable[[str], None] = os.remove) -> None:
        self._db = open_index(os.path.join(data_dir, FILE), put_aside)

    def belongs_to(self, machine: str, sections: Sequence[Library]) -> bool:
        """Bind the index to a server and its libraries. Return False, and empty it, if it was another's or new."""
        wanted = (machine, ",".join(str(section.key) for section in sections))
        if self._db.execute("SELECT machine, sections FROM origin").fetchone() == wanted:
            return True
        with transaction(self._db):
            for statement in DELETE_ALL:
                self._db.execute(statement)
            self._db.execute("INSERT INTO origin VALUES (?,?,0)", (wanted[0], ""))
        return False

    def build(self, client: PlexClient, sections: Sequence[Library]) -> int:
        """Read the libraries in full, drop items that are gone, return the number of items. Raise PlexError."""
        return self.build_and_compare(client, sections)[0]

    def build_and_compare(self, client: PlexClient, sections: Sequence[Library]) -> tuple[int, int]:
        """Do :meth:`build`; return the number of items, and of those that are new, changed or gone. Raise PlexError."""
        seen: set[int] = set()
        changed = 0
        if not self.size():
            # Indexing once at the end is cheaper than row by row.
            for name in INDEXES:
                self._db.execute(f"DROP INDEX IF EXISTS {name}")
        for section in sections:
            for page in listing_pages(client, section.key):
                rows = _rows(page.videos, section.key)
                seen.update(rows)
                changed += self._store(rows)
        for statement in CREATE_INDEXES:
            self._db.execute(statement)
        gone = [row for row in self._db.execute("SELECT rating_key FROM items") if row[0] not in seen]
        with transaction(self._db):
            for table in ("parts", "items"):
                self._db.executemany(f"DELETE FROM {table} WHERE rating_key = ?", gone)
            self._db.execute(
                "UPDATE origin SET sections = ?, built_at = ?",
                (",".join(str(section.key) for section in sections), time.time()),
            )
        return len(seen), changed + len(gone)

    def refresh(self, client: PlexClient, sections: Sequence[Library], thorough: bool = True) -> RefreshResult:
        """Read only added and changed items. Raise PlexError.

        First by time of addition, newest first, up to the first page that is known already; then by time of change. The
        second part is skipped if nothing was added and ``thorough`` is False: that is one request for each library.
        """
        changed = 0
        incomplete = False
        for section in sections:
            added, total = self._read_newest(client, section.key, "addedAt:desc")
            changed += added
            if thorough or added:
                changed += self._read_newest(client, section.key, "updatedAt:desc")[0]
            incomplete |= total is not None and total > self.size(section.key)
        return RefreshResult(changed, incomplete)

    def _read_newest(self, client: PlexClient, section: int, order: str) -> tuple[int, int | None]:
        """Return how many items were new or changed, and how many the library has."""
        changed, total = 0, None
        for page in listing_pages(client, section, order, first=FIRST_PAGE_SIZE):
            total = page.total
            found = self._store(_rows(page.videos, section))
            changed += found
            if not found:
                break
        return changed, total

    def look_up(self, client: PlexClient, sections: Sequence[Library], name: str) -> int:
        """Ask Plex for items with a file of this name. Return how many were new or changed. Raise PlexError."""
        changed = 0
        for section in sections:
            for page_number, page in enumerate(listing_pages(client, section.key, file=name), 1):
                changed += self._store(_rows(page.videos, section.key))
                if page_number == MAX_PAGES_BY_NAME:
                    break
        return changed

    def age(self) -> float | None:
        """Return the seconds since the last full read; None if there was none, or the clock was set back."""
        row = self._db.execute("SELECT built_at FROM origin").fetchone()
        age = time.time() - row[0] if row and row[0] else -1.0
        return age if age >= 0 else None

    def find(self, paths: Iterable[str]) -> list[IndexedFile]:
        """Return the files at these paths of Plex, in the order of the paths."""
        found: list[IndexedFile] = []
        for path in paths:
            rows = self._db.execute(
                "SELECT p.rating_key, i.section, p.path, p.size, p.duration "
                "FROM parts p JOIN items i USING (rating_key) "
                "WHERE p.path_key = ? ORDER BY p.rating_key",
                (_checksum(path),),
            )
            found += [IndexedFile(row[0], row[1], Part(*row[2:])) for row in rows if same_path(path, row[2])]
        return found

    def candidates(self, files: Iterable[tuple[str, int | None]]) -> list[IndexedItem]:
        """Return the items with the path or the name of one of these files (path as Plex sees it, size)."""
        return self.candidates_and_evidence(files)[0]

    def evidence(self, files: Iterable[tuple[str, int | None]]) -> str:
        """Return a checksum of what the index has under the names of these files. While it stays the same, so does a
        match."""
        return self.candidates_and_evidence(files)[1]

    def candidates_and_evidence(self, files: Iterable[tuple[str, int | None]]) -> tuple[list[IndexedItem], str]:
        """Return :meth:`candidates` and :meth:`evidence` with one query."""
        by_name: dict[int, IndexedItem] = {}
        by_path: dict[int, IndexedItem] = {}
        for path, size in files:
            name = _checksum(base_name(path))
            found = self._items("base_key = ? LIMIT ?", name, MAX_ITEMS_BY_NAME + 1)
            if len(found) > MAX_ITEMS_BY_NAME:
                found = self._items("base_key = ? AND size = ? LIMIT ?", name, size, MAX_ITEMS_BY_NAME)
                # Items with the path have the name, too, and may be beyond the limit.
                by_path |= self._items("path_key = ?", _checksum(path))
            by_name |= found
        what = [
            (item.rating_key, item.section, item.trashed, [(part.path, part.size) for part in item.parts])
            for item in by_name.values()
        ]
        evidence = hashlib.blake2b(repr(sorted(what)).encode(), digest_size=6).hexdigest() if what else ""
        return list({**by_path, **by_name}.values()), evidence

    def _items(self, condition: str, *values: object) -> dict[int, IndexedItem]:
        """Return the items with a part for which this condition is true, with all their parts."""
        rows = self._db.execute(
            "SELECT rating_key, section, title, trashed, path, size, duration FROM parts JOIN items USING (rating_key) "
            f"WHERE rating_key IN (SELECT DISTINCT rating_key FROM parts WHERE {condition}) ORDER BY rating_key, place",
            values,
        )
        return {
            key: IndexedItem(key, section, title or "", bool(trashed), tuple(Part(*row[4:]) for row in parts))
            for (key, section, title, trashed), parts in itertools.groupby(rows, key=operator.itemgetter(0, 1, 2, 3))
        }

    def forget(self, rating_key: int) -> None:
        """Drop an item that is not what the index says."""
        with transaction(self._db):
            for table in ("parts", "items", "matches"):
                self._db.execute(f"DELETE FROM {table} WHERE rating_key = ?", (rating_key,))

    def size(self, section: int | None = None) -> int:
        """Return the number of items, in all or in one library."""
        where, values = ("", ()) if section is None else (" WHERE section = ?", (section,))
        return int(self._db.execute(f"SELECT COUNT(*) FROM items{where}", values).fetchone()[0])

    def version(self) -> int:
        """Return a number that changes whenever another process writes to the index."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _store(self, rows: dict[int, _Row]) -> int:
        """Store the items that are new or changed. Return their number."""
        stored = self._known(rows)
        fresh = {key: row for key, row in rows.items() if stored.get(key) != row}
        if fresh:
            with transaction(self._db):
                # New ones too: another process may be storing the same page.
                self._db.executemany("DELETE FROM parts WHERE rating_key = ?", [(key,) for key in fresh])
                self._db.executemany("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?,?)", _items(fresh))
                self._db.executemany("INSERT INTO parts VALUES (?,?,?,?,?,?,?)", _parts(fresh))
        return len(fresh)

    def _known(self, rows: dict[int, _Row]) -> dict[int, _Row]:
        stored: dict[int, _Row] = {}
        keys = list(rows)
        for start in range(0, len(keys), MAX_SQL_PARAMS):
            some = keys[start : start + MAX_SQL_PARAMS]
            marks = ",".join("?" * len(some))
            for row in self._db.execute(f"SELECT * FROM items WHERE rating_key IN ({marks})", some):
                stored[row[0]] = (row[1:], [])
            if not stored:
                continue
            for key, *part in self._db.execute(
                f"SELECT rating_key, path, size, duration FROM parts WHERE rating_key IN ({marks}) "
                "ORDER BY rating_key, place",
                some,
            ):
                if key in stored:
                    stored[key][1].append(Part(*part))
        return stored


# An item's columns without its key, and its parts, as they are compared and stored.
_Row = tuple[tuple[Any, ...], list[Part]]


def _rows(videos: Iterable[Element], section: int) -> dict[int, _Row]:
    rows: dict[int, _Row] = {}
    for video in videos:
        key = parse_int(video.get("ratingKey"))
        if key is None:
            continue
        parts, gone = item_parts_and_trashed(video)
        columns = (
            section,
            video.get("title", ""),
            parse_int(video.get("updatedAt")),
            parse_int(video.get("addedAt")),
            int(has_metadata(video)),
            int(gone),
        )
        rows[key] = (columns, parts)
    return rows


def _items(rows: dict[int, _Row]) -> Iterator[tuple[Any, ...]]:
    return ((key, *columns) for key, (columns, _) in rows.items())


def _parts(rows: dict[int, _Row]) -> Iterator[tuple[Any, ...]]:
    for key, (_, parts) in rows.items():
        for place, (path, size, duration) in enumerate(parts):
            yield key, place, path, _checksum(path), _checksum(base_name(path)), size, duration


def _checksum(text: str) -> int:
    return zlib.crc32(lookup_key(text).encode("utf-8", "surrogatepass"))


def file_number(stash_path: str) -> int:
    """Return the number that stands for a file of Stash: shorter than its path, and unique in practice."""
    digest = hashlib.blake2b(stash_path.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class MatchCache:
    """Which item a scene's file was last proven to be: Stash path -> Plex item. Proven again before each write."""

    def __init__(self, cache: PlexCache) -> None:
        self._db = cache._db

    def get(self, stash_path: str) -> IndexedFile | None:
        """Return the last proven item of a scene's file, or None."""
        row = self._db.execute(
            "SELECT rating_key, section, path FROM matches WHERE file = ?", (file_number(stash_path),)
        ).fetchone()
        return None if row is None else IndexedFile(row[0], row[1], Part(row[2] or stash_path))

    def put(self, stash_path: str, rating_key: int, section: int, path: str) -> None:
        """Store a proven match; the pair of folders that it suggests counts once."""
        stored = self.get(stash_path)
        if stored is not None and (stored.rating_key, stored.part.path) == (rating_key, path):
            return
        row = (file_number(stash_path), rating_key, section, None if path == stash_path else path)
        self._db.execute("INSERT OR REPLACE INTO matches VALUES (?,?,?,?)", row)
        pair = prefix_pair(stash_path, path)
        if pair is not None:
            self._db.execute(
                "INSERT INTO views VALUES (?,?,1) ON CONFLICT(here, there) DO UPDATE SET votes = votes + 1", pair
            )

    def forget(self, stash_path: str) -> None:
        """Drop the proven match of a scene's file."""
        self._db.execute("DELETE FROM matches WHERE file = ?", (file_number(stash_path),))

    def learned(self) -> dict[tuple[str, str], int]:
        """Return the pairs of folders (Stash's, Plex's) that proven matches suggest, with their number, most first."""
        return {(here, there): count for here, there, count in self._db.execute(LEARNED)}


class FileAtPath(NamedTuple):
    """A file of Plex and the item it belongs to; ``has_metadata``: it shows more than title and rating."""

    path: str
    rating_key: int
    section: int
    has_metadata: bool
    trashed: bool


def files_at_paths(cache: PlexCache, paths: Iterable[str]) -> dict[str, list[FileAtPath]]:
    """Return the files at each of these paths of Plex, some of which may differ in letter case, by section and item.

    Paths without a file are missing.
    """
    by_key: dict[int, list[str]] = {}
    for path in paths:
        by_key.setdefault(_checksum(path), []).append(path)
    files: dict[str, list[FileAtPath]] = {}
    for key, *row in _in(
        cache._db,
        "SELECT p.path_key, p.path, p.rating_key, i.section, i.says_something, i.trashed "
        "FROM parts p JOIN items i USING (rating_key) WHERE p.path_key IN ({}) ORDER BY i.section, p.rating_key",
        list(by_key),
    ):
        file = FileAtPath(row[0], row[1], row[2], bool(row[3]), bool(row[4]))
        for path in by_key[key]:
            # different paths may have the same checksum
            if path == file.path or lookup_key(path) == lookup_key(file.path):
                files.setdefault(path, []).append(file)
    return files


def keys_with_metadata(cache: PlexCache, rating_keys: Iterable[int]) -> set[int]:
    """Return those of these items that show more than title and rating."""
    keys = list(rating_keys)
    return {
        row[0]
        for row in _in(cache._db, "SELECT rating_key FROM items WHERE says_something AND rating_key IN ({})", keys)
    }


def all_items(cache: PlexCache) -> Iterator[tuple[int, str, str]]:
    """Yield rating key, title and first path of every item that is not in Plex's trash, by that path."""
    yield from cache._db.execute(
        "SELECT i.rating_key, i.title, p.path FROM items i JOIN parts p ON p.rating_key = i.rating_key AND p.place = 0 "
        "WHERE NOT i.trashed ORDER BY p.path"
    )


def _in(db: sqlite3.Connection, statement: str, values: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(values), MAX_SQL_PARAMS):
        some = values[start : start + MAX_SQL_PARAMS]
        yield from db.execute(statement.format(",".join("?" * len(some))), some)

"""The library index: which file is which item, read page by page as raw XML and kept in ``cache.db`` (design 4).

Deletable at any time; whatever is found here is proven again by the item itself before anything is written.
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
# New items are few and come first: a small first page is enough almost always.
PROBE = 100
# What is found by name may be a whole folder (plex 3.4); beyond this many pages a look at the listing is cheaper.
LOOKED_UP_PAGES = 3
# A name that lies in more folders than this says nothing by itself; those of the right size are looked at then.
MANY = 100


@dataclass(frozen=True)
class IndexedItem:
    """An item as the index knows it."""

    rating_key: int
    section: int
    title: str
    trashed: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class IndexedFile:
    """A file the index knows, and the item it belongs to."""

    rating_key: int
    section: int
    part: Part


@dataclass(frozen=True)
class RefreshResult:
    """What a look at the libraries brought: items that are new or different, and whether the index is known to lack
    some still."""

    changed: int
    incomplete: bool = False


class PlexCache:
    """What the chosen libraries of one server hold. ``put_aside`` moves a damaged file (its path) out of the way."""

    def __init__(self, data_dir: str, put_aside: Callable[[str], None] = os.remove) -> None:
        self._db = open_index(os.path.join(data_dir, FILE), put_aside)

    def belongs_to(self, machine: str, sections: Sequence[Library]) -> bool:
        """Bind the index to a server and its libraries. False where it was another's, or new: it is empty then."""
        wanted = (machine, ",".join(str(section.key) for section in sections))
        if self._db.execute("SELECT machine, sections FROM origin").fetchone() == wanted:
            return True
        with transaction(self._db):
            for statement in DELETE_ALL:
                self._db.execute(statement)
            self._db.execute("INSERT INTO origin VALUES (?,?,0)", (wanted[0], ""))
        return False

    def build(self, client: PlexClient, sections: Sequence[Library]) -> int:
        """Read the libraries whole; items that vanished go. Gives the number of items. Raises PlexError."""
        return self.build_and_compare(client, sections)[0]

    def build_and_compare(self, client: PlexClient, sections: Sequence[Library]) -> tuple[int, int]:
        """:meth:`build`; gives the number of items, and of those that are new, different or gone. Raises PlexError."""
        seen: set[int] = set()
        changed = 0
        if not self.size():
            # Sorted once at the end, which is cheaper than row by row.
            for name in INDEXES:
                self._db.execute(f"DROP INDEX IF EXISTS {name}")
        for section in sections:
            for page in listing_pages(client, section.key):
                rows = _rows(page.videos, section.key)
                seen.update(rows)
                changed += self._take_in(rows)
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
        """Read only what is new or changed. Raises PlexError.

        By time of addition, newest first, up to the first page that is known already; and by time of change, which is
        left out where it is not to be ``thorough`` and nothing was added: one request for each library then.
        """
        changed = 0
        incomplete = False
        for section in sections:
            added, total = self._newest(client, section.key, "addedAt:desc")
            changed += added
            if thorough or added:
                changed += self._newest(client, section.key, "updatedAt:desc")[0]
            incomplete |= total is not None and total > self.size(section.key)
        return RefreshResult(changed, incomplete)

    def _newest(self, client: PlexClient, section: int, order: str) -> tuple[int, int | None]:
        """Items that were new or different, and how many the library has."""
        changed, total = 0, None
        for page in listing_pages(client, section, order, first=PROBE):
            total = page.total
            found = self._take_in(_rows(page.videos, section))
            changed += found
            if not found:
                break
        return changed, total

    def look_up(self, client: PlexClient, sections: Sequence[Library], name: str) -> int:
        """Ask for the items with a file of this name. Gives how many were new or different. Raises PlexError."""
        changed = 0
        for section in sections:
            for number_, page in enumerate(listing_pages(client, section.key, file=name), 1):
                changed += self._take_in(_rows(page.videos, section.key))
                if number_ == LOOKED_UP_PAGES:
                    break
        return changed

    def age(self) -> float | None:
        """Seconds since the libraries were read whole; None where they never were, or the clock was set back."""
        row = self._db.execute("SELECT built_at FROM origin").fetchone()
        age = time.time() - row[0] if row and row[0] else -1.0
        return age if age >= 0 else None

    def find(self, paths: Iterable[str]) -> list[IndexedFile]:
        """The files at exactly these paths of Plex, one indexed query each, in the order of the paths."""
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
        """Items that might hold one of the files (path in Plex's view, size): same path, or same name."""
        return self.look_for(files)[0]

    def evidence(self, files: Iterable[tuple[str, int | None]]) -> str:
        """What is known under the names of these files, in a few letters: where it is the same as before, a match would
        come to the same result."""
        return self.look_for(files)[1]

    def look_for(self, files: Iterable[tuple[str, int | None]]) -> tuple[list[IndexedItem], str]:
        """:meth:`candidates` and :meth:`evidence` for one price."""
        by_name: dict[int, IndexedItem] = {}
        by_path: dict[int, IndexedItem] = {}
        for path, size in files:
            name = _checksum(base_name(path))
            found = self._items("base_key = ? LIMIT ?", name, MANY + 1)
            if len(found) > MANY:
                found = self._items("base_key = ? AND size = ? LIMIT ?", name, size, MANY)
                # Whoever has the path has the name, and would have been among them.
                by_path |= self._items("path_key = ?", _checksum(path))
            by_name |= found
        what = [
            (item.rating_key, item.section, item.trashed, [(part.path, part.size) for part in item.parts])
            for item in by_name.values()
        ]
        evidence = hashlib.blake2b(repr(sorted(what)).encode(), digest_size=6).hexdigest() if what else ""
        return list({**by_path, **by_name}.values()), evidence

    def says_something(self, rating_keys: Iterable[int]) -> bool:
        """Whether any of these items has studio, actors, genres, summary or date."""
        return any(
            self._db.execute("SELECT 1 FROM items WHERE rating_key = ? AND says_something", (key,)).fetchone()
            for key in rating_keys
        )

    def _items(self, condition: str, *values: object) -> dict[int, IndexedItem]:
        """The items that have a part of which this is true, whole."""
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
        """Drop an item that was not what the index said."""
        with transaction(self._db):
            for table in ("parts", "items", "matches"):
                self._db.execute(f"DELETE FROM {table} WHERE rating_key = ?", (rating_key,))

    def size(self, section: int | None = None) -> int:
        """How many items are known, in all or in one library."""
        where, values = ("", ()) if section is None else (" WHERE section = ?", (section,))
        return int(self._db.execute(f"SELECT COUNT(*) FROM items{where}", values).fetchone()[0])

    def version(self) -> int:
        """A number that changes whenever another process has written into the index."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _take_in(self, rows: dict[int, _Row]) -> int:
        """Store those items that are not known as they are. Gives their number."""
        known = self._known(rows)
        fresh = {key: row for key, row in rows.items() if known.get(key) != row}
        if fresh:
            with transaction(self._db):
                # Those not known a moment ago, too: another process may be reading the same page.
                self._db.executemany("DELETE FROM parts WHERE rating_key = ?", [(key,) for key in fresh])
                self._db.executemany("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?,?)", _items(fresh))
                self._db.executemany("INSERT INTO parts VALUES (?,?,?,?,?,?,?)", _parts(fresh))
        return len(fresh)

    def _known(self, rows: dict[int, _Row]) -> dict[int, _Row]:
        known: dict[int, _Row] = {}
        keys = list(rows)
        for start in range(0, len(keys), MAX_SQL_PARAMS):
            some = keys[start : start + MAX_SQL_PARAMS]
            marks = ",".join("?" * len(some))
            for row in self._db.execute(f"SELECT * FROM items WHERE rating_key IN ({marks})", some):
                known[row[0]] = (row[1:], [])
            if not known:
                continue
            for key, *part in self._db.execute(
                f"SELECT rating_key, path, size, duration FROM parts WHERE rating_key IN ({marks}) "
                "ORDER BY rating_key, place",
                some,
            ):
                if key in known:
                    known[key][1].append(Part(*part))
        return known


# An item's columns but for its key, and its parts: what is compared and stored.
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
    """What a file of Stash is kept under: a tenth of its path, and two files with one number do not happen."""
    digest = hashlib.blake2b(stash_path.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class MatchCache:
    """Which item a scene's file was last proven to be: Stash path -> Plex item. Proven again before each write."""

    def __init__(self, cache: PlexCache) -> None:
        self._db = cache._db

    def get(self, stash_path: str) -> IndexedFile | None:
        """The last proven item of a scene's file, or None."""
        row = self._db.execute(
            "SELECT rating_key, section, path FROM matches WHERE file = ?", (file_number(stash_path),)
        ).fetchone()
        return None if row is None else IndexedFile(row[0], row[1], Part(row[2] or stash_path))

    def put(self, stash_path: str, rating_key: int, section: int, path: str) -> None:
        """Remember a proof; what it says about the two views of the files counts once."""
        known = self.get(stash_path)
        if known is not None and (known.rating_key, known.part.path) == (rating_key, path):
            return
        row = (file_number(stash_path), rating_key, section, None if path == stash_path else path)
        self._db.execute("INSERT OR REPLACE INTO matches VALUES (?,?,?,?)", row)
        pair = prefix_pair(stash_path, path)
        if pair is not None:
            self._db.execute(
                "INSERT INTO views VALUES (?,?,1) ON CONFLICT(here, there) DO UPDATE SET votes = votes + 1", pair
            )

    def forget(self, stash_path: str) -> None:
        """Forget what was believed of a scene's file."""
        self._db.execute("DELETE FROM matches WHERE file = ?", (file_number(stash_path),))

    def learned(self) -> dict[tuple[str, str], int]:
        """The pairs of folders (Stash's, Plex's) that proven pairs speak for, with their votes, most first."""
        return {(here, there): count for here, there, count in self._db.execute(LEARNED)}


class FileAtPath(NamedTuple):
    """A file of Plex and the item it belongs to; ``has_metadata``: it shows more than title and rating."""

    path: str
    rating_key: int
    section: int
    has_metadata: bool
    trashed: bool


def files_at_paths(cache: PlexCache, paths: Iterable[str]) -> dict[str, list[FileAtPath]]:
    """What might lie at each of these paths of Plex, which may differ in letter case; those with nothing are missing.

    In the order of sections and items.
    """
    by_key: dict[int, list[str]] = {}
    for path in paths:
        by_key.setdefault(_checksum(path), []).append(path)
    found: dict[str, list[FileAtPath]] = {}
    for key, *row in _in(
        cache._db,
        "SELECT p.path_key, p.path, p.rating_key, i.section, i.says_something, i.trashed "
        "FROM parts p JOIN items i USING (rating_key) WHERE p.path_key IN ({}) ORDER BY i.section, p.rating_key",
        list(by_key),
    ):
        held = FileAtPath(row[0], row[1], row[2], bool(row[3]), bool(row[4]))
        for path in by_key[key]:
            # two paths may have one checksum
            if path == held.path or lookup_key(path) == lookup_key(held.path):
                found.setdefault(path, []).append(held)
    return found


def keys_with_metadata(cache: PlexCache, rating_keys: Iterable[int]) -> set[int]:
    """Those of these items that say something."""
    keys = list(rating_keys)
    return {
        row[0]
        for row in _in(cache._db, "SELECT rating_key FROM items WHERE says_something AND rating_key IN ({})", keys)
    }


def all_items(cache: PlexCache) -> Iterator[tuple[int, str, str]]:
    """Every item that is not in Plex's trash: rating key, title, and the path of its first file, sorted by that."""
    yield from cache._db.execute(
        "SELECT i.rating_key, i.title, p.path FROM items i JOIN parts p ON p.rating_key = i.rating_key AND p.place = 0 "
        "WHERE NOT i.trashed ORDER BY p.path"
    )


def _in(db: sqlite3.Connection, statement: str, values: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(values), MAX_SQL_PARAMS):
        some = values[start : start + MAX_SQL_PARAMS]
        yield from db.execute(statement.format(",".join("?" * len(some))), some)

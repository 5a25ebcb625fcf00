"""The library index: which file is which item, read page by page as raw XML and kept in ``cache.db`` (design 4).

Deletable at any time; whatever is found here is proven again by the item itself before anything is written.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from plex.item import Part, is_trashed, number, parts_of
from plex.paths import base_name, lookup_key, prefix_pair, same_path

if TYPE_CHECKING:
    from plex.client import PlexClient, Section

FILE = "cache.db"
PAGE = 1000
_VERSION = 2
# A name that lies in more folders than this says nothing by itself; those of the right size are looked at then.
MANY = 100
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS origin (machine TEXT, sections TEXT)",
    """CREATE TABLE IF NOT EXISTS items (
        rating_key INTEGER PRIMARY KEY, section INTEGER, title TEXT, updated_at INTEGER, added_at INTEGER,
        says_something INTEGER, trashed INTEGER, seen INTEGER)""",
    """CREATE TABLE IF NOT EXISTS parts (
        rating_key INTEGER, path TEXT, path_key TEXT, base_key TEXT, size INTEGER, duration REAL)""",
    # Proven once: a scene's file and the item's part that proved it. And what the pairs say about the two views.
    "CREATE TABLE IF NOT EXISTS matches (stash_path TEXT PRIMARY KEY, rating_key INTEGER, section INTEGER, path TEXT)",
    "CREATE INDEX IF NOT EXISTS matches_by_item ON matches(rating_key)",
    "CREATE TABLE IF NOT EXISTS views (here TEXT, there TEXT, votes INTEGER, PRIMARY KEY (here, there))",
    "CREATE INDEX IF NOT EXISTS parts_by_path ON parts(path_key)",
    "CREATE INDEX IF NOT EXISTS parts_by_base ON parts(base_key)",
    "CREATE INDEX IF NOT EXISTS parts_by_item ON parts(rating_key)",
)


_TABLES = ("origin", "items", "parts", "matches", "views")
_FORGET_ALL = tuple(f"DELETE FROM {table}" for table in _TABLES)
_DROP_OLD = tuple(f"DROP TABLE IF EXISTS {table}" for table in _TABLES)


@dataclass(frozen=True)
class IndexedItem:
    """An item as the index knows it."""

    rating_key: int
    section: int
    title: str
    trashed: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Known:
    """A file the index knows, and the item it belongs to."""

    rating_key: int
    section: int
    part: Part


class PlexCache:
    """What the chosen libraries of one server hold."""

    def __init__(self, data_dir: str) -> None:
        self._db = _open(os.path.join(data_dir, FILE))

    def belongs_to(self, machine: str, sections: Sequence[Section]) -> bool:
        """Bind the index to a server and its libraries. False where it was another's, or new: it is empty then."""
        wanted = (machine, ",".join(str(section.key) for section in sections))
        if self._db.execute("SELECT machine, sections FROM origin").fetchone() == wanted:
            return True
        with self._transaction():
            for statement in _FORGET_ALL:
                self._db.execute(statement)
            self._db.execute("INSERT INTO origin VALUES (?,?)", (wanted[0], ""))
        return False

    def build(self, client: PlexClient, sections: Sequence[Section]) -> int:
        """Read the libraries whole; items that vanished go. Gives the number of items. Raises PlexError."""
        run = 1 + int(self._db.execute("SELECT COALESCE(MAX(seen), 0) FROM items").fetchone()[0])
        count = 0
        for section in sections:
            for page in pages(client, section.key):
                with self._transaction():
                    count += self._store(page, section.key, run)
        with self._transaction():
            self._db.execute(
                "DELETE FROM parts WHERE rating_key IN (SELECT rating_key FROM items WHERE seen<?)", (run,)
            )
            self._db.execute("DELETE FROM items WHERE seen < ?", (run,))
            self._db.execute("UPDATE origin SET sections = ?", (",".join(str(section.key) for section in sections),))
        return count

    def refresh(self, client: PlexClient, sections: Sequence[Section]) -> int:
        """Read only what is new or changed. Gives the number of items looked at. Raises PlexError.

        By time of change and of addition, newest first, up to the first page that is known already.
        """
        run = int(self._db.execute("SELECT COALESCE(MAX(seen), 1) FROM items").fetchone()[0])
        looked_at = 0
        for section in sections:
            for order in ("updatedAt:desc", "addedAt:desc"):
                # New items are few and come first: a small first page is enough almost always.
                for page in pages(client, section.key, order, first=100):
                    looked_at += len(page)
                    if self._knows(page):
                        break
                    with self._transaction():
                        self._store(page, section.key, run)
        return looked_at

    def find(self, paths: Iterable[str]) -> list[Known]:
        """The files at exactly these paths of Plex, one indexed query each, in the order of the paths."""
        found: list[Known] = []
        for path in paths:
            rows = self._db.execute(
                "SELECT p.rating_key, i.section, p.path, p.size, p.duration "
                "FROM parts p JOIN items i USING (rating_key) "
                "WHERE p.path_key = ? ORDER BY p.rating_key",
                (lookup_key(path),),
            )
            found += [Known(row[0], row[1], Part(*row[2:])) for row in rows if same_path(path, row[2])]
        return found

    def candidates(self, files: Iterable[tuple[str, int | None]]) -> list[IndexedItem]:
        """Items that might hold one of the files (path in Plex's view, size): same path, or same name."""
        keys: dict[int, None] = {}
        for path, size in files:
            name = lookup_key(base_name(path))
            by_name = self._keys("base_key = ? LIMIT ?", (name, MANY + 1))
            if len(by_name) > MANY:
                by_name = self._keys("base_key = ? AND size = ? LIMIT ?", (name, size, MANY))
            keys.update(dict.fromkeys([*self._keys("path_key = ?", (lookup_key(path),)), *by_name]))
        return [item for item in map(self._item, keys) if item is not None]

    def _keys(self, condition: str, values: tuple[object, ...]) -> list[int]:
        return [row[0] for row in self._db.execute(f"SELECT rating_key FROM parts WHERE {condition}", values)]

    def _item(self, rating_key: int) -> IndexedItem | None:
        row = self._db.execute(
            "SELECT section, title, trashed FROM items WHERE rating_key = ?", (rating_key,)
        ).fetchone()
        if row is None:
            return None
        parts = self._db.execute("SELECT path, size, duration FROM parts WHERE rating_key = ?", (rating_key,))
        return IndexedItem(rating_key, row[0], row[1] or "", bool(row[2]), tuple(Part(*part) for part in parts))

    def forget(self, rating_key: int) -> None:
        """Drop an item that was not what the index said."""
        with self._transaction():
            self._db.execute("DELETE FROM parts WHERE rating_key = ?", (rating_key,))
            self._db.execute("DELETE FROM items WHERE rating_key = ?", (rating_key,))
            self._db.execute("DELETE FROM matches WHERE rating_key = ?", (rating_key,))

    def size(self) -> int:
        """How many items are known."""
        return int(self._db.execute("SELECT COUNT(*) FROM items").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _knows(self, page: list[Element]) -> bool:
        for video in page:
            row = self._db.execute(
                "SELECT updated_at, added_at FROM items WHERE rating_key = ?", (number(video.get("ratingKey")),)
            ).fetchone()
            if row != (number(video.get("updatedAt")), number(video.get("addedAt"))):
                return False
        return True

    def _store(self, page: list[Element], section: int, run: int) -> int:
        items, parts = [], []
        for video in page:
            key = number(video.get("ratingKey"))
            if key is None:
                continue
            items.append(
                (
                    key,
                    section,
                    video.get("title", ""),
                    number(video.get("updatedAt")),
                    number(video.get("addedAt")),
                    says_something(video),
                    is_trashed(video),
                    run,
                )
            )
            parts += [
                (key, part.path, lookup_key(part.path), lookup_key(base_name(part.path)), part.size, part.duration)
                for part in parts_of(video)
            ]
        self._db.executemany("DELETE FROM parts WHERE rating_key = ?", [(item[0],) for item in items])
        self._db.executemany("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?,?,?)", items)
        self._db.executemany("INSERT INTO parts VALUES (?,?,?,?,?,?)", parts)
        return len(items)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite ends it by itself on a full disk
                self._db.execute("ROLLBACK")
            raise


class MatchCache:
    """Which item a scene's file was last proven to be: Stash path -> Plex item. Proven again before each write."""

    def __init__(self, cache: PlexCache) -> None:
        self._db = cache._db

    def get(self, stash_path: str) -> Known | None:
        """The last proven item of a scene's file, or None."""
        row = self._db.execute(
            "SELECT rating_key, section, path FROM matches WHERE stash_path = ?", (stash_path,)
        ).fetchone()
        return None if row is None else Known(row[0], row[1], Part(row[2]))

    def put(self, stash_path: str, rating_key: int, section: int, path: str) -> None:
        """Remember a proof; what it says about the two views of the files counts once."""
        known = self.get(stash_path)
        if known is not None and (known.rating_key, known.part.path) == (rating_key, path):
            return
        self._db.execute("INSERT OR REPLACE INTO matches VALUES (?,?,?,?)", (stash_path, rating_key, section, path))
        pair = prefix_pair(stash_path, path)
        if pair is not None:
            self._db.execute(
                "INSERT INTO views VALUES (?,?,1) ON CONFLICT(here, there) DO UPDATE SET votes = votes + 1", pair
            )

    def forget(self, stash_path: str) -> None:
        """Forget what was believed of a scene's file."""
        self._db.execute("DELETE FROM matches WHERE stash_path = ?", (stash_path,))

    def learned(self) -> dict[tuple[str, str], int]:
        """The pairs of folders (Stash's, Plex's) that proven pairs speak for, with their votes, most first."""
        rows = self._db.execute("SELECT here, there, votes FROM views ORDER BY votes DESC, here LIMIT 50")
        return {(here, there): count for here, there, count in rows}


def learned(data_dir: str) -> dict[tuple[str, str], int]:
    """What the cache of a data directory has learned about the two views, for the status."""
    path = os.path.join(data_dir, FILE)
    if not os.path.exists(path):
        return {}
    cache = PlexCache(data_dir)
    try:
        return MatchCache(cache).learned()
    finally:
        cache.close()


def pages(client: PlexClient, section: int, order: str = "", first: int = PAGE) -> Iterator[list[Element]]:
    """A library's items, page by page, as they stand in the answer. Raises PlexError.

    The server may give fewer than asked for (plex 3.1): its own numbers count.
    """
    start, size = 0, first
    query = f"/library/sections/{section}/all?type=1" + (f"&sort={order}" if order else "")
    while True:
        answer = client.get(query, {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)})
        videos = [element for element in answer if element.tag == "Video"]
        if videos:
            yield videos
        start += number(answer.get("size")) or len(videos)
        total = number(answer.get("totalSize"))
        if not videos or (start >= total if total is not None else len(videos) < size):
            return
        size = PAGE


def says_something(video: Element) -> bool:
    """Whether a listed item has any of studio, actors, genres, summary, date."""
    return bool(
        video.get("studio")
        or video.get("summary")
        or video.get("originallyAvailableAt")
        or video.find("Role") is not None
        or video.find("Genre") is not None
    )


def _open(path: str) -> sqlite3.Connection:
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # Damaged: nothing in it is worth more than a few requests. Kept aside for a look.
        os.replace(path, path + ".damaged")
        return _prepared(path)


def _prepared(path: str) -> sqlite3.Connection:
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            db.execute("PRAGMA journal_mode=WAL")
            for statement in _DROP_OLD:  # of an older version: it is a cache, and cheaper built anew than converted
                db.execute(statement)
            for statement in (*_LAYOUT, f"PRAGMA user_version={_VERSION}"):
                db.execute(statement)
        db.execute("PRAGMA synchronous=NORMAL")
        # Damage behind the first page is met by some query, some day: better now, while it can be put right.
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the file is damaged")
    except BaseException:
        db.close()
        raise
    return db

"""The library index: which file is which item, read page by page as raw XML and kept in ``cache.db`` (design 4).

Deletable at any time; whatever is found here is proven again by the item itself before anything is written.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from plex.item import Part, number, parts_of

if TYPE_CHECKING:
    from plex.client import PlexClient, Section

FILE = "cache.db"
PAGE = 1000
_VERSION = 1
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS origin (machine TEXT, sections TEXT)",
    """CREATE TABLE IF NOT EXISTS items (
        rating_key INTEGER PRIMARY KEY, section INTEGER, updated_at INTEGER, added_at INTEGER,
        says_something INTEGER, seen INTEGER)""",
    """CREATE TABLE IF NOT EXISTS parts (
        rating_key INTEGER, path TEXT, path_key TEXT, base_key TEXT, size INTEGER, duration REAL)""",
    "CREATE INDEX IF NOT EXISTS parts_by_path ON parts(path_key)",
    "CREATE INDEX IF NOT EXISTS parts_by_base ON parts(base_key)",
    "CREATE INDEX IF NOT EXISTS parts_by_item ON parts(rating_key)",
)


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
            for statement in ("DELETE FROM origin", "DELETE FROM items", "DELETE FROM parts"):
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
        """The files at exactly these paths (compared NFC), one indexed query each, in the order of the paths."""
        found: list[Known] = []
        for path in paths:
            rows = self._db.execute(
                "SELECT p.rating_key, i.section, p.path, p.size, p.duration "
                "FROM parts p JOIN items i USING (rating_key) "
                "WHERE p.path_key = ? ORDER BY p.rating_key",
                (path_key(path),),
            )
            found += [Known(row[0], row[1], Part(*row[2:])) for row in rows]
        return found

    def forget(self, rating_key: int) -> None:
        """Drop an item that was not what the index said."""
        with self._transaction():
            self._db.execute("DELETE FROM parts WHERE rating_key = ?", (rating_key,))
            self._db.execute("DELETE FROM items WHERE rating_key = ?", (rating_key,))

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
                (key, section, number(video.get("updatedAt")), number(video.get("addedAt")), says_something(video), run)
            )
            parts += [
                (key, part.path, path_key(part.path), base_key(part.path), part.size, part.duration)
                for part in parts_of(video)
            ]
        self._db.executemany("DELETE FROM parts WHERE rating_key = ?", [(item[0],) for item in items])
        self._db.executemany("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?,?)", items)
        self._db.executemany("INSERT INTO parts VALUES (?,?,?,?,?,?)", parts)
        return len(items)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise


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


def path_key(path: str) -> str:
    """A path as it is compared: NFC, for a file system may hand out either form (plex 9)."""
    return unicodedata.normalize("NFC", path)


def base_key(path: str) -> str:
    """A file's name without its folder, as it is compared."""
    return path_key(path.replace("\\", "/").rsplit("/", 1)[-1])


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
            for statement in (*_LAYOUT, f"PRAGMA user_version={_VERSION}"):
                db.execute(statement)
        db.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        db.close()
        raise
    return db

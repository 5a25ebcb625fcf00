"""Opening SQLite databases, and transactions. Imports only ``os`` and SQLite's C module: hooks use it.

``sqlite3`` itself would bring date and time types along, which a hook does not need.
"""

from __future__ import annotations

import os
from _sqlite3 import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from types import TracebackType


def uri_path(path: str) -> str:
    """Return a file's absolute path as it stands in an SQLite ``file:`` URI, Windows drives included."""
    path = os.path.abspath(path).replace("\\", "/")
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return quoted if quoted.startswith("/") else "/" + quoted


def connect_existing(path: str, *, timeout: float = 10.0, read_only: bool = False) -> Connection:
    """Open a database that exists, in autocommit mode; ``timeout`` is how many seconds it waits for a lock.

    Raise sqlite3.OperationalError where the file is missing (nothing is created) or cannot be opened.
    """
    mode = "ro" if read_only else "rw"
    return connect(f"file:{uri_path(path)}?mode={mode}", uri=True, timeout=timeout, isolation_level=None)


class transaction:  # noqa: N801 - reads like a function where it is used
    """Run a block as one transaction: ``with transaction(db): ...``.

    It takes the write lock at its beginning, commits at its end, and rolls back whatever goes wrong, a failing commit
    included, so that the connection can be used again. ``db`` is in autocommit mode. A class, because hooks cannot
    afford ``contextlib``.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Connection) -> None:
        self._db = db

    def __enter__(self) -> Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # on a full disk SQLite has already rolled back
                self._db.execute("ROLLBACK")

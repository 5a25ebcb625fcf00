"""The transaction helper, and opening databases that exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.sqlite import connect_existing, transaction

pytestmark = pytest.mark.unit


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A database with an empty table ``numbers``."""
    path = tmp_path / "50% of #1?.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
    return str(path)


@pytest.fixture
def db(path: str) -> Iterator[sqlite3.Connection]:
    with closing(connect_existing(path, timeout=0.1)) as db:
        yield db


def numbers(path: str) -> list[int]:
    """What another connection sees."""
    with closing(connect_existing(path, read_only=True)) as db:
        return [row[0] for row in db.execute("SELECT number FROM numbers")]


def test_transaction_commits_at_its_end(db: sqlite3.Connection, path: str) -> None:
    with transaction(db) as same:
        assert same is db
        db.execute("INSERT INTO numbers VALUES (1)")
        assert numbers(path) == []
    assert numbers(path) == [1]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_transaction_that_fails_is_rolled_back(db: sqlite3.Connection, path: str, error: type[BaseException]) -> None:
    with pytest.raises(error), transaction(db):
        db.execute("INSERT INTO numbers VALUES (1)")
        raise error
    assert (numbers(path), db.in_transaction) == ([], False)
    with transaction(db):
        db.execute("INSERT INTO numbers VALUES (2)")
    assert numbers(path) == [2]


def test_transaction_that_sqlite_ended_by_itself_raises_what_went_wrong(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="full"), transaction(db):
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")


def test_transaction_whose_commit_fails_is_rolled_back(db: sqlite3.Connection, path: str) -> None:
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("CREATE TABLE deferred (number REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), transaction(db):
        db.execute("INSERT INTO deferred VALUES (7)")
    assert not db.in_transaction


def test_transaction_on_a_locked_database_raises_and_leaves_none_open(db: sqlite3.Connection, path: str) -> None:
    with closing(connect_existing(path)) as other, transaction(other):
        with pytest.raises(sqlite3.OperationalError, match="locked"), transaction(db):
            pytest.fail("it must not begin")
        assert not db.in_transaction


def test_connect_existing_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connect_existing(str(tmp_path / "absent.db"))
    assert list(tmp_path.iterdir()) == []


def test_connect_existing_read_only_cannot_write(path: str) -> None:
    with closing(connect_existing(path, read_only=True)) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("INSERT INTO numbers VALUES (1)")

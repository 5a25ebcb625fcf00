"""What lies beside the queue: dead letters and the ledger."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.job_rows import new_job
from common.scene import SceneFile
from common.verdicts import FORMER, Verdict
from state import database
from state.ledger import Ledger, LedgerItem, LedgerRow
from sync_queue.dlq import DeadLetterQueue

pytestmark = pytest.mark.unit

DAY = 86_400.0


class PlexNotFound(Exception):
    """As the plugin's own."""


class PermanentError(Exception):
    """As the plugin's own."""


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetterQueue:
    return DeadLetterQueue(str(tmp_path / "data"))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(str(tmp_path))) as found:
        yield found


def test_dead_letter_says_what_failed_how_often_and_when(letters: DeadLetterQueue) -> None:
    job = new_job(5, "metadata", {"title": "Ü"}, priority=0, now=1.0) | {"pqid": 17, "first_failed_at": 50}
    letters.add(job, PlexNotFound("not in Plex: /a/日本.mp4"), 12, detail={"candidates": ["Ä"]}, now=100.0)
    assert letters.entries() == [
        {
            "job_key": "scene_5",
            "scene_id": 5,
            "job": new_job(5, "metadata", {"title": "Ü"}, priority=0, now=1.0) | {"first_failed_at": 50},
            "error_type": "PlexNotFound",
            "message": "not in Plex: /a/日本.mp4",
            "attempts": 12,
            "first_at": 50.0,
            "last_at": 100.0,
            "detail": {"candidates": ["Ä"]},
        }
    ]


def test_second_dead_letter_of_a_job_replaces_the_first_and_keeps_its_first_time(letters: DeadLetterQueue) -> None:
    letters.add({"scene_id": 5}, PlexNotFound("once"), 1, now=100.0)
    letters.add({"scene_id": 5, "job_key": "scene_5"}, PermanentError("twice"), 6, now=200.0)
    (letter,) = letters.entries()
    assert (letter["message"], letter["attempts"], letter["error_type"]) == ("twice", 6, "PermanentError")
    assert (letter["first_at"], letter["last_at"]) == (100.0, 200.0)


def test_dead_letters_are_listed_newest_first_and_counted_by_error(letters: DeadLetterQueue) -> None:
    assert (letters.count(), letters.counts(), letters.entries()) == (0, {}, [])
    for scene_id in (1, 2, 3):
        error = PlexNotFound("x") if scene_id != 2 else PermanentError("y")
        letters.add({"scene_id": scene_id}, error, now=100.0 + scene_id)
    assert [letter["scene_id"] for letter in letters.entries()] == [3, 2, 1]
    assert [letter["scene_id"] for letter in letters.entries(limit=2)] == [3, 2]
    assert letters.count() == 3
    assert letters.counts() == {"PlexNotFound": 2, "PermanentError": 1}


def test_dead_letter_is_discarded_once(letters: DeadLetterQueue) -> None:
    letters.add({"scene_id": 1}, PlexNotFound("x"))
    letters.add({"scene_id": 2}, PlexNotFound("x"))
    assert letters.discard("scene_1")
    assert not letters.discard("scene_1")
    assert [letter["scene_id"] for letter in letters.entries()] == [2]


def test_purging_takes_what_failed_last_before_the_limit(letters: DeadLetterQueue) -> None:
    now = 100 * DAY
    for scene_id, days in ((1, 31.0), (2, 30.0), (3, 0.0)):
        letters.add({"scene_id": scene_id}, PlexNotFound("x"), now=now - days * DAY)
    letters.add({"scene_id": 1, "first_failed_at": 5.0}, PlexNotFound("again"), now=now - 29 * DAY)
    assert letters.purge(30, now=now) == 0
    assert letters.purge(29.5, now=now) == 1
    assert {letter["scene_id"] for letter in letters.entries()} == {1, 3}


def test_clearing_takes_all(letters: DeadLetterQueue) -> None:
    letters.add({"scene_id": 1}, PlexNotFound("x"))
    letters.add({"scene_id": 2}, PlexNotFound("x"))
    assert letters.clear() == 2
    assert letters.count() == 0
    assert letters.clear() == 0


def test_letters_are_on_disk(tmp_path: Path) -> None:
    DeadLetterQueue(str(tmp_path)).add({"scene_id": 1}, PlexNotFound("x"))
    assert DeadLetterQueue(str(tmp_path)).count() == 1


def test_ledger_returns_the_row_that_was_put(db: sqlite3.Connection) -> None:
    ledger = Ledger(db)
    full = LedgerRow(
        5,
        Verdict.WRITTEN,
        at=200.5,
        reason="because",
        updated_at=100.25,
        settings="abc",
        files=(SceneFile("/日本.mp4", 5), SceneFile("/b.mp4", None, 60.5)),
        items=(LedgerItem(7, 1, "/plex/日本.mp4"),),
        fields={"userRating": 7.5},
    )
    bare = LedgerRow(6, Verdict.GATED, at=1.0)
    assert ledger.get(5) is None
    ledger.put(full)
    ledger.put(bare)
    assert [ledger.get(5), ledger.get(6)] == [full, bare]


def test_ledger_has_one_row_for_each_scene(db: sqlite3.Connection) -> None:
    ledger = Ledger(db)
    ledger.put(LedgerRow(5, Verdict.FAILED, at=1.0, reason="old", updated_at=1.0))
    ledger.put(LedgerRow(5, Verdict.UNCHANGED, at=2.0))
    assert ledger.get(5) == LedgerRow(5, Verdict.UNCHANGED, at=2.0)
    for scene_id in (6, 7):
        ledger.put(LedgerRow(scene_id, Verdict.WRITTEN, at=1.0))
    assert ledger.counts_by_verdict() == {"unchanged": 1, "written": 2}
    ledger.drop(6)
    ledger.drop(6)
    assert ledger.get(6) is None
    assert ledger.counts_by_verdict() == {"unchanged": 1, "written": 1}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_can_be_stored(db: sqlite3.Connection, verdict: Verdict) -> None:
    Ledger(db).put(LedgerRow(1, verdict, at=1.0))
    entry = Ledger(db).get(1)
    assert entry is not None
    assert entry.verdict is verdict


def test_state_file_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    with closing(database.connect(str(tmp_path / "new"))) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)
    assert stat.S_IMODE(os.stat(tmp_path / "new" / database.FILE).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "new").st_mode) == 0o700


def test_ledger_of_an_older_layout_keeps_its_rows(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / database.FILE)) as old:
        old.execute(
            "CREATE TABLE ledger (scene_id INTEGER PRIMARY KEY, verdict TEXT NOT NULL, "
            "reason TEXT NOT NULL DEFAULT '', "
            "updated_at REAL, settings TEXT NOT NULL DEFAULT '', files TEXT NOT NULL DEFAULT '[]', "
            "items TEXT NOT NULL DEFAULT '[]', fields TEXT NOT NULL DEFAULT '{}', at REAL NOT NULL)"
        )
        old.execute("INSERT INTO ledger (scene_id, verdict, at) VALUES (7, 'pushed', 5.0)")
        old.execute("PRAGMA user_version=2")
        old.commit()
    with closing(database.connect(str(tmp_path))) as db:
        assert Ledger(db).get(7) == LedgerRow(7, Verdict.WRITTEN, 5.0)
        whole = LedgerRow(8, Verdict.WRITTEN, 6.0, fingerprint="f", says=True, evidence="e")
        Ledger(db).put(whole)
        assert Ledger(db).rows_between(7, 8) == {7: LedgerRow(7, Verdict.WRITTEN, 5.0), 8: whole}


def test_state_of_version_0_1_0_gets_the_new_words_for_its_verdicts(tmp_path: Path) -> None:
    with closing(database.connect(str(tmp_path))) as db:
        for scene_id, former in enumerate([*FORMER, "gated"], 1):
            db.execute("INSERT INTO ledger (scene_id, verdict, at) VALUES (?,?,1.0)", (scene_id, former))
            db.execute("INSERT INTO events (at, kind, scene_id) VALUES (1.0,?,?)", (former, scene_id))
        db.execute("INSERT INTO events (at, kind) VALUES (2.0, 'outage began')")
        db.execute("PRAGMA user_version=6")
    with closing(database.connect(str(tmp_path))) as db:
        assert Ledger(db).counts_by_verdict() == dict.fromkeys((*FORMER.values(), "gated"), 1)
        kinds = [row[0] for row in db.execute("SELECT kind FROM events ORDER BY id")]
        assert kinds == [*FORMER.values(), "gated", "outage began"]


def test_words_recorded_after_the_migration_are_renamed_by_the_next_worker(db: sqlite3.Connection) -> None:
    for scene_id, former in enumerate(FORMER, 1):
        db.execute("INSERT INTO ledger (scene_id, verdict, at) VALUES (?,?,1.0)", (scene_id, former))
        db.execute("INSERT INTO events (at, kind, scene_id) VALUES (1.0,?,?)", (former, scene_id))
    database.rename_former_verdicts(db)
    assert Ledger(db).counts_by_verdict() == dict.fromkeys(FORMER.values(), 1)
    assert [row[0] for row in db.execute("SELECT kind FROM events ORDER BY id")] == [*FORMER.values()]


def test_verdict_that_a_worker_of_version_0_1_0_still_records_is_understood(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO ledger (scene_id, verdict, at) VALUES (1, 'shared item', 1.0)")
    entry = Ledger(db).get(1)
    assert entry is not None
    assert entry.verdict is Verdict.SHARED
    with pytest.raises(ValueError, match="anything"):
        Verdict("anything")

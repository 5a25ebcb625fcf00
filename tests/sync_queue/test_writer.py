"""Folding an event into the row that waits, alone and in company."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.job_rows import new_job, scene_key, scene_row
from common.sqlite import uri_path
from sync_queue.job import RetryState
from sync_queue.store import JobStore
from sync_queue.writer import QueueWriter, open_existing, queue_dir

from .support import database, job_text, rows, together, waiting

pytestmark = pytest.mark.unit


def test_second_event_folds_into_the_waiting_row(data_dir: str, writer: QueueWriter) -> None:
    assert writer.fold(job_text(3, priority=1, now=10.0), "scene_3")
    assert not writer.fold(job_text(3, priority=1, now=20.0), "scene_3")
    (row,) = rows(data_dir)
    assert (row.job["enqueued_at"], row.status, row.kinds[0]) == (20.0, 0, "blob")


@pytest.mark.parametrize(("old", "new", "wanted"), [(2, 0, 0), (0, 2, 0), (1, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_folded_row_keeps_the_more_urgent_priority(
    data_dir: str, writer: QueueWriter, old: int, new: int, wanted: int
) -> None:
    writer.fold(job_text(3, priority=old), "scene_3")
    writer.fold(job_text(3, priority=new), "scene_3")
    assert [job["priority"] for job in waiting(data_dir)] == [wanted]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({"title": "Ä", "tags": ["x"], "date": None}, {}, {"title": "Ä", "tags": ["x"], "date": None}),
        ({"title": "Ä", "details": "old"}, {"title": "Ö"}, {"title": "Ö"}),
        ({}, {"title": "Ö"}, {"title": "Ö"}),
        ({}, {}, {}),
    ],
    ids=["kept where the new one brings none", "replaced as a whole", "taken", "still none"],
)
def test_folded_row_keeps_the_right_data(
    data_dir: str, writer: QueueWriter, old: dict[str, Any], new: dict[str, Any], wanted: dict[str, Any]
) -> None:
    writer.fold(job_text(3, data=old), "scene_3")
    writer.fold(job_text(3, data=new), "scene_3")
    assert [job["data"] for job in waiting(data_dir)] == [wanted]


def test_save_makes_a_postponed_row_due(data_dir: str, writer: QueueWriter, store: JobStore) -> None:
    writer.fold(job_text(3, priority=2), "scene_3")
    (claimed,) = store.claim(1, 50.0)
    state = RetryState(4, {}, 500.0, "PlexServerDown", "away", 49.0, 40.0)
    store.retry(claimed.row_id, claimed.job.with_retry(state))
    assert store.claim(1, 60.0) == []
    assert not writer.fold(job_text(3, priority=0, now=61.0), "scene_3")
    assert waiting(data_dir) == [new_job(3, "metadata", {}, priority=0, now=61.0)]
    assert [row.job.priority for row in store.claim(1, 61.0)] == [0]


def test_row_in_flight_does_not_take_a_new_event(data_dir: str, writer: QueueWriter, store: JobStore) -> None:
    writer.fold(job_text(3, now=1.0), "scene_3")
    store.claim(1, 10.0)
    assert writer.fold(job_text(3, now=2.0), "scene_3")
    assert [(row.status, row.job["enqueued_at"]) for row in rows(data_dir)] == [(2, 1.0), (0, 2.0)]


def test_waits_knows_rows_that_wait_and_not_those_in_flight(writer: QueueWriter, store: JobStore) -> None:
    assert not writer.waits("scene_3")
    writer.fold(job_text(3), "scene_3")
    assert writer.waits("scene_3")
    assert not writer.waits("scene_33")
    store.claim(1, 10.0)
    assert not writer.waits("scene_3")


def test_fold_all_counts_what_it_inserted(data_dir: str, writer: QueueWriter) -> None:
    assert writer.fold_all((job_text(number % 3), scene_key(number % 3)) for number in range(9)) == 3
    assert [job["scene_id"] for job in waiting(data_dir)] == [0, 1, 2]


@pytest.mark.parametrize("waits_already", [True, False])
def test_fold_all_is_all_or_nothing(data_dir: str, writer: QueueWriter, waits_already: bool) -> None:
    if waits_already:
        writer.fold(job_text(2, now=1.0), "scene_2")
    before = rows(data_dir)
    with pytest.raises(sqlite3.OperationalError):
        writer.fold_all([(job_text(1), "scene_1"), ("{this is no JSON", "scene_2")])
    assert rows(data_dir) == before
    assert writer.fold(job_text(1), "scene_1")  # the connection is still of use


def test_eight_processes_folding_few_scenes_leave_one_row_each(data_dir: str) -> None:
    together([["fold", data_dir, "50", "5"]] * 8)
    jobs = waiting(data_dir)
    assert sorted(job["scene_id"] for job in jobs) == [1, 2, 3, 4, 5]
    assert {job["priority"] for job in jobs} == {0}


def test_writer_creates_no_database(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        QueueWriter(str(tmp_path))
    assert open_existing(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_unfinished_queue_is_not_opened(data_dir: str) -> None:
    with closing(sqlite3.connect(database(data_dir))) as db:
        db.execute("PRAGMA user_version=0")
    assert open_existing(queue_dir(data_dir)) is None


def test_writer_that_waits_for_the_lock_fails_after_its_timeout(data_dir: str) -> None:
    with (
        closing(sqlite3.connect(database(data_dir), isolation_level=None)) as other,
        closing(QueueWriter(queue_dir(data_dir), timeout=0.05)) as writer,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.fold(job_text(1), "scene_1")
        other.execute("ROLLBACK")
        assert writer.fold(job_text(1), "scene_1")


def test_writer_waits_for_another_writer(data_dir: str, writer: QueueWriter) -> None:
    with closing(sqlite3.connect(database(data_dir), isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.1, other.execute, ["COMMIT"])
        timer.start()
        assert writer.fold(job_text(1), "scene_1")
        timer.join()


@pytest.mark.parametrize("name", ["per cent 100%41", "what?", "#1", "Übung & Söhne", "a b"])
def test_queue_in_a_directory_of_any_name_can_be_opened(tmp_path: Path, name: str) -> None:
    from sync_queue.setup import open_writer

    data_dir = tmp_path / name
    with closing(open_writer(str(data_dir))) as writer:
        assert writer.fold(scene_row(1, priority=0, now=1.0), "scene_1")
    assert [job["scene_id"] for job in waiting(data_dir)] == [1]


def test_windows_path_in_a_uri_begins_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_queue.writer.os.path.abspath", lambda path: path)
    assert uri_path("C:\\Stash\\50%\\data.db") == "/C:/Stash/50%25/data.db"


def test_job_text_is_unchanged_by_folding(data_dir: str, writer: QueueWriter) -> None:
    data = {"title": 'quote " back \\ slash / 日本 🎬 \u2028', "rating100": 0, "performers": [], "path": None}
    writer.fold(job_text(1), "scene_1")
    writer.fold(json.dumps(new_job(1, "metadata", data, priority=0, now=1_700_000_000.123456)), "scene_1")
    (job,) = waiting(data_dir)
    assert job == new_job(1, "metadata", data, priority=0, now=1_700_000_000.123456)

"""The worker's side of the queue: what it claims, in which order, and what happens to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from common.job_rows import new_entity_job, new_job
from sync_queue import sql
from sync_queue.job import RetryState
from sync_queue.sql import MAX_DUE_AHEAD_S
from sync_queue.store import JobStore, is_due
from sync_queue.writer import QueueWriter, queue_dir
from tests.sync_queue.support import due_at

from .support import database, job_text, rows, waiting

pytestmark = pytest.mark.unit

NOW = 10_000.0


def put(data_dir: str, *jobs: dict[str, Any] | bytes) -> None:
    """Put rows as they are, past the folding."""
    with closing(sqlite3.connect(database(data_dir))) as db:
        for job in jobs:
            db.execute(sql.INSERT, (job if isinstance(job, bytes) else json.dumps(job).encode(), NOW))
        db.commit()


def job(scene_id: int, priority: int = 2, due: float | None = None, **more: Any) -> dict[str, Any]:
    """A job, due at ``due`` where given."""
    found = new_job(scene_id, "metadata", {}, priority=priority, now=NOW)
    return found | ({} if due is None else {"next_retry_at": due}) | more


def claim(store: JobStore, limit: int = 100, now: float = NOW, **options: Any) -> list[int]:
    """The scenes of the rows that are claimed."""
    return [row.job.scene_id or 0 for row in store.claim(limit, now, **options)]


def test_claim_orders_by_priority_due_time_and_age(data_dir: str, store: JobStore) -> None:
    put(
        data_dir,
        job(1, 2),
        job(2, 1, due=NOW - 5),
        job(3, 1, due=NOW - 9),
        job(4, 1),
        job(5, 0, due=NOW),
        job(6, 2, due=NOW - 1),
        job(7, 1),
        job(8, 0),
    )
    assert [claim(store) for _ in range(4)] == [[8, 5], [4, 7, 3, 2], [1, 6], []]


def test_job_without_a_priority_is_claimed_last(data_dir: str, store: JobStore) -> None:
    put(data_dir, {"scene_id": 1, "data": {}}, job(2, 2), job(3, 1))
    assert [claim(store) for _ in range(3)] == [[3], [1, 2], []]


def test_claim_returns_at_most_the_limit(data_dir: str, store: JobStore) -> None:
    put(data_dir, *(job(number) for number in range(1, 8)))
    assert [claim(store, 3) for _ in range(3)] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [row.status for row in rows(data_dir)] == [2] * 7


def test_row_that_is_not_due_is_not_claimed(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1, 0, due=NOW + 1), job(2, 2, due=NOW + 600))
    assert claim(store) == []
    assert claim(store, now=NOW + 0.999) == []
    assert claim(store, now=NOW + 1) == [1]
    assert claim(store, now=NOW + 600) == [2]


def test_due_time_far_ahead_is_due_after_a_clock_set_back(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1, due=NOW + MAX_DUE_AHEAD_S + 1), job(2, due=NOW + MAX_DUE_AHEAD_S))
    assert claim(store) == [1]
    assert claim(store) == []


def test_row_far_ahead_does_not_delay_a_due_one(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1, due=NOW + 10_000), job(2))
    assert [claim(store), claim(store)] == [[2], [1]]


def test_only_saves_are_claimed_where_only_they_are_asked_for(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1, 2), job(2, 1))
    assert not store.has_urgent(NOW)
    assert claim(store, most_urgent_only=True) == []
    put(data_dir, job(3, 0, due=NOW + 5), job(4, 0))
    assert store.has_urgent(NOW)
    assert claim(store, most_urgent_only=True) == [4]
    assert not store.has_urgent(NOW)
    assert store.has_urgent(NOW + 5)


@pytest.mark.parametrize(
    "blob",
    [
        b"5",
        b"null",
        b"[1, 2]",
        b'"text"',
        b"{}",
        b'{"scene_id": null}',
        b'{"scene_id": "many"}',
        b'{"scene_id": {}, "job_key": 5}',
        b'{"scene_id": 1e999}',
        b'{"entity": "gallery", "entity_id": 3}',
        b'{"entity": "tag"}',
        b'{"entity": "tag", "entity_id": "many"}',
        b'{"entity": "tag", "entity_id": 3, "after": "the third"}',
        b'{"scene_id": ' + b"[" * 1500 + b"]" * 1500 + b"}",
    ],
    ids=lambda blob: blob[:40].decode(),
)
def test_malformed_row_is_set_aside_and_delays_no_other(data_dir: str, store: JobStore, blob: bytes) -> None:
    put(data_dir, blob, job(2))
    assert claim(store) == [2]
    assert [(row.data, row.status) for row in rows(data_dir)][:1] == [(blob, 9)]
    assert claim(store) == []


def test_job_without_a_key_gets_the_key_of_its_scene(data_dir: str, store: JobStore) -> None:
    put(data_dir, {"scene_id": 12, "data": {"path": "/a"}})
    (row,) = store.claim(1, NOW)
    assert row.job.as_row() == {"scene_id": 12, "data": {"path": "/a"}, "job_key": "scene_12"}


def test_claimed_row_is_superseded_by_a_newer_one_of_its_key(
    data_dir: str, store: JobStore, writer: QueueWriter
) -> None:
    put(data_dir, job(1), job(2))
    first, second = store.claim(2, NOW)
    assert not store.is_superseded(first)
    writer.fold(job_text(1), "scene_1")
    assert store.is_superseded(first)
    assert not store.is_superseded(second)


def test_finished_rows_leave_the_table(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1), job(2), job(3))
    first, _, third = store.claim(3, NOW)
    store.finish([first.row_id, third.row_id])
    assert [(row.job["scene_id"], row.status) for row in rows(data_dir)] == [(2, 2)]


def test_returned_row_waits_until_due_and_keeps_its_retry_fields(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1))
    (row,) = store.claim(1, NOW)
    state = RetryState(1, {"NOT_FOUND": 1}, NOW + 30, "PlexNotFound", "no such file", NOW, NOW)
    store.retry(row.row_id, row.job.with_retry(state))
    assert claim(store, now=NOW + 29) == []
    (again,) = store.claim(1, NOW + 30)
    assert again.job == row.job.with_retry(state)
    assert again.row_id == row.row_id
    assert rows(data_dir)[0].kinds[0] == "blob"


def test_returned_row_is_dropped_if_a_newer_one_waits(data_dir: str, store: JobStore, writer: QueueWriter) -> None:
    put(data_dir, job(1), job(2))
    first, second = store.claim(2, NOW)
    writer.fold(job_text(1, now=NOW + 1), "scene_1")
    store.retry(first.row_id, due_at(first.job, NOW + 30))
    store.retry(second.row_id, due_at(second.job, NOW + 30))
    assert [(row.job["scene_id"], row.job.get("next_retry_at")) for row in rows(data_dir)] == [
        (2, NOW + 30),
        (1, None),
    ]


def test_returned_row_is_kept_if_its_batch_fails_later(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1))
    (row,) = store.claim(1, NOW)
    store.retry_all([(row.row_id, due_at(row.job, NOW + 30))])
    store.retry(row.row_id, row.job)
    store.retry_all([(row.row_id, row.job)])
    assert [found["next_retry_at"] for found in waiting(data_dir)] == [NOW + 30]


def entity(**more: Any) -> dict[str, Any]:
    """A job about a tag."""
    return new_entity_job("tag", 7, priority=1, now=NOW) | more


def test_entity_job_is_claimed_like_any_other(data_dir: str, store: JobStore) -> None:
    bare = {"entity": "studio", "entity_id": 3, "priority": 1}
    put(data_dir, entity(), job(1, 1), bare, entity(job_key="tag_8", after=500), job(2))
    rows_ = store.claim(10, NOW)
    assert [row.job.job_key for row in rows_] == ["tag_7", "scene_1", "studio_3", "tag_8"]
    assert [row.job.after for row in rows_] == [0, 0, 0, 500]


def test_scenes_take_the_place_of_an_entity(data_dir: str, store: JobStore) -> None:
    tried = job(2, 0, due=NOW + 30, retry_count=3, awaits_file=True)
    put(data_dir, entity(retry_count=2, next_retry_at=NOW), tried, job(3))
    (row,) = store.claim(1, NOW)
    flying = store.claim(1, NOW)
    assert store.expand(row, [1, 2, 3], 3, NOW + 1) == 2
    # the one that waits keeps its schedule; the one in flight may have been read before
    new = [new_job(number, "metadata", {}, priority=2, now=NOW + 1) for number in (1, 3)]
    assert waiting(data_dir) == [entity(after=3), tried, *new]
    (again,) = store.claim(1, NOW)
    assert again.row_id == row.row_id
    assert store.expand(again, [9], None, NOW + 2) == 1
    assert [found["job_key"] for found in waiting(data_dir)] == ["scene_2", "scene_1", "scene_3", "scene_9"]
    assert [found.status for found in rows(data_dir) if found.row_id == flying[0].row_id] == [2]


@pytest.mark.parametrize("after", [None, 500])
def test_entity_edited_again_starts_from_the_beginning(
    data_dir: str, store: JobStore, writer: QueueWriter, after: int | None
) -> None:
    put(data_dir, entity())
    (row,) = store.claim(1, NOW)
    newer = entity(enqueued_at=NOW + 5)
    writer.fold(json.dumps(newer), "tag_7")
    store.expand(row, [], after, NOW + 6)
    assert [found.job for found in rows(data_dir)] == [newer]


def test_kill_during_an_expansion_repeats_it(data_dir: str, store: JobStore) -> None:
    put(data_dir, entity())
    (row,) = store.claim(1, NOW)

    def killed() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.expand(row, killed(), None, NOW)
    assert [found.job["job_key"] for found in rows(data_dir)] == ["tag_7"]
    store.resume()
    (again,) = store.claim(1, NOW)
    assert store.expand(again, [1, 2], None, NOW) == 2


def test_resume_takes_back_rows_of_a_dead_worker(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1), job(2), job(3, due=NOW + 1))
    assert claim(store) == [1, 2]
    with closing(JobStore(queue_dir(data_dir))) as successor:
        assert claim(successor) == []
        assert successor.resume() == 2
        assert claim(successor) == [1, 2]
    assert store.waiting_count() == 1


def test_resume_drops_what_a_newer_row_has_superseded_and_sweeps(
    data_dir: str, store: JobStore, writer: QueueWriter
) -> None:
    put(data_dir, job(1), job(2), job(3))
    claim(store)
    writer.fold(job_text(2, now=NOW + 1), "scene_2")
    with closing(sqlite3.connect(database(data_dir))) as db:
        db.execute("UPDATE ack_queue_default SET status = 5 WHERE _id = 3")
        db.commit()
    assert store.resume() == 2
    assert [(row.job["scene_id"], row.job["enqueued_at"], row.status) for row in rows(data_dir)] == [
        (1, NOW, 1),
        (2, NOW + 1, 0),
    ]


def test_resume_of_two_rows_in_flight_for_one_scene_leaves_one(
    data_dir: str, store: JobStore, writer: QueueWriter
) -> None:
    put(data_dir, job(1, 2))
    claim(store)
    writer.fold(job_text(1, priority=0, now=NOW + 1), "scene_1")
    claim(store)
    put(data_dir, {"scene_id": 8}, {"scene_id": 9})
    claim(store)
    store.resume()
    assert [(found["scene_id"], found.get("priority")) for found in waiting(data_dir)] == [(1, 0), (8, None), (9, None)]


def test_data_version_changes_only_if_another_process_wrote(store: JobStore, writer: QueueWriter) -> None:
    before = store.data_version()
    assert store.data_version() == before
    writer.fold(job_text(1), "scene_1")
    after = store.data_version()
    assert after != before
    assert store.data_version() == after


def test_waiting_rows_and_next_due_time_are_reported(data_dir: str, store: JobStore) -> None:
    assert (store.waiting_count(), store.has_waiting(), store.next_due()) == (0, False, None)
    put(data_dir, job(1, 2, due=NOW + 7), job(2, 1, due=NOW + 9))
    assert (store.waiting_count(), store.has_waiting(), store.next_due()) == (2, True, NOW + 7)
    put(data_dir, job(3, 2))
    assert store.next_due() == 0
    assert claim(store) == [3]
    assert (store.waiting_count(), store.next_due()) == (2, NOW + 7)
    assert claim(store, now=NOW + 9) == [2]
    assert claim(store, now=NOW + 9) == [1]
    assert (store.waiting_count(), store.has_waiting(), store.next_due()) == (0, False, None)


@pytest.mark.parametrize(
    ("due", "wanted"),
    [
        (None, False),
        (0.0, True),
        (NOW, True),
        (NOW + 0.1, False),
        (NOW + MAX_DUE_AHEAD_S, False),
        (NOW + MAX_DUE_AHEAD_S + 0.1, True),
    ],
)
def test_is_due(due: float | None, wanted: bool) -> None:
    assert is_due(due, NOW) is wanted


def test_clearing_what_waits_leaves_what_is_in_flight(data_dir: str, store: JobStore) -> None:
    put(data_dir, job(1), job(2), job(3, due=NOW + 5))
    assert claim(store, 1) == [1]
    assert store.clear_waiting() == 2
    assert [(row.job["scene_id"], row.status) for row in rows(data_dir)] == [(1, 2)]


def test_failed_claim_changes_nothing(data_dir: str, store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(data_dir, job(1))

    def full_disk(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_read", full_disk)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.claim(1, NOW)
    assert [row.status for row in rows(data_dir)] == [0]
    assert claim(store) == [1]


@pytest.mark.parametrize("write", ["finish", "claim", "retry_all", "expand"])
def test_store_after_a_failed_write_can_be_used_again(data_dir: str, store: JobStore, write: str) -> None:
    put(data_dir, job(1), job(2))
    (row,) = store.claim(1, NOW)
    with closing(sqlite3.connect(database(data_dir))) as db:
        for change in ("DELETE", "UPDATE"):
            db.execute(
                f"CREATE TRIGGER no_{change} BEFORE {change} ON {sql.TABLE} BEGIN SELECT RAISE(FAIL,'full'); END"
            )
    attempts: dict[str, Callable[[], object]] = {
        "finish": lambda: store.finish([row.row_id]),
        "claim": lambda: store.claim(1, NOW),
        "retry_all": lambda: store.retry_all([(row.row_id, row.job)]),
        "expand": lambda: store.expand(row, [3], None, NOW),
    }
    with pytest.raises(sqlite3.Error, match="full"):
        attempts[write]()
    with closing(sqlite3.connect(database(data_dir), timeout=0)) as db:
        db.execute("DROP TRIGGER no_DELETE")
        db.execute("DROP TRIGGER no_UPDATE")
    store.finish([row.row_id])
    assert claim(store) == [2]

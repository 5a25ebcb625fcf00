"""The public operations, on the library's queue, on the thin writer, and on a stand-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from common.job_rows import new_entity_job, new_job
from sync_queue import operations
from sync_queue.manager import QueueManager
from sync_queue.operations import ack_job, enqueue, fail_job, get_pending, get_queued_scene_ids, get_stats, nack_job
from sync_queue.writer import QueueWriter, queue_dir

from .support import rows, waiting

pytestmark = pytest.mark.unit


@pytest.fixture
def queue(data_dir: str) -> Iterator[Any]:
    """The library's queue, as the manager gives it."""
    manager = QueueManager(data_dir)
    yield manager.get_queue()
    manager.shutdown()


def stats(data_dir: str) -> tuple[int, int, int, int]:
    """waiting, in flight, acknowledged, failed"""
    found = get_stats(queue_dir(data_dir))
    return found["waiting"], found["in_flight"], found["acknowledged"], found["failed"]


def test_enqueue_on_the_librarys_queue_folds_and_keeps_its_count_true(data_dir: str, queue: Any) -> None:
    job = enqueue(queue, 5, "metadata", {"path": "/a.mp4"}, now=100.0)
    assert job == new_job(5, "metadata", {"path": "/a.mp4"}, priority=2, now=100.0)
    assert waiting(data_dir) == [job]
    assert queue.size == 1
    enqueue(queue, 5, "metadata", {"path": "/b.mp4"}, priority=0, now=101.0)
    assert waiting(data_dir) == [new_job(5, "metadata", {"path": "/b.mp4"}, priority=0, now=101.0)]
    assert queue.size == 1
    assert queue.get(block=False)["data"] == {"path": "/b.mp4"}
    assert queue.size == 0


def test_enqueue_wakes_a_get_that_blocks_in_this_process(queue: Any) -> None:
    queue.put_event.clear()
    enqueue(queue, 5, "metadata", {})
    assert queue.put_event.is_set()
    assert queue.get(timeout=1)["scene_id"] == 5


def test_enqueue_on_the_thin_writer_writes_the_same_job(data_dir: str, writer: QueueWriter) -> None:
    before = time.time()
    job = enqueue(writer, 5, "metadata", {"title": "Ü"})
    assert waiting(data_dir) == [job]
    assert before <= job["enqueued_at"] <= time.time()


def test_enqueue_on_anything_with_put_hands_it_the_job() -> None:
    queue = MagicMock()
    job = enqueue(queue, 5, "metadata", {"title": "Ü"}, now=1.0)
    queue.put.assert_called_once_with(job)
    assert job["scene_id"] == 5


def test_enqueue_does_not_share_the_callers_data(writer: QueueWriter) -> None:
    data = {"title": "a"}
    job = enqueue(writer, 5, "metadata", data)
    data["title"] = "b"
    assert job["data"] == {"title": "a"}


def test_queued_scene_ids_are_those_waiting_or_in_flight(data_dir: str, queue: Any, writer: QueueWriter) -> None:
    assert get_queued_scene_ids(queue_dir(data_dir)) == set()
    for scene_id in (1, 22, 333):
        enqueue(queue, scene_id, "metadata", {})
    writer.fold('{"job_key": "performer_9", "priority": 2, "data": {}}', "performer_9")
    writer.fold('{"job_key": "scene_x", "priority": 2, "data": {}}', "scene_x")
    writer.fold('{"job_key": "scene_²", "priority": 2, "data": {}}', "scene_²")
    assert get_queued_scene_ids(queue_dir(data_dir)) == {1, 22, 333}
    first, second = get_pending(queue), get_pending(queue)
    assert first is not None
    assert second is not None
    assert get_queued_scene_ids(queue_dir(data_dir)) == {1, 22, 333}
    ack_job(queue, first)
    fail_job(queue, second)
    assert get_queued_scene_ids(queue_dir(data_dir)) == {1, 22, 333} - {first["scene_id"], second["scene_id"]}
    assert get_queued_scene_ids(str(Path(queue_dir(data_dir), "data.db"))) == get_queued_scene_ids(queue_dir(data_dir))


def test_pending_entity_job_names_its_entity(queue: Any, data_dir: str) -> None:
    job = new_entity_job("studio", 4, priority=1, now=1.0)
    assert operations.put_job(queue, job)
    assert not operations.put_job(queue, job)
    found = get_pending(queue)
    assert found is not None
    assert {name: found[name] for name in job} == job
    assert get_queued_scene_ids(queue_dir(data_dir)) == set()
    ack_job(queue, found)
    assert stats(data_dir) == (0, 0, 1, 0)


def test_looking_at_a_queue_that_is_not_there_makes_none(tmp_path: Path) -> None:
    missing = tmp_path / "queue"
    assert get_queued_scene_ids(str(missing)) == set()
    assert get_stats(str(missing)) == {"waiting": 0, "in_flight": 0, "acknowledged": 0, "failed": 0}
    assert not missing.exists()


def test_job_goes_through_its_states(data_dir: str, queue: Any) -> None:
    for scene_id in (1, 2, 3):
        enqueue(queue, scene_id, "metadata", {}, priority=scene_id % 2)
    assert stats(data_dir) == (3, 0, 0, 0)
    jobs = [get_pending(queue) for _ in range(3)]
    assert [job and job["scene_id"] for job in jobs] == [2, 1, 3]
    assert stats(data_dir) == (0, 3, 0, 0)
    assert get_pending(queue) is None
    first, second, third = (job for job in jobs if job)
    ack_job(queue, first)
    fail_job(queue, second)
    assert stats(data_dir) == (0, 1, 1, 1)
    nack_job(queue, third | {"retry_count": 1, "next_retry_at": 0})
    assert stats(data_dir)[:2] == (1, 0)
    assert all("pqid" not in row.job for row in rows(data_dir))
    again = get_pending(queue)
    assert again is not None
    assert (again["scene_id"], again["retry_count"], again["pqid"]) == (3, 1, third["pqid"])


def test_job_returned_for_later_is_not_pending(queue: Any) -> None:
    enqueue(queue, 1, "metadata", {})
    job = get_pending(queue)
    assert job is not None
    nack_job(queue, job | {"next_retry_at": time.time() + 300})
    assert get_pending(queue) is None


def test_get_pending_waits_for_a_job_as_long_as_it_was_told(queue: Any, data_dir: str) -> None:
    began = time.monotonic()
    assert get_pending(queue, timeout=0.1) is None
    assert time.monotonic() - began >= 0.1

    def later() -> None:
        writer = QueueWriter(queue_dir(data_dir))
        enqueue(writer, 4, "metadata", {})
        writer.close()

    timer = threading.Timer(0.05, later)
    timer.start()
    job = get_pending(queue, timeout=20)
    timer.join()
    assert job is not None
    assert job["scene_id"] == 4


def test_states_of_a_queue_without_rows_cannot_be_asked_of_a_stand_in() -> None:
    with pytest.raises(TypeError, match="SQLiteAckQueue"):
        get_pending(MagicMock())
    with pytest.raises(TypeError, match="SQLiteAckQueue"):
        nack_job(MagicMock(), {"pqid": 1})


def test_waits_sees_rows_through_every_kind_of_queue(queue: Any, writer: QueueWriter) -> None:
    assert not operations.waits(queue, "scene_6")
    assert not operations.waits(writer, "scene_6")
    enqueue(queue, 6, "metadata", {})
    assert operations.waits(queue, "scene_6")
    assert operations.waits(writer, "scene_6")
    get_pending(queue)
    assert not operations.waits(queue, "scene_6")
    assert operations.waits(MagicMock(), "scene_6")


def test_manager_leaves_rows_in_flight_and_can_be_shut_down_twice(data_dir: str, queue: Any) -> None:
    enqueue(queue, 1, "metadata", {})
    get_pending(queue)
    manager = QueueManager(data_dir)
    assert stats(data_dir) == (0, 1, 0, 0)
    enqueue(manager.get_queue(), 2, "metadata", {})
    manager.shutdown()
    manager.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        manager.get_queue()
    assert stats(data_dir) == (1, 1, 0, 0)


def test_manager_sets_up_a_directory_and_serves_other_threads(tmp_path: Path) -> None:
    manager = QueueManager(str(tmp_path / "new"))
    thread = threading.Thread(target=enqueue, args=(manager.get_queue(), 1, "metadata", {"title": "x"}))
    thread.start()
    thread.join()
    assert manager.get_queue().get(timeout=5)["data"] == {"title": "x"}
    manager.shutdown()

"""A page of jobs in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common.job_rows import PRIORITY_SAVE
from sync_queue.batch_writer import BatchWriter, in_pages
from sync_queue.manager import QueueManager
from sync_queue.operations import enqueue, get_queued_scene_ids, get_stats
from sync_queue.setup import set_up
from sync_queue.writer import QueueWriter, queue_dir

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> str:
    set_up(str(tmp_path / "data"))
    return queue_dir(str(tmp_path / "data"))


@pytest.fixture
def writer(folder: str) -> Iterator[BatchWriter]:
    with closing(BatchWriter(folder)) as made:
        yield made


def test_batch_is_not_written_before_write_is_called(writer: BatchWriter, folder: str) -> None:
    for number in (1, 2, 2):
        enqueue(writer, number, "metadata", {"path": f"/{number}"})
    assert get_queued_scene_ids(folder) == set()
    assert writer.write() == 2
    assert get_queued_scene_ids(folder) == {1, 2}
    assert writer.write() == 0


def test_save_queued_in_between_keeps_its_priority(writer: BatchWriter, folder: str) -> None:
    with closing(QueueWriter(folder)) as another:
        enqueue(writer, 1, "metadata", {"path": "/1"})
        enqueue(another, 1, "metadata", {}, priority=PRIORITY_SAVE)
        assert writer.write() == 0
    from sync_queue.store import JobStore

    with closing(JobStore(folder)) as store:
        [row] = store.claim(5, 1e12, most_urgent_only=True)
    assert (row.job.priority, row.job.data) == (0, {"path": "/1"})


def test_fold_returns_whether_a_row_will_be_inserted(writer: BatchWriter) -> None:
    assert writer.fold('{"job_key": "scene_1"}', "scene_1") is True
    assert writer.fold('{"job_key": "scene_1"}', "scene_1") is False


def test_library_queue_counts_the_written_rows(tmp_path: Path) -> None:
    manager = QueueManager(str(tmp_path / "data"))
    queue = manager.get_queue()
    with ExitStack() as stack:
        pages = in_pages(queue, stack)
        assert isinstance(pages, BatchWriter)
        enqueue(pages, 4, "metadata", {"path": "/4"})
        pages.write()
    assert (queue.size, get_stats(queue.path)["waiting"]) == (1, 1)
    assert queue.get(block=False)["scene_id"] == 4
    manager.shutdown()


@pytest.mark.parametrize("queue", [None, SimpleNamespace(put=print), SimpleNamespace(path="/nowhere")])
def test_any_other_queue_is_taken_as_it_is(queue: Any) -> None:
    with ExitStack() as stack:
        assert in_pages(queue, stack) is queue

"""The worker as a library: one job at a time, or a thread that works off the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from common.file_locks import try_lock, unlock
from common.iso_time import parse_instant
from hooks.handlers import is_scene_pending, mark_scene_pending
from plex.client import PlexClient
from plex.exceptions import PlexNotFound, PlexPermanentError, PlexServerDown, PlexTemporaryError
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from settings.config import Stash2PlexConfig
from stash.client import StashUnreachable
from sync_queue.dlq import DeadLetterQueue
from sync_queue.manager import QueueManager
from sync_queue.operations import enqueue, get_stats, load_sync_timestamps
from sync_queue.writer import queue_dir
from worker.processor import PermanentError, SyncWorker

pytestmark = pytest.mark.integration

UPDATED = "2024-01-02T03:04:05Z"
PATIENCE = 20.0
MakeWorker = Callable[..., SyncWorker]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def plex() -> Iterator[PlexSim]:
    with PlexSim() as found:
        found.add_section("Scenes", ["/data"])
        yield found


@pytest.fixture
def item(plex: PlexSim) -> Item:
    return plex.add_item(plex.sections[0], [("/data/1.mp4", 1, 1.0)])


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    path = tmp_path / "data"
    path.mkdir()
    return str(path)


@pytest.fixture
def queue(data_dir: str) -> Iterator[Any]:
    manager = QueueManager(data_dir)
    yield manager.get_queue()
    manager.shutdown()


@pytest.fixture
def make_worker(plex: PlexSim, data_dir: str, queue: Any) -> Iterator[MakeWorker]:
    made: list[SyncWorker] = []

    def make(stash: Any = None, **settings: Any) -> SyncWorker:
        stored = {"plex_url": plex.url, "plex_token": plex.token, "poll_interval": 0.05, **settings}
        config = Stash2PlexConfig.from_settings(stored)
        made.append(SyncWorker(queue, DeadLetterQueue(data_dir), config, data_dir=data_dir, stash=stash))
        return made[-1]

    yield make
    for worker in made:
        worker.stop()


@pytest.fixture
def worker(make_worker: MakeWorker) -> SyncWorker:
    return make_worker()


def job(**data: Any) -> dict[str, Any]:
    return {"scene_id": 1, "data": {"path": "/data/1.mp4", "studio": "Studio", **data}}


class Stash:
    """The part of stashapp-tools that the worker uses."""

    def __init__(self, **scene: Any) -> None:
        self.found: dict[str, Any] | None = {
            "title": "From Stash",
            "studio": {"name": "Studio"},
            "files": [{"path": "/data/1.mp4"}],
            "updated_at": UPDATED,
            **scene,
        }

    def find_scene(self, scene_id: int, fragment: str) -> dict[str, Any] | None:
        return self.found


def test_process_job_writes_and_saves_the_timestamp_of_its_data(
    worker: SyncWorker, item: Item, data_dir: str, plex: PlexSim
) -> None:
    worker._process_job(job(title="New", details="Words", tags=["a"], updated_at=UPDATED))
    assert (item.title, item.summary, item.studio, item.tags("genre")) == ("New", "Words", "Studio", ["a"])
    assert load_sync_timestamps(data_dir) == {1: parse_instant(UPDATED)}
    assert plex.puts == 1
    assert plex.hidden_reloads == 0


def test_process_job_without_updated_at_saves_the_time_before_the_write(
    worker: SyncWorker, item: Item, data_dir: str
) -> None:
    before = time.time()
    worker._process_job(job(title="New"))
    assert before <= load_sync_timestamps(data_dir)[1] <= time.time()


def test_process_job_leaves_fields_of_absent_keys_alone(worker: SyncWorker, item: Item) -> None:
    item.summary = "Stays"
    worker._process_job(job(title="New"))
    assert item.summary == "Stays"
    worker._process_job(job(title="New", summary="Read as details"))
    assert item.summary == "Read as details"


def test_process_job_without_a_difference_is_a_sync_without_a_write(
    worker: SyncWorker, item: Item, data_dir: str, plex: PlexSim
) -> None:
    worker._process_job(job(title="New"))
    worker._process_job(job(title="New", updated_at=UPDATED))
    assert plex.puts == 1
    assert load_sync_timestamps(data_dir) == {1: parse_instant(UPDATED)}


def test_process_job_with_stash_reads_the_scene_again(make_worker: MakeWorker, item: Item, data_dir: str) -> None:
    worker = make_worker(stash=Stash())
    worker._process_job(job(title="Old snapshot"))
    assert item.title == "From Stash"
    assert load_sync_timestamps(data_dir) == {1: parse_instant(UPDATED)}


def test_process_job_with_stash_needs_no_data(make_worker: MakeWorker, item: Item) -> None:
    make_worker(stash=Stash())._process_job({"scene_id": 1})
    assert item.title == "From Stash"


@pytest.mark.parametrize("found", [None, {"files": []}], ids=["gone", "no file"])
def test_process_job_of_a_scene_without_files_writes_nothing(
    make_worker: MakeWorker, item: Item, plex: PlexSim, data_dir: str, found: dict[str, Any] | None
) -> None:
    stash = Stash()
    stash.found = found
    make_worker(stash=stash)._process_job(job(title="Snapshot"))
    assert plex.puts == 0
    assert load_sync_timestamps(data_dir) == {}


def test_process_job_without_metadata_writes_nothing(worker: SyncWorker, item: Item, plex: PlexSim) -> None:
    worker._process_job(job(studio=None, title="Only a title", rating100=80))
    assert (item.title, plex.puts) == ("1", 0)


def test_process_job_without_a_path_raises_permanent_error(worker: SyncWorker) -> None:
    with pytest.raises(PermanentError, match="no path"):
        worker._process_job({"scene_id": 1, "data": {"studio": "S"}})


def test_process_job_without_an_item_raises_plex_not_found(worker: SyncWorker, data_dir: str) -> None:
    with pytest.raises(PlexNotFound, match=r"/data/1\.mp4"):
        worker._process_job(job())
    assert load_sync_timestamps(data_dir) == {}


def test_process_job_writes_every_item_that_holds_the_file(worker: SyncWorker, item: Item, plex: PlexSim) -> None:
    other = plex.add_item(plex.add_section("Other"), [("/data/x.mp4", 1, 1.0), ("/data/1.mp4", 1, 1.0)])
    worker._process_job(job(title="New"))
    assert (item.title, other.title) == ("New", "New")
    assert plex.puts == 2


def test_process_job_that_plex_does_not_keep_saves_no_timestamp(
    worker: SyncWorker, item: Item, plex: PlexSim, data_dir: str
) -> None:
    plex.on_write = lambda written: setattr(written, "summary", "Plex's")
    worker._process_job(job(details="Words"))
    assert plex.puts == 2
    assert load_sync_timestamps(data_dir) == {}


def test_process_job_unmarks_the_scene_after_any_outcome(make_worker: MakeWorker, plex: PlexSim) -> None:
    worker = make_worker()
    outcomes: list[tuple[dict[str, Any], type[Exception] | None]] = [
        ({"scene_id": 1, "data": {}}, PermanentError),
        (job(), PlexNotFound),
        (job(studio=None), None),
    ]
    for one, error in outcomes:
        mark_scene_pending(1)
        if error is None:
            worker._process_job(one)
        else:
            with pytest.raises(error):
                worker._process_job(one)
        assert not is_scene_pending(1)
    plex.add_item(plex.sections[0], [("/data/2.mp4", 1, 1.0)])
    worker.close()
    for status, kind in ((503, PlexServerDown), (500, PlexTemporaryError)):
        mark_scene_pending(1)
        plex.faults.set(status=status)
        with pytest.raises(kind):
            worker._process_job(job())
        assert not is_scene_pending(1)

    class Away:
        def find_scene(self, scene_id: int, fragment: str) -> None:
            raise StashUnreachable("away")

    mark_scene_pending(1)
    with pytest.raises(StashUnreachable):
        make_worker(stash=Away())._process_job(job())
    assert not is_scene_pending(1)


def test_process_job_that_plex_refuses_raises_permanent_error(worker: SyncWorker, item: Item) -> None:
    with pytest.raises(PlexPermanentError, match="invalid rating"):
        worker._process_job(job(rating100=200))


def test_update_metadata_writes_an_item_of_plexapi(worker: SyncWorker, item: Item, plex: PlexSim) -> None:
    server: Any = worker._get_plex_client().server
    [video] = server.library.section("Scenes").all()
    assert worker._update_metadata(video, {"title": "By hand", "tags": ["a"]}) is True
    assert (item.title, item.tags("genre"), item.studio) == ("By hand", ["a"], None)
    assert worker._update_metadata(video, {"title": "By hand", "tags": ["A"]}) is False
    assert plex.puts == 1
    assert worker._update_metadata(video, {"title": ""}) is True
    assert item.title == "1"
    plex.remove_item(item.rating_key)
    with pytest.raises(PlexNotFound):
        worker._update_metadata(video, {"title": "Too late"})
    assert plex.hidden_reloads == 0


@pytest.mark.parametrize(("preserve", "mode"), [(False, "overwrite"), (True, "preserved")])
def test_log_says_what_was_written_and_in_which_mode(
    make_worker: MakeWorker, item: Item, caplog: pytest.LogCaptureFixture, preserve: bool, mode: str
) -> None:
    with caplog.at_level(logging.INFO, "Stash2Plex.worker"):
        logging.getLogger("Stash2Plex").propagate = True
        make_worker(preserve_plex_edits=preserve)._process_job(job(title="Title"))
    assert f"Updated metadata ({mode} mode): Title" in caplog.messages


def test_worker_without_a_data_directory_has_no_plex_client(plex: PlexSim) -> None:
    worker = SyncWorker(None, None, Stash2PlexConfig(plex_url=plex.url, plex_token=plex.token))
    with pytest.raises(ValueError, match="data directory"):
        worker._get_plex_client()
    worker.start()
    worker.stop()


def test_configure_for_another_plex_applies_to_the_next_job(worker: SyncWorker, plex: PlexSim, item: Item) -> None:
    worker._process_job(job(title="First"))
    with PlexSim(machine_identifier="another") as other:
        there = other.add_item(other.add_section("Scenes"), [("/data/1.mp4", 1, 1.0)])
        settings = {"plex_url": other.url, "plex_token": other.token, "max_retries": 9}
        assert worker.configure(Stash2PlexConfig.from_settings(settings))
        worker._process_job(job(title="Second"))
        assert (item.title, there.title, worker.max_retries) == ("First", "Second", 9)
        assert not worker.configure(Stash2PlexConfig.from_settings({**settings, "sync_title": False}))
        worker._process_job(job(title="Third"))
        assert there.title == "Second"
        assert other.counters["GET /"] == 1
        worker.close()


# the thread


def test_thread_works_off_a_filled_queue(worker: SyncWorker, queue: Any, plex: PlexSim, data_dir: str) -> None:
    for number in range(1, 31):
        plex.add_item(plex.sections[0], [(f"/data/{number}.mp4", 1, 1.0)])
        enqueue(queue, number, "metadata", {"path": f"/data/{number}.mp4", "title": f"Title {number}", "studio": "S"})
    worker.start()
    worker.start()
    until(lambda: not sum(get_stats(queue_dir(data_dir)).values()))
    worker.stop()
    assert [item.title for item in plex.items] == [f"Title {number}" for number in range(1, 31)]
    assert sorted(load_sync_timestamps(data_dir)) == list(range(1, 31))
    assert plex.counters["GET /"] == 1


def test_thread_processes_a_later_job_and_ends_at_stop(
    worker: SyncWorker, queue: Any, item: Item, data_dir: str
) -> None:
    worker.start()
    enqueue(queue, 1, "metadata", job(title="Later")["data"])
    until(lambda: item.title == "Later")
    worker.stop()
    assert "Stash2Plex worker" not in {thread.name for thread in threading.enumerate()}
    lock = try_lock(f"{data_dir}/worker.lock")
    assert lock is not None
    unlock(lock)
    enqueue(queue, 1, "metadata", job(title="Too late")["data"])
    worker.stop()
    assert get_stats(queue_dir(data_dir))["waiting"] == 1
    worker.start()
    until(lambda: item.title == "Too late")


def test_thread_waits_for_the_lock_of_another_worker(
    make_worker: MakeWorker, queue: Any, item: Item, data_dir: str, plex: PlexSim
) -> None:
    lock = try_lock(f"{data_dir}/worker.lock")
    assert lock is not None
    enqueue(queue, 1, "metadata", job(title="New")["data"])
    worker = make_worker()
    worker.start()
    time.sleep(0.15)
    assert not plex.counters
    unlock(lock)
    until(lambda: item.title == "New")
    second = make_worker()
    second.start()
    time.sleep(0.1)
    worker.stop()
    enqueue(queue, 1, "metadata", job(title="By the second")["data"])
    until(lambda: item.title == "By the second")


def test_thread_retries_failures_and_files_dead_letters(
    worker: SyncWorker, queue: Any, item: Item, data_dir: str
) -> None:
    enqueue(queue, 1, "metadata", job(rating100=200)["data"])
    enqueue(queue, 2, "metadata", {"path": "/data/2.mp4", "studio": "S"})
    worker.start()
    assert worker.dlq is not None
    dlq = worker.dlq
    until(lambda: dlq.count() == 1)
    until(lambda: get_stats(queue_dir(data_dir))["in_flight"] == 0)
    worker.stop()
    assert [dead_letter["scene_id"] for dead_letter in dlq.entries()] == [1]
    assert get_stats(queue_dir(data_dir))["waiting"] == 1


def test_thread_survives_an_unreachable_stash(
    make_worker: MakeWorker, queue: Any, item: Item, caplog: pytest.LogCaptureFixture
) -> None:
    class Reluctant(Stash):
        asked = 0

        def find_scene(self, scene_id: int, fragment: str) -> dict[str, Any] | None:
            self.asked += 1
            if self.asked == 1:
                raise StashUnreachable("not yet")
            return super().find_scene(scene_id, fragment)

    enqueue(queue, 1, "metadata", {})
    worker = make_worker(stash=Reluctant())
    worker.start()
    until(lambda: item.title == "From Stash")


def test_thread_with_missing_settings_sets_attention_and_keeps_jobs(
    plex: PlexSim, queue: Any, item: Item, data_dir: str
) -> None:
    enqueue(queue, 1, "metadata", job(title="New")["data"])
    worker = SyncWorker(queue, DeadLetterQueue(data_dir), Stash2PlexConfig(poll_interval=0.05), data_dir=data_dir)
    worker.start()
    try:
        until(lambda: Path(data_dir, "attention").exists())
    finally:
        worker.stop()
    assert "Plex URL and Plex token" in Path(data_dir, "attention").read_text()
    assert get_stats(queue_dir(data_dir))["waiting"] == 1
    assert item.title == "1"


def test_plex_client_comes_of_settings_that_are_a_mock(tmp_path: Path) -> None:
    config = MagicMock(plex_url="http://plex", plex_token="token")
    client = SyncWorker(MagicMock(), MagicMock(), config, data_dir=str(tmp_path))._get_plex_client()
    assert isinstance(client, PlexClient)

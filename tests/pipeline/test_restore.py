"""Restoring items among other jobs: saves in between, outages, and items that vanish."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing

import pytest

from common.verdicts import Verdict
from pipeline.restore import restore_job
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from sync_queue.writer import QueueWriter, queue_dir
from tests.worker.support import Bench, scene
from worker.circuit_breaker import BreakerState

pytestmark = pytest.mark.integration


def queue_restores(bench: Bench, scene_ids: Iterable[int]) -> None:
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        for scene_id in scene_ids:
            job = restore_job(scene_id, bench.clock())
            writer.fold(json.dumps(job), job["job_key"])


def written(bench: Bench, *scene_ids: int) -> list[Item]:
    items = bench.stock(*scene_ids, details="Words")
    bench.save(*scene_ids)
    bench.work()
    return items


def test_save_between_two_restores_undoes_nothing(bench: Bench, plex: PlexSim) -> None:
    items = written(bench, 1, 2, 3)
    bench.scenes[1] = scene(1, details="Edited meanwhile")
    saved: list[Item] = []

    def save_first(item: Item) -> None:
        if not saved:
            saved.append(item)
            bench.save(1)

    plex.on_write = save_first
    queue_restores(bench, (1, 2, 3))
    bench.work()
    assert saved == [items[0]]
    assert [item.summary for item in items] == ["", "", ""]
    assert {bench.entry(one).verdict for one in (1, 2, 3)} == {Verdict.RESTORED}
    assert bench.rows() == {}


def test_scene_queued_before_its_restore_is_written_first(bench: Bench) -> None:
    [item] = written(bench, 1)
    bench.scenes[1] = scene(1, details="The last words")
    bench.enqueue(1)
    queue_restores(bench, [1])
    bench.work()
    assert item.summary == ""
    assert "The last words" in str(bench.plex.writes)
    assert bench.entry(1).verdict is Verdict.RESTORED
    assert bench.rows() == {}


def test_scene_queued_after_its_restore_is_left_alone(bench: Bench) -> None:
    [item] = written(bench, 1)
    bench.scenes[1] = scene(1, details="The last words")
    queue_restores(bench, [1])
    bench.enqueue(1)
    bench.work()
    assert item.summary == ""
    assert "The last words" not in str(bench.plex.writes)
    assert bench.rows() == {}


def test_restores_alone_close_the_breaker_after_an_outage(bench: Bench, plex: PlexSim) -> None:
    items = written(bench, *range(1, 6))
    plex.faults.refuse()
    queue_restores(bench, range(1, 6))
    bench.live(20)
    assert bench.breaker_state() is not BreakerState.CLOSED
    plex.faults.accept()
    bench.live(120)
    assert bench.breaker_state() is BreakerState.CLOSED
    assert [item.summary for item in items] == [""] * 5
    assert bench.rows() == {}


def test_item_that_vanishes_during_the_restore_is_skipped(bench: Bench, plex: PlexSim) -> None:
    first, second = written(bench, 1, 2)
    client = bench.pipeline.plex.client
    edit = client.edit

    def lose_it_first(section: int, rating_key: int, query: str) -> None:
        if rating_key == first.rating_key:
            plex.remove_item(rating_key)
        edit(section, rating_key, query)

    client.edit = lose_it_first  # type: ignore[method-assign]
    queue_restores(bench, (1, 2))
    bench.work()
    assert second.summary == ""
    assert bench.rows() == {}
    assert bench.entry(1).verdict is Verdict.RESTORED


def test_restore_that_plex_refuses_is_reported_and_the_scene_left_alone(bench: Bench, plex: PlexSim) -> None:
    [item] = written(bench, 1)
    plex.faults.set(status=400, only="^PUT")
    queue_restores(bench, [1])
    bench.work()
    assert 1 in bench.dead_letters()
    assert bench.entry(1).verdict is Verdict.RESTORED
    plex.faults.clear()
    queue_restores(bench, [1])
    bench.work()
    assert item.summary == ""
    assert bench.dead_letters() == {}

"""Reports of a long bulk, and the debug log of one job."""

from __future__ import annotations

import logging

import pytest

from tests.worker.support import Bench, scene

pytestmark = pytest.mark.integration


def test_progress_of_a_long_bulk_ends_with_its_sum(bench: Bench) -> None:
    bench.stock(*range(1, 121))
    bench.enqueue(*range(1, 121))
    bench.work()
    assert bench.told == [("info", "120 scenes done in 0 s: 120 written")]
    bench.scenes[7] = scene(7, title="Another")
    bench.enqueue(*range(1, 121))
    bench.work()
    assert bench.told[1:] == [("info", "120 scenes done in 0 s: 119 unchanged, 1 written")]


def test_progress_of_a_few_scenes_is_not_reported(bench: Bench) -> None:
    bench.stock(*range(1, 20))
    bench.enqueue(*range(1, 20))
    bench.work()
    assert bench.told == []


def test_progress_of_a_slow_bulk_is_reported_once_a_minute(bench: Bench) -> None:
    bench.stock(*range(1, 201))
    bench.enqueue(*range(1, 201))

    def slow(scene_ids: list[int]) -> None:
        bench.clock.now += 20

    bench.on_read = slow
    bench.work()
    assert bench.told[0][1] == "100 scenes done, 100 waiting"
    assert len(bench.told) == 3


def test_debug_log_has_each_decision_about_a_job_in_order(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    [item] = bench.stock(1, details="New words")
    caplog.set_level(logging.DEBUG, logger="Stash2Plex.worker")
    bench.save(1)
    bench.work()
    told = [record.getMessage() for record in caplog.records if "1" in record.getMessage()]
    expected = [
        "Scene 1: claimed, priority 0, tries none",
        "Scene 1: same path",
        f'Scene 1, item {item.rating_key}: title: "1" -> "Title 1"',
        f'Scene 1, item {item.rating_key}: summary: nothing -> "New words"',
        "Scene 1: read again to see what Plex kept",
        "Scene 1: written",
    ]
    places = [next(n for n, line in enumerate(told) if line.startswith(words)) for words in expected]
    assert places == sorted(places)

"""Scenes whose file Plex has not scanned yet: what they cost, and how they are woken."""

from __future__ import annotations

import dataclasses

import pytest

from common.scene import SceneFile
from common.verdicts import Verdict
from matching.index_store import PlexCache
from matching.refresh_policy import WAITING_INTERVAL_S
from sandbox.plex import PlexSim
from tests.worker.conftest import MakeBench
from tests.worker.support import START, Bench, Clock, scene

pytestmark = [pytest.mark.integration, pytest.mark.slow(seconds=7)]

HOUR = 3_600.0
LISTING = "GET /library/sections/{k}/all"
# Two files of one name; each is found by its size.
NAMESAKES = (("first", 1_000), ("second", 2_000))


def requests(plex: PlexSim) -> int:
    return sum(plex.counters.values())


def missing(bench: Bench, *scene_ids: int) -> None:
    for scene_id in scene_ids:
        bench.scenes[scene_id] = scene(scene_id)
    bench.enqueue(*scene_ids)


def test_thousand_missing_files_cost_few_requests_in_two_hours(bench: Bench, plex: PlexSim) -> None:
    bench.stock(50_000)
    missing(bench, *range(1, 1_001))
    bench.live(2 * HOUR - 60)
    assert requests(plex) <= 200
    assert len(bench.rows()) == 1_000
    assert bench.dead_letters() == {}
    # Stash is asked for each of them once, in batches of twenty.
    assert len(bench.reads) <= 51


def test_pending_file_that_comes_is_written_at_the_next_refresh(bench: Bench, clock: Clock) -> None:
    missing(bench, *range(1, 31))
    bench.live(1.5 * HOUR)
    assert bench.job(17)["next_retry_at"] > clock() - 600
    item = bench.item(17)
    bench.live(2 * WAITING_INTERVAL_S)
    assert item.title == "Title 17"
    assert 17 not in bench.rows()
    assert len(bench.rows()) == 29


def test_pending_file_given_up_is_queued_again_when_it_comes(bench: Bench) -> None:
    missing(bench, 1)
    bench.live(2.5 * HOUR)
    assert bench.dead_letters()[1]["error_type"] == "PlexNotFound"
    item = bench.item(1)
    # Any other scene that needs a look brings it to light.
    bench.scenes[2] = scene(2)
    bench.save(2)
    bench.live(60)
    assert item.title == "Title 1"
    assert bench.dead_letters() == {}
    assert bench.entry(1).verdict is Verdict.WRITTEN


def test_scene_not_in_plex_is_queued_again_when_its_file_comes(make_bench: MakeBench) -> None:
    bench = make_bench(skip_not_found=True)
    missing(bench, 1)
    bench.live(10)
    assert (bench.rows(), bench.dead_letters()) == ({}, {})
    item = bench.item(1)
    bench.scenes[2] = scene(2)
    bench.save(2)
    bench.live(60)
    assert item.title == "Title 1"


def test_ambiguous_scene_is_queued_again_when_its_own_file_comes(bench: Bench, plex: PlexSim) -> None:
    other = plex.add_item(bench.section, [("/elsewhere/1.mp4", 99, 5.0)])
    missing(bench, 1)
    bench.live(10)
    assert bench.dead_letters()[1]["error_type"] == "LowConfidence"
    item = bench.item(1)
    bench.scenes[2] = scene(2)
    bench.save(2)
    bench.live(60)
    assert (item.title, other.title) == ("Title 1", "1")
    assert bench.dead_letters() == {}


def test_item_with_another_name_wakes_no_scene(bench: Bench, plex: PlexSim) -> None:
    missing(bench, *range(1, 11))
    bench.live(300)
    reads = len(bench.reads)
    plex.add_item(bench.section, [("/data/other.mp4", 1, 1.0)])
    bench.live(300)
    assert len(bench.reads) == reads


def test_index_change_by_another_process_wakes_scenes(bench: Bench, plex: PlexSim) -> None:
    missing(bench, 1)
    bench.live(10)
    item = bench.item(1)
    cache = PlexCache(bench.data_dir)
    cache.build(bench.pipeline.plex.client, bench.pipeline.plex.index.libraries)
    cache.close()
    plex.faults.set(status=503, only="^GET .*/all")  # no look of our own
    bench.dispatcher.process_due_jobs(lambda: False)
    assert item.title == "Title 1"


@pytest.mark.parametrize("reading", ["basename", "folder"])
def test_save_of_a_new_file_asks_plex_for_its_name(bench: Bench, plex: PlexSim, clock: Clock, reading: str) -> None:
    bench.stock(*range(10, 40))
    bench.enqueue(10)
    bench.work()
    plex.assumptions.file_lookup = reading
    clock.now += 30
    [item] = bench.stock(1)
    bench.save(1)
    plex.reset_counters()
    bench.work()
    assert item.title == "Title 1"
    # by name, the item, the proof that it was kept
    assert requests(plex) - plex.puts == 3


def test_server_without_search_by_name_is_asked_for_its_listing(bench: Bench, plex: PlexSim, clock: Clock) -> None:
    bench.stock(10)
    bench.enqueue(10)
    bench.work()
    clock.now += 30
    [item] = bench.stock(1)
    bench.save(1)
    plex.faults.set(status=500, only="file=")
    bench.work()
    assert item.title == "Title 1"


def test_bulk_of_new_files_is_not_searched_by_name(bench: Bench, plex: PlexSim) -> None:
    missing(bench, *range(1, 101))
    bench.work()
    assert plex.counters[LISTING] <= 3


def test_known_scene_costs_two_reads_and_one_write(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    bench.save(1)
    bench.work()
    bench.scenes[1] = scene(1, title="Again", updated_at=START)
    bench.save(1)
    plex.reset_counters()
    bench.work()
    assert (requests(plex) - 1, plex.puts) == (2, 1)


def test_scan_of_a_missing_files_folder_is_requested_once_a_minute(make_bench: MakeBench, plex: PlexSim) -> None:
    bench = make_bench(trigger_plex_scan=True, path_map="/stash => /data")
    asked = "GET /library/sections/{k}/refresh"
    for scene_id, path in enumerate(("/stash/a/1.mp4", "/stash/a/2.mp4", "/stash/b c/3.mp4", "/other/4.mp4"), 1):
        bench.scenes[scene_id] = scene(scene_id, path)
        bench.save(scene_id)
        bench.work()
    assert plex.counters[asked] == 2
    bench.live(61)
    bench.save(1)
    bench.work()
    assert plex.counters[asked] == 3


def test_scan_is_not_requested_unless_the_setting_is_on(bench: Bench, plex: PlexSim) -> None:
    missing(bench, 1)
    bench.live(100)
    assert plex.counters["GET /library/sections/{k}/refresh"] == 0


def test_scan_of_a_folder_by_the_learned_mapping_is_requested(make_bench: MakeBench, plex: PlexSim) -> None:
    bench = make_bench(trigger_plex_scan=True)
    bench.scenes[1] = scene(1, "/stash/a/1.mp4")
    plex.add_item(bench.section, [("/data/a/1.mp4", 1, 1.0)])
    bench.save(1)
    bench.work()
    bench.scenes[2] = scene(2, "/stash/new/2.mp4")
    bench.save(2)
    bench.work()
    assert plex.counters["GET /library/sections/{k}/refresh"] == 1


def test_item_that_is_listed_but_missing_wakes_its_scene_after_growing_pauses(bench: Bench, plex: PlexSim) -> None:
    items = [plex.add_item(bench.section, [(f"/data/{folder}/scene.mp4", size, 5.0)]) for folder, size in NAMESAKES]
    for number, (folder, size) in enumerate(NAMESAKES, 1):
        path = f"/data/{folder}/scene.mp4"
        files = [SceneFile(path, size, 5.0)]
        bench.scenes[number] = dataclasses.replace(scene(number, path), files=files)
    plex.faults.set(status=404, only="/library/metadata")
    bench.enqueue(1, 2)
    bench.live(HOUR)
    assert requests(plex) < 150
    plex.faults.clear()
    bench.live(HOUR)
    assert [item.title for item in items] == ["Title 1", "Title 2"]
    assert (bench.rows(), bench.dead_letters()) == ({}, {})

"""How many requests a sync costs, and that Plex's own refreshes keep our values."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.plex import PlexSim
from tests.worker.support import Bench, scene

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

WHOLE: dict[str, Any] = {
    "details": "Words", "date": "2021-02", "rating100": 80, "performers": ["Al", "Bo"], "tags": ["x", "y"],
    "director": "Di", "studio": "Installation",
}  # fmt: skip


def counted(plex: PlexSim) -> tuple[int, int]:
    gets = sum(number for what, number in plex.counters.items() if what.startswith("GET "))
    return gets, sum(number for what, number in plex.counters.items() if not what.startswith("GET "))


def test_hundred_changed_scenes_cost_a_hundred_edits_and_ten_reads(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 101), **WHOLE)
    bench.enqueue(1)
    bench.work()
    for scene_id in range(1, 101):
        bench.scenes[scene_id] = scene(scene_id, **{**WHOLE, "details": f"Other words {scene_id}", "tags": ["z"]})
    bench.enqueue(*range(1, 101))
    plex.reset_counters()
    bench.work()
    assert counted(plex) == (10, 100)
    bench.enqueue(*range(1, 101))
    plex.reset_counters()
    bench.work()
    assert counted(plex) == (5, 0)


def test_save_costs_one_edit_and_two_reads(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2, **WHOLE)
    bench.save(1)
    bench.work()
    plex.reset_counters()
    bench.save(2)
    bench.work()
    # the item, and the proof that Plex kept what was written
    assert counted(plex) == (2, 1)
    assert bench.reads == [[1], [2]]
    bench.save(2)
    plex.reset_counters()
    bench.work()
    assert counted(plex) == (1, 0)


def test_whole_library_is_read_in_pages_once(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 2_501))
    bench.enqueue(1)
    bench.work()
    assert plex.counters["GET /library/sections/{k}/all"] == 3
    plex.reset_counters()
    bench.enqueue(*range(2, 42))
    bench.work()
    assert plex.counters["GET /library/sections/{k}/all"] == 0


def test_scenes_are_read_from_stash_in_batches_of_twenty(bench: Bench) -> None:
    bench.stock(*range(1, 101))
    bench.enqueue(*range(1, 101))
    bench.work()
    assert [len(one) for one in bench.reads] == [20] * 5


def test_hundred_scenes_without_an_item_share_the_refreshes(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    bench.save(1)
    bench.work()
    for scene_id in range(2, 102):
        bench.scenes[scene_id] = scene(scene_id)
    plex.reset_counters()
    bench.enqueue(*range(2, 102))
    bench.work()
    assert counted(plex) == (0, 0)  # the look of a moment ago answers for them
    bench.live(600)
    # one look every 45 seconds, some of them at what was changed too, whatever the number of jobs
    reads, writes = counted(plex)
    assert reads <= 30
    assert writes == 0


def test_metadata_refresh_in_plex_keeps_our_values(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1, **WHOLE)
    bench.save(1)
    bench.work()
    before = (item.title, item.summary, item.studio, item.user_rating, item.originally_available_at)
    tags = {kind: item.tags(kind) for kind in ("genre", "actor", "director", "collection")}
    bench.pipeline.plex.client.put(f"/library/metadata/{item.rating_key}/refresh")
    assert (item.title, item.summary, item.studio, item.user_rating, item.originally_available_at) == before
    assert {kind: item.tags(kind) for kind in tags} == tags
    puts = plex.puts
    bench.save(1)
    bench.work()
    assert plex.puts == puts


def test_field_emptied_in_stash_is_emptied_in_plex(bench: Bench) -> None:
    [item] = bench.stock(1, **WHOLE)
    bench.save(1)
    bench.work()
    empty = dict.fromkeys(WHOLE) | {"performers": [], "tags": [], "details": "All that is left"}
    bench.scenes[1] = scene(1, **empty)
    bench.save(1)
    bench.work()
    assert (item.summary, item.studio or "", item.originally_available_at or "") == ("All that is left", "", "")
    assert [item.tags(kind) for kind in ("genre", "actor", "director", "collection")] == [[], [], [], []]
    assert item.user_rating is None

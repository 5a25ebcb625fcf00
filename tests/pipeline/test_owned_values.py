"""What is ours of an item: collections, pictures, the order of actors; and restoring the item."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.job_rows import PRIORITY_BULK, new_job
from common.verdicts import Verdict
from pipeline.pictures import PictureSync
from sandbox.library import generate
from sandbox.plex import PlexSim
from sandbox.plex.model import Item, Tag
from sandbox.stash import StashSim, png
from stash.client import StashClient
from stash.covers import fetch_cover
from state.snapshots import Snapshots
from sync_queue.job import RESTORE
from sync_queue.writer import QueueWriter, queue_dir
from tests.worker.conftest import MakeBench
from tests.worker.support import START, Bench, scene
from worker.circuit_breaker import BreakerState

pytestmark = pytest.mark.integration


def sync(bench: Bench, scene_id: int = 1, **data: Any) -> None:
    """Save a scene with these values, a moment later than the last time."""
    bench.clock.now += 1
    bench.scenes[scene_id] = scene(scene_id, updated_at=bench.clock(), **data)
    bench.save(scene_id)
    bench.work()


def queue_manual_job(bench: Bench, scene_id: int, **more: Any) -> None:
    job = {**new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=bench.clock()), **more}
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        writer.fold(json.dumps(job), job["job_key"])
    bench.work()


@pytest.fixture(params=["adding", "replacing"])
def either(request: pytest.FixtureRequest, plex: PlexSim) -> None:
    """Both readings of indexed tags (plex 4.4)."""
    plex.assumptions.replace_tags = request.param == "replacing"


@pytest.mark.usefixtures("either")
def test_collections_of_ours_are_removed_and_those_of_the_user_stay(bench: Bench) -> None:
    [item] = bench.stock(1)
    item.tag_list("collection").extend([Tag("Favourites"), Tag("Studio B")])
    sync(bench, studio="Studio A")
    assert sorted(item.tags("collection")) == ["Favourites", "Studio A", "Studio B"]
    sync(bench, studio="Studio B")
    assert sorted(item.tags("collection")) == ["Favourites", "Studio B"]
    for number in range(10):
        sync(bench, studio=f"Studio {number}")
    # "Studio B" was there before us: it is the user's, and stays although Stash had it for a while.
    assert sorted(item.tags("collection")) == ["Favourites", "Studio 9", "Studio B"]
    sync(bench, studio=None, details="something else")
    assert sorted(item.tags("collection")) == ["Favourites", "Studio B"]


def test_collection_is_recorded_as_ours_before_the_write(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)
    plex.faults.set(hang=True, hang_after=True, only="^PUT", times=1)
    bench.configure(bench.settings(read_timeout=1.0))
    sync(bench, studio="Short lived")
    assert item.tags("collection") == ["Short lived"]
    bench.live(30)
    sync(bench, studio="The next")
    assert item.tags("collection") == ["The next"]


def test_filtered_scene_is_left_as_it_is_in_plex(make_bench: MakeBench) -> None:
    bench = make_bench(exclude_tags="Private")
    [item] = bench.stock(1)
    sync(bench, tags=["a"])
    assert item.title == "Title 1"
    sync(bench, tags=["private", "b"], title="Never shown")
    assert (item.title, item.tags("genre")) == ("Title 1", ["a"])
    entry = bench.entry(1)
    assert entry.verdict is Verdict.FILTERED
    assert "Private" in entry.reason
    assert bench.rows() == {}


def test_actors_are_sent_in_the_order_of_stash_once(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)
    sync(bench, performers=["Bo", "Al"])
    assert item.tags("actor") == ["Bo", "Al"]
    sync(bench, performers=["Al", "Bo"])
    assert item.tags("actor") == ["Al", "Bo"]
    plex.assumptions.reorder_tags = False
    sync(bench, performers=["Bo", "Al"])
    puts = plex.puts
    sync(bench, performers=["Bo", "Al"])
    assert plex.puts == puts
    assert bench.entry(1).verdict is Verdict.UNCHANGED


def test_ledger_records_whether_metadata_was_written(bench: Bench) -> None:
    bench.stock(1)
    sync(bench, title="One")
    first = bench.entry(1)
    sync(bench, title="One")
    assert bench.entry(1).fingerprint == first.fingerprint != ""
    assert bench.entry(1).says
    sync(bench, title="Two")
    assert bench.entry(1).fingerprint != first.fingerprint


def test_left_out_tags_are_logged_once_per_write(make_bench: MakeBench, caplog: pytest.LogCaptureFixture) -> None:
    bench = make_bench(max_tags=1)
    bench.stock(1)
    caplog.set_level("INFO")
    sync(bench, tags=["b", "a"])
    sync(bench, tags=["b", "a"])
    assert caplog.text.count("2 tags, but Maximum tags is 1: 1 left out") == 1


# the way back


def state(item: Item) -> dict[str, Any]:
    return {
        "texts": (item.title, item.summary, item.studio, item.originally_available_at, item.tagline),
        "tags": {kind: sorted(item.tags(kind)) for kind in ("actor", "genre", "director", "collection", "label")},
        "rating": item.user_rating,
        "locks": set(item.locks),
        "pictures": {place: slot.selected and slot.selected.key for place, slot in item.images.items()},
    }


WHOLE: dict[str, Any] = {
    "details": "Words", "date": "2021-02", "rating100": 80, "performers": ["Al", "Bo"], "tags": ["x", "y"],
    "director": "Di", "studio": "Installation",
}  # fmt: skip


@pytest.mark.usefixtures("either")
def test_restored_item_is_as_before_including_locks(bench: Bench) -> None:
    [bare, rich] = bench.stock(1, 2)
    rich.title, rich.summary, rich.user_rating = "The user's", "Theirs", 3.0
    rich.tag_list("genre").extend([Tag("theirs"), Tag("x")])
    rich.tag_list("collection").extend([Tag("Installation"), Tag("Mine")])
    rich.locks.update({"title", "genre"})
    before = state(bare), state(rich)
    for scene_id in (1, 2):
        sync(bench, scene_id, **WHOLE)
        sync(bench, scene_id, **{**WHOLE, "studio": "Another installation", "tags": ["z"]})
    assert (state(bare), state(rich)) != before
    for scene_id in (1, 2):
        queue_manual_job(bench, scene_id, update_type=RESTORE, job_key=f"giveback_{scene_id}")
    assert (state(bare), state(rich)) == before
    assert bench.entry(1).verdict is Verdict.RESTORED
    assert bench.timestamps() == {}
    assert Snapshots(bench.db).count() == 0


def test_save_after_a_restore_writes_nothing_and_a_manual_sync_does(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)
    sync(bench, **WHOLE)
    queue_manual_job(bench, 1, update_type=RESTORE, job_key="giveback_1")
    puts = plex.puts
    sync(bench, **WHOLE)
    assert plex.puts == puts
    assert bench.entry(1).verdict is Verdict.RESTORED
    assert bench.rows() == {}
    queue_manual_job(bench, 1, by_hand=True)
    assert item.summary == "Words"
    sync(bench, **{**WHOLE, "details": "Ours again"})
    assert item.summary == "Ours again"


def test_save_folded_into_a_waiting_manual_sync_does_not_undo_it(bench: Bench) -> None:
    [item] = bench.stock(1)
    sync(bench, **WHOLE)
    queue_manual_job(bench, 1, update_type=RESTORE, job_key="giveback_1")
    bench.health.block("for the test")
    queue_manual_job(bench, 1, by_hand=True)
    bench.save(1)
    bench.health.block(None)
    bench.work()
    assert item.summary == "Words"


def test_restore_keeps_what_the_user_changed_in_other_fields(make_bench: MakeBench) -> None:
    bench = make_bench(sync_summary=False)
    [item] = bench.stock(1)
    sync(bench, **WHOLE)
    item.summary = "Written in Plex later"
    item.tag_list("collection").append(Tag("Made later"))
    queue_manual_job(bench, 1, update_type=RESTORE, job_key="giveback_1")
    assert item.summary == "Written in Plex later"
    assert item.tags("collection") == ["Made later"]


def test_restore_interrupted_by_an_outage_is_continued(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)
    before = state(item)
    sync(bench, **WHOLE)
    plex.faults.set(status=503, only="^PUT", times=1)
    queue_manual_job(bench, 1, update_type=RESTORE, job_key="giveback_1")
    assert bench.job(1)["update_type"] == RESTORE
    bench.live(60)
    assert state(item) == before


# pictures


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    with StashSim(tmp_path / "stash", library=generate(scenes=5)) as found:
        yield found


Cover = Callable[[int, bytes | None], object]


@pytest.fixture
def cover(bench: Bench, stash: StashSim) -> Iterator[Cover]:
    """Give a scene a cover in Stash; the worker fetches it from there."""
    with closing(StashClient({"Host": "127.0.0.1", "Port": stash.port, "SessionCookie": {"Value": ""}})) as client:
        bench.pipeline.pictures = PictureSync(functools.partial(fetch_cover, client), clock=lambda: START + 1e6)
        yield lambda scene_id, data: stash.store.scenes.change(scene_id, lambda row: setattr(row, "cover", data))


URL = "http://x/scene/1/screenshot?t=1"
PICTURED = {**WHOLE, "poster_url": URL, "background_url": URL}


def test_poster_and_background_are_uploaded_once(bench: Bench, stash: StashSim, plex: PlexSim, cover: Cover) -> None:
    cover(1, png())
    [item] = bench.stock(1, **PICTURED)
    bench.save(1)
    bench.work()
    assert [item.images[place].selected.data for place in ("thumb", "art")] == [png(), png()]  # type: ignore[union-attr]
    plex.reset_counters()
    stash.reset_counters()
    bench.save(1)
    bench.work()
    assert plex.counters == {"GET /library/metadata/{ids}": 1}
    assert not stash.counters


def test_failed_picture_is_retried_without_the_text(bench: Bench, plex: PlexSim, cover: Cover) -> None:
    cover(1, png())
    [item] = bench.stock(1, **PICTURED)
    plex.faults.set(status=500, only="^POST .*/arts")
    bench.save(1)
    bench.work()
    assert item.title == "Title 1"
    assert bench.entry(1).verdict is Verdict.WRITTEN
    assert 1 in bench.timestamps()
    assert bench.job(1)["images_only"]
    plex.faults.clear()
    plex.reset_counters()
    bench.live(30)
    assert (plex.puts, plex.counters["POST /library/metadata/{id}/arts"]) == (0, 1)
    assert "POST /library/metadata/{id}/posters" not in plex.counters
    assert bench.rows() == {}


def test_pictures_that_never_succeed_become_a_dead_letter_and_the_text_stands(bench: Bench, cover: Cover) -> None:
    def broken(url: str, etag: str) -> Any:
        raise ZeroDivisionError

    assert bench.pipeline.pictures is not None
    bench.pipeline.pictures.fetch = broken
    bench.stock(1, **PICTURED)
    bench.save(1)
    bench.live(1_200)
    assert bench.rows() == {}
    assert bench.dead_letters()[1]["detail"] == {"pictures": True}
    assert bench.entry(1).verdict is Verdict.UNCHANGED


def test_pictures_wait_for_stash_and_plex(bench: Bench, stash: StashSim, plex: PlexSim, cover: Cover) -> None:
    cover(1, png())
    [item] = bench.stock(1, **PICTURED)
    stash.faults.refuse()
    bench.save(1)
    bench.live(20)
    assert bench.job(1)["images_only"]
    stash.faults.accept()
    plex.faults.set(status=503, only="^(POST|GET .*/posters)", times=2)
    bench.live(200)
    assert bench.rows() == {}
    assert bench.breaker_state() is BreakerState.CLOSED
    assert item.images["thumb"].selected is not None
    assert item.images["thumb"].selected.data == png()


def test_restore_includes_pictures(bench: Bench, cover: Cover) -> None:
    cover(1, png())
    [item] = bench.stock(1, **PICTURED)
    for place in ("posters", "arts"):  # what the simulator makes when it is first asked for
        bench.pipeline.plex.client.get(f"/library/metadata/{item.rating_key}/{place}")
    before = state(item)
    bench.save(1)
    bench.work()
    assert state(item) != before
    queue_manual_job(bench, 1, update_type=RESTORE, job_key="giveback_1")
    assert state(item) == before

"""Jobs about performers, studios, tags and groups, and the scenes that take their place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.jobs import PRIORITY_BULK, PRIORITY_SCAN, new_entity_job, new_job
from sandbox.library import generate
from sandbox.stash import StashSim
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashUnreachable
from stash.entities import PAGE_SIZE
from sync_queue.setup import set_up
from sync_queue.store import Claimed, JobStore
from sync_queue.writer import QueueWriter, queue_dir
from tests.stash.test_client import connection
from tests.sync_queue.support import rows, waiting
from tests.worker.support import START, Bench, Clock
from worker.entity_expansion import RETRY_WITHOUT_STASH_S, EntityExpansion, levels_below

pytestmark = pytest.mark.integration


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    """A Stash with thirty scenes."""
    with StashSim(tmp_path / "stash", library=generate(scenes=30)) as found:
        yield found


class Desk:
    """A queue, the hand that expands it, and what was told."""

    def __init__(self, folder: Path, stash: Any, clock: Clock, **options: Any) -> None:
        self.data_dir = str(folder)
        set_up(self.data_dir)
        self.clock = clock
        self.store = JobStore(queue_dir(self.data_dir))
        self.told: list[tuple[str, str]] = []
        self.tags_edited = 0
        self.config = Stash2PlexConfig()
        self.entities = EntityExpansion(
            self.store,
            stash,
            clock=clock,
            share=lambda: 1.0,
            tell=lambda *one: self.told.append(one),
            tags_edited=self._count,
            **options,
        )

    def _count(self) -> None:
        self.tags_edited += 1

    def put(self, *jobs: dict[str, Any]) -> None:
        """Queue jobs as a hook does."""
        with closing(QueueWriter(queue_dir(self.data_dir))) as writer:
            for job in jobs:
                writer.fold(json.dumps(job), job["job_key"])

    def edit(self, *keys: str) -> None:
        """Queue entities by their keys."""
        for key in keys:
            kind, number = key.split("_")
            self.put(new_entity_job(kind, int(number), priority=1, now=self.clock()))

    def work(self, limit: int = 20) -> list[Claimed]:
        """One batch; gives the rows that are left to be worked on."""
        return self.entities.expand(self.store.claim(limit, self.clock()), self.config)

    def queued(self) -> list[str]:
        """The keys that wait, in the order of their rows."""
        return [job["job_key"] for job in waiting(self.data_dir)]


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash))) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, client: StashClient, clock: Clock) -> Iterator[Desk]:
    """A desk that turns pages of three."""
    made = Desk(tmp_path / "data", client, clock, page_size=3)
    yield made
    made.store.close()


def on(stash: StashSim, performer: int) -> list[str]:
    """The keys of a performer's scenes."""
    return [f"scene_{scene.id}" for scene in stash.scenes if performer in scene.performer_ids]


def well_known(stash: StashSim) -> int:
    """A performer with at least seven scenes, not a multiple of three."""
    return next(p.id for p in stash.store.performers if len(on(stash, p.id)) > 6 and len(on(stash, p.id)) % 3)


def test_an_entity_becomes_its_scenes_page_by_page(stash: StashSim, desk: Desk) -> None:
    performer = well_known(stash)
    wanted = on(stash, performer)
    desk.edit(f"performer_{performer}")
    for turned in range(1, len(wanted) // 3 + 1):
        assert desk.work() == []
        assert desk.queued() == [f"performer_{performer}", *wanted[: 3 * turned]]
    desk.work()
    assert desk.queued() == wanted
    assert stash.counters["graphql"] == len(wanted) // 3 + 1
    assert all(
        job == new_job(job["scene_id"], "metadata", {}, priority=PRIORITY_BULK, now=START)
        for job in waiting(desk.data_dir)
    )


def test_a_save_goes_between_two_pages(stash: StashSim, desk: Desk) -> None:
    performer = well_known(stash)
    desk.edit(f"performer_{performer}")
    desk.work()
    desk.put(new_job(99, "metadata", {}, priority=0, now=START))
    assert [row.job.scene_id for row in desk.work()] == [99]


def test_of_a_mixed_batch_the_scenes_are_left(stash: StashSim, desk: Desk) -> None:
    scanned = [new_job(number, "metadata", {}, priority=1, now=START) for number in (50, 60)]
    desk.put(scanned[0])
    desk.edit("performer_1", "studio_1", "tag_1", "group_1", "tag_9999")
    desk.put(scanned[1])
    assert [row.job.scene_id for row in desk.work()] == [50, 60]
    assert stash.counters["graphql"] == 1
    assert "tag_9999" not in desk.queued()
    assert len([row for row in rows(desk.data_dir) if row.status == 2]) == 2


def test_a_batch_without_entities_asks_nothing(stash: StashSim, desk: Desk) -> None:
    desk.put(new_job(1, "metadata", {}, priority=0, now=START))
    assert [row.job.scene_id for row in desk.work()] == [1]
    assert stash.counters["graphql"] == 0


def test_that_tags_were_edited_is_said_once_before_their_scenes_come(stash: StashSim, desk: Desk) -> None:
    tag = max(stash.store.tags, key=lambda tag: sum(tag.id in scene.tag_ids for scene in stash.scenes)).id
    desk.edit("performer_1")
    desk.work(1)
    assert desk.tags_edited == 0
    desk.edit(f"tag_{tag}")
    while any(key.startswith(("tag", "performer")) for key in desk.queued()):
        desk.work()
    assert desk.tags_edited == 1


@pytest.mark.parametrize("pages_before", [0, 1, 2])
def test_killed_between_any_two_pages_every_scene_is_queued(
    tmp_path: Path, stash: StashSim, client: StashClient, desk: Desk, clock: Clock, pages_before: int
) -> None:
    performer = well_known(stash)
    desk.edit(f"performer_{performer}")
    for _ in range(pages_before):
        desk.work()
    assert len(desk.store.claim(1, clock())) == 1  # and gone
    successor = Desk(tmp_path / "data", client, clock, page_size=3)
    assert successor.store.resume() == 1
    while any(key.startswith("performer") for key in successor.queued()):
        successor.work(1)
    assert successor.queued() == on(stash, performer)
    successor.store.close()


def test_killed_amid_a_page_nothing_of_it_is_lost(
    stash: StashSim, desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    performer = well_known(stash)
    desk.edit(f"performer_{performer}")

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "expand", full)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            desk.work()
    assert [row.status for row in rows(desk.data_dir)] == [2]
    desk.store.resume()
    while desk.work(1) == [] and any(key.startswith("performer") for key in desk.queued()):
        pass
    assert desk.queued() == on(stash, performer)


def test_without_a_stash_it_waits_for_a_worker_that_has_one(tmp_path: Path, clock: Clock) -> None:
    desk = Desk(tmp_path / "data", None, clock)
    desk.edit("performer_1")
    desk.put(new_job(5, "metadata", {}, priority=1, now=START))
    assert [row.job.scene_id for row in desk.work()] == [5]
    assert desk.store.claim(1, clock()) == []
    assert desk.store.next_due() == START + RETRY_WITHOUT_STASH_S
    desk.store.close()


def test_where_stash_does_not_answer_the_rows_are_still_claimed(stash: StashSim, desk: Desk) -> None:
    desk.edit("performer_1")
    stash.stop()
    with pytest.raises(StashUnreachable):
        desk.work()
    assert [row.status for row in rows(desk.data_dir)] == [2]
    assert desk.told == []


class Puzzled:
    """A Stash over stashapp-tools that answers with errors."""

    def find_scenes(self, **_: object) -> list[dict[str, str]]:
        from stash.client import StashQueryError

        raise StashQueryError("Stash answered: database is locked")


def test_what_stash_cannot_answer_is_asked_again_and_given_up_with_a_word(tmp_path: Path, clock: Clock) -> None:
    desk = Desk(tmp_path / "data", Puzzled(), clock)
    desk.edit("performer_1")
    for tries in range(1, 6):
        assert desk.work() == []
        (job,) = waiting(desk.data_dir)
        assert (job["retry_count"], job["last_error_type"]) == (tries, "StashQueryError")
        assert desk.store.claim(1, clock()) == []
        clock.now = job["next_retry_at"]
        assert desk.told == []
    desk.work()
    assert rows(desk.data_dir) == []
    ((level, text),) = desk.told
    assert level == "warning"
    assert text.startswith(
        "Performer 1 was edited, but its scenes could not be listed: Stash answered: database is locked"
    )
    desk.store.close()


@pytest.mark.parametrize(
    ("kind", "settings", "depth"),
    [
        ("performer", {"collections": "parent_studio", "ignore_tags": "a/*"}, 0),
        ("group", {"collections": "parent_studio", "ignore_tags": "a/*"}, 0),
        ("studio", {}, 0),
        ("studio", {"collections": "studio, parent_studio"}, 1),
        ("studio", {"collections": "parent_studio", "sync_collection": False}, 0),
        ("tag", {}, 0),
        ("tag", {"ignore_tags": "a, b"}, 0),
        ("tag", {"ignore_tags": "a, b/*"}, -1),
        ("tag", {"include_tags": "12/*"}, -1),
        ("tag", {"exclude_tags": "b/*"}, -1),
        ("tag", {"collections": "studio, tag(b/*)"}, -1),
    ],
)
def test_how_far_below_a_change_shows(kind: str, settings: dict[str, Any], depth: int) -> None:
    assert levels_below(kind, Stash2PlexConfig.from_settings(settings)) == depth


def test_what_lies_below_is_queued_where_the_settings_say_so(stash: StashSim, desk: Desk) -> None:
    tag = "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { id } }"
    stash.gql(tag, {"i": {"id": "2", "parent_ids": ["1"]}})
    child = [scene.id for scene in stash.scenes if 2 in scene.tag_ids and 1 not in scene.tag_ids]
    assert child
    desk.entities._page_size = PAGE_SIZE
    desk.edit("tag_1")
    desk.work()
    assert not {f"scene_{number}" for number in child} & set(desk.queued())
    desk.config = Stash2PlexConfig.from_settings({"ignore_tags": "Outdoor/*"})
    desk.edit("tag_1")
    desk.work()
    assert {f"scene_{number}" for number in child} <= set(desk.queued())


# in the loop


class Listed:
    """A Stash over stashapp-tools in which every performer is on the same two scenes."""

    def __init__(self) -> None:
        self.asked = 0

    def find_scenes(self, **_: object) -> list[dict[str, str]]:
        self.asked += 1
        return [{"id": "1"}, {"id": "2"}]


def edited(bench: Bench, stash: Any) -> None:
    """A performer was edited; behind it a scene was scanned."""
    bench.dispatcher._entities = EntityExpansion(bench.store, stash, clock=bench.clock)
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        job = new_entity_job("performer", 7, priority=1, now=bench.clock())
        writer.fold(json.dumps(job), job["job_key"])
    bench.enqueue(3, priority=PRIORITY_SCAN)


def test_an_edit_is_worked_off_to_its_last_scene(bench: Bench) -> None:
    items = bench.stock(1, 2, 3)
    edited(bench, Listed())
    bench.work()
    assert [item.title for item in items] == ["Title 1", "Title 2", "Title 3"]
    assert rows(bench.data_dir) == []
    # first the settings, then what was scanned, then what the edit brought
    assert bench.reads == [[], [3], [1, 2]]


def test_a_pause_that_shows_only_now_keeps_the_edit(bench: Bench) -> None:
    stash = Listed()
    edited(bench, stash)
    bench.pause()
    bench.work()
    assert [job["job_key"] for job in waiting(bench.data_dir)] == ["performer_7", "scene_3"]
    assert stash.asked == 0


def test_where_stash_goes_away_amid_a_batch_neither_edit_nor_scan_is_lost(bench: Bench) -> None:
    bench.stock(1, 2, 3)
    edited(bench, Listed())
    bench.dispatcher._entities._page_size = 2  # so that the edit goes on behind scene 2

    def away(scene_ids: list[int]) -> None:
        if scene_ids:
            raise StashUnreachable

    bench.on_read = away
    with pytest.raises(StashUnreachable):
        bench.work()
    found = waiting(bench.data_dir)
    assert [job["job_key"] for job in found] == ["performer_7", "scene_3", "scene_1", "scene_2"]
    assert found[0]["after"] == 2


def test_a_worker_without_a_stash_is_not_kept_busy_by_an_edit(bench: Bench) -> None:
    [item] = bench.stock(3)
    edited(bench, None)
    bench.work()
    assert item.title == "Title 3"
    assert bench.store.next_due() == START + RETRY_WITHOUT_STASH_S

"""Jobs about performers, studios, tags and groups, and the scenes queued in their place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.job_rows import PRIORITY_BULK, PRIORITY_SCAN, new_entity_job, new_job
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


class ExpansionBench:
    """A queue, its expansion, and what was told."""

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
            notify=lambda *one: self.told.append(one),
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
        """Expand one batch, and return the rows that are left."""
        return self.entities.expand(self.store.claim(limit, self.clock()), self.config)

    def queued(self) -> list[str]:
        """Return the waiting keys in the order of their rows."""
        return [job["job_key"] for job in waiting(self.data_dir)]


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash))) as found:
        yield found


@pytest.fixture
def expansion(tmp_path: Path, client: StashClient, clock: Clock) -> Iterator[ExpansionBench]:
    """A expansion that turns pages of three."""
    made = ExpansionBench(tmp_path / "data", client, clock, page_size=3)
    yield made
    made.store.close()


def scene_keys_of(stash: StashSim, performer: int) -> list[str]:
    """The keys of a performer's scenes."""
    return [f"scene_{scene.id}" for scene in stash.scenes if performer in scene.performer_ids]


def well_known(stash: StashSim) -> int:
    """A performer with at least seven scenes, not a multiple of three."""
    return next(
        p.id
        for p in stash.store.performers
        if len(scene_keys_of(stash, p.id)) > 6 and len(scene_keys_of(stash, p.id)) % 3
    )


def test_entity_job_queues_its_scenes_page_by_page(stash: StashSim, expansion: ExpansionBench) -> None:
    performer = well_known(stash)
    wanted = scene_keys_of(stash, performer)
    expansion.edit(f"performer_{performer}")
    for turned in range(1, len(wanted) // 3 + 1):
        assert expansion.work() == []
        assert expansion.queued() == [f"performer_{performer}", *wanted[: 3 * turned]]
    expansion.work()
    assert expansion.queued() == wanted
    assert stash.counters["graphql"] == len(wanted) // 3 + 1
    assert all(
        job == new_job(job["scene_id"], "metadata", {}, priority=PRIORITY_BULK, now=START)
        for job in waiting(expansion.data_dir)
    )


def test_save_is_claimed_between_two_pages_of_an_entity(stash: StashSim, expansion: ExpansionBench) -> None:
    performer = well_known(stash)
    expansion.edit(f"performer_{performer}")
    expansion.work()
    expansion.put(new_job(99, "metadata", {}, priority=0, now=START))
    assert [row.job.scene_id for row in expansion.work()] == [99]


def test_expand_returns_the_rows_of_scenes(stash: StashSim, expansion: ExpansionBench) -> None:
    scanned = [new_job(number, "metadata", {}, priority=1, now=START) for number in (50, 60)]
    expansion.put(scanned[0])
    expansion.edit("performer_1", "studio_1", "tag_1", "group_1", "tag_9999")
    expansion.put(scanned[1])
    assert [row.job.scene_id for row in expansion.work()] == [50, 60]
    assert stash.counters["graphql"] == 1
    assert "tag_9999" not in expansion.queued()
    assert len([row for row in rows(expansion.data_dir) if row.status == 2]) == 2


def test_expand_without_entities_sends_no_request(stash: StashSim, expansion: ExpansionBench) -> None:
    expansion.put(new_job(1, "metadata", {}, priority=0, now=START))
    assert [row.job.scene_id for row in expansion.work()] == [1]
    assert stash.counters["graphql"] == 0


def test_edited_tag_discards_the_tag_hierarchy_once(stash: StashSim, expansion: ExpansionBench) -> None:
    tag = max(stash.store.tags, key=lambda tag: sum(tag.id in scene.tag_ids for scene in stash.scenes)).id
    expansion.edit("performer_1")
    expansion.work(1)
    assert expansion.tags_edited == 0
    expansion.edit(f"tag_{tag}")
    while any(key.startswith(("tag", "performer")) for key in expansion.queued()):
        expansion.work()
    assert expansion.tags_edited == 1


@pytest.mark.parametrize("pages_before", [0, 1, 2])
def test_expansion_killed_between_two_pages_queues_every_scene(
    tmp_path: Path, stash: StashSim, client: StashClient, expansion: ExpansionBench, clock: Clock, pages_before: int
) -> None:
    performer = well_known(stash)
    expansion.edit(f"performer_{performer}")
    for _ in range(pages_before):
        expansion.work()
    assert len(expansion.store.claim(1, clock())) == 1  # and gone
    successor = ExpansionBench(tmp_path / "data", client, clock, page_size=3)
    assert successor.store.resume() == 1
    while any(key.startswith("performer") for key in successor.queued()):
        successor.work(1)
    assert successor.queued() == scene_keys_of(stash, performer)
    successor.store.close()


def test_expansion_killed_during_a_page_loses_nothing(
    stash: StashSim, expansion: ExpansionBench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    performer = well_known(stash)
    expansion.edit(f"performer_{performer}")

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(expansion.store, "expand", full)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            expansion.work()
    assert [row.status for row in rows(expansion.data_dir)] == [2]
    expansion.store.resume()
    while expansion.work(1) == [] and any(key.startswith("performer") for key in expansion.queued()):
        pass
    assert expansion.queued() == scene_keys_of(stash, performer)


def test_entity_job_without_stash_waits_for_another_worker(tmp_path: Path, clock: Clock) -> None:
    expansion = ExpansionBench(tmp_path / "data", None, clock)
    expansion.edit("performer_1")
    expansion.put(new_job(5, "metadata", {}, priority=1, now=START))
    assert [row.job.scene_id for row in expansion.work()] == [5]
    assert expansion.store.claim(1, clock()) == []
    assert expansion.store.next_due() == START + RETRY_WITHOUT_STASH_S
    expansion.store.close()


def test_expand_with_stash_unreachable_leaves_the_rows_claimed(stash: StashSim, expansion: ExpansionBench) -> None:
    expansion.edit("performer_1")
    stash.stop()
    with pytest.raises(StashUnreachable):
        expansion.work()
    assert [row.status for row in rows(expansion.data_dir)] == [2]
    assert expansion.told == []


class Puzzled:
    """A Stash over stashapp-tools that answers with errors."""

    def find_scenes(self, **_: object) -> list[dict[str, str]]:
        from stash.client import StashQueryError

        raise StashQueryError("Stash answered: database is locked")


def test_entity_that_stash_cannot_list_is_retried_and_given_up_with_a_warning(tmp_path: Path, clock: Clock) -> None:
    expansion = ExpansionBench(tmp_path / "data", Puzzled(), clock)
    expansion.edit("performer_1")
    for tries in range(1, 6):
        assert expansion.work() == []
        (job,) = waiting(expansion.data_dir)
        assert (job["retry_count"], job["last_error_type"]) == (tries, "StashQueryError")
        assert expansion.store.claim(1, clock()) == []
        clock.now = job["next_retry_at"]
        assert expansion.told == []
    expansion.work()
    assert rows(expansion.data_dir) == []
    ((level, text),) = expansion.told
    assert level == "warning"
    assert text.startswith(
        "Performer 1 was edited, but its scenes could not be listed: Stash answered: database is locked"
    )
    expansion.store.close()


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
def test_levels_below_depend_on_the_settings(kind: str, settings: dict[str, Any], depth: int) -> None:
    assert levels_below(kind, Stash2PlexConfig.from_settings(settings)) == depth


def test_scenes_below_an_entity_are_queued_if_the_settings_say_so(stash: StashSim, expansion: ExpansionBench) -> None:
    tag = "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { id } }"
    stash.gql(tag, {"i": {"id": "2", "parent_ids": ["1"]}})
    child = [scene.id for scene in stash.scenes if 2 in scene.tag_ids and 1 not in scene.tag_ids]
    assert child
    expansion.entities._page_size = PAGE_SIZE
    expansion.edit("tag_1")
    expansion.work()
    assert not {f"scene_{number}" for number in child} & set(expansion.queued())
    expansion.config = Stash2PlexConfig.from_settings({"ignore_tags": "Outdoor/*"})
    expansion.edit("tag_1")
    expansion.work()
    assert {f"scene_{number}" for number in child} <= set(expansion.queued())


# in the loop


class Listed:
    """A Stash over stashapp-tools in which every performer is on the same two scenes."""

    def __init__(self) -> None:
        self.asked = 0

    def find_scenes(self, **_: object) -> list[dict[str, str]]:
        self.asked += 1
        return [{"id": "1"}, {"id": "2"}]


def queue_edited_performer(bench: Bench, stash: Any) -> None:
    """Queue an edited performer, and a scanned scene behind it."""
    bench.dispatcher._entities = EntityExpansion(bench.store, stash, clock=bench.clock)
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        job = new_entity_job("performer", 7, priority=1, now=bench.clock())
        writer.fold(json.dumps(job), job["job_key"])
    bench.enqueue(3, priority=PRIORITY_SCAN)


def test_entity_job_is_processed_to_its_last_scene(bench: Bench) -> None:
    items = bench.stock(1, 2, 3)
    queue_edited_performer(bench, Listed())
    bench.work()
    assert [item.title for item in items] == ["Title 1", "Title 2", "Title 3"]
    assert rows(bench.data_dir) == []
    # first the settings, then what was scanned, then what the edit brought
    assert bench.reads == [[], [3], [1, 2]]


def test_pause_found_before_the_expansion_keeps_the_entity_job(bench: Bench) -> None:
    stash = Listed()
    queue_edited_performer(bench, stash)
    bench.pause()
    bench.work()
    assert [job["job_key"] for job in waiting(bench.data_dir)] == ["performer_7", "scene_3"]
    assert stash.asked == 0


def test_stash_lost_during_a_batch_keeps_entity_and_scene_jobs(bench: Bench) -> None:
    bench.stock(1, 2, 3)
    queue_edited_performer(bench, Listed())
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


def test_worker_without_stash_postpones_entity_jobs(bench: Bench) -> None:
    [item] = bench.stock(3)
    queue_edited_performer(bench, None)
    bench.work()
    assert item.title == "Title 3"
    assert bench.store.next_due() == START + RETRY_WITHOUT_STASH_S

"""Passes over a real queue and a real Plex: order, superseded rows, and what only the user can fix."""

from __future__ import annotations

import sqlite3

import pytest

from common.job_rows import PRIORITY_SAVE, PRIORITY_SCAN
from common.scene import SceneFile
from common.verdicts import Verdict
from plex.exceptions import PlexTokenRefused
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from stash.client import StashUnreachable
from stash.scenes import Scene
from sync_queue.job import RetryState
from tests.worker.conftest import MakeBench
from tests.worker.support import START, Bench, Clock, scene
from worker.circuit_breaker import BreakerState

pytestmark = pytest.mark.integration


def test_waiting_job_is_written_recorded_and_finished(bench: Bench) -> None:
    [item] = bench.stock(1, tags=["a", "b"], details="Words")
    bench.save(1)
    assert bench.work()
    assert (item.title, item.summary, item.tags("genre")) == ("Title 1", "Words", ["a", "b"])
    assert bench.rows() == {}
    assert bench.entry(1).verdict is Verdict.WRITTEN
    assert bench.timestamps() == {1: START - 60}
    assert bench.dispatcher.written == 1
    assert not bench.work()


def test_batch_costs_one_stash_read_two_plex_reads_and_one_put_per_scene(bench: Bench, plex: PlexSim) -> None:
    bench.stock(0)
    bench.save(0)
    bench.work()
    bench.stock(*range(1, 16))
    bench.clock.sleep(60)
    plex.reset_counters()
    bench.reads.clear()
    bench.enqueue(*range(1, 16))
    bench.work()
    assert [len(batch) for batch in bench.reads] == [15]
    assert plex.puts == 15
    assert plex.counters["GET /library/metadata/{ids}"] == 2
    assert plex.counters["GET /"] == plex.counters["GET /library/sections"] == 0
    assert plex.hidden_reloads == 0


def test_unchanged_scene_costs_no_put_and_counts_as_synced(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    bench.save(1)
    bench.work()
    bench.scenes[1] = scene(1, updated_at=START + 5)
    bench.save(1)
    bench.work()
    assert plex.puts == 1
    assert bench.entry(1).verdict is Verdict.UNCHANGED
    assert bench.timestamps() == {1: START + 5}
    assert bench.dispatcher.written == 1


def test_bulk_rows_are_claimed_in_batches_of_twenty(bench: Bench) -> None:
    bench.stock(*range(50))
    bench.enqueue(*range(50))
    bench.work()
    assert [len(batch) for batch in bench.reads] == [20, 20, 10]
    assert bench.dispatcher.written == 50


def test_most_urgent_jobs_are_processed_first(bench: Bench) -> None:
    bench.stock(1, 2, 3)
    bench.enqueue(1)
    bench.enqueue(2, priority=PRIORITY_SCAN)
    bench.enqueue(3, priority=PRIORITY_SAVE)
    bench.work()
    assert bench.titles_written() == ["Title 3", "Title 2", "Title 1"]


def test_save_during_a_bulk_is_written_next(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 11), 99)
    bench.enqueue(*range(1, 11))
    pending = [99]
    plex.on_write = lambda item: bench.save(pending.pop()) if pending else None
    bench.work()
    assert bench.titles_written()[:3] == ["Title 1", "Title 99", "Title 2"]
    assert len(bench.titles_written()) == 11
    assert bench.rows() == {}


@pytest.mark.parametrize("saved", [1, 2, 5], ids=["the one being written", "the next", "the last"])
def test_save_of_a_scene_in_the_running_batch_replaces_its_older_state(bench: Bench, plex: PlexSim, saved: int) -> None:
    items = bench.stock(*range(1, 6))
    bench.enqueue(*range(1, 6))
    pending = [saved]

    def save_during_write(item: Item) -> None:
        if pending:
            bench.scenes[saved] = scene(saved, title="Newest", updated_at=START + 10)
            bench.save(pending.pop())

    plex.on_write = save_during_write
    bench.work()
    assert items[saved - 1].title == "Newest"
    titles = bench.titles_written()
    assert titles.index("Newest") == 1
    assert f"Title {saved}" not in titles[1:]
    assert [item.title for number, item in enumerate(items, 1) if number != saved] == [
        f"Title {number}" for number in range(1, 6) if number != saved
    ]
    assert bench.rows() == {}
    assert bench.timestamps()[saved] == START + 10
    assert bench.entry(saved).updated_at == START + 10


def test_save_during_an_outage_keeps_its_row_and_drops_the_older_bulk_row(bench: Bench, plex: PlexSim) -> None:
    [_, item] = bench.stock(1, 2)
    bench.enqueue(1, 2)
    pending = [2]

    def save_during_write(written: Item) -> None:
        if pending:
            bench.scenes[2] = scene(2, title="Newest")
            bench.save(pending.pop())
            plex.faults.set(status=500, only="^PUT", times=1)

    plex.on_write = save_during_write
    bench.work()
    assert item.title != "Newest"
    assert bench.job(2)["priority"] == PRIORITY_SAVE
    bench.live(10)
    assert item.title == "Newest"
    assert "Title 2" not in bench.titles_written()
    assert bench.rows() == {}


def test_superseded_row_is_dropped_before_the_write(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2)
    bench.enqueue(1, 2)
    pending = [2]
    plex.on_write = lambda item: bench.enqueue(pending.pop()) if pending else None
    bench.work()
    assert bench.reads == [[1, 2], [2]]
    assert bench.titles_written() == ["Title 1", "Title 2"]
    assert bench.rows() == {}


def test_scene_gone_from_stash_leaves_no_records(bench: Bench) -> None:
    bench.stock(1)
    bench.save(1)
    bench.work()
    bench.dlq.add({"job_key": "scene_1", "scene_id": 1}, ValueError("old"))
    del bench.scenes[1]
    bench.save(1)
    bench.work()
    assert bench.timestamps() == {}
    assert bench.dead_letters() == {}
    assert bench.rows() == {}
    assert bench.dispatcher.written == 1


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Scene(1, None, [], START), "no file"),
        (scene(1, studio=None, title="Only a title", rating100=80), "none of studio"),
    ],
    ids=["no file", "says nothing"],
)
def test_scene_without_metadata_is_gated_without_a_request_to_plex(
    bench: Bench, plex: PlexSim, found: Scene, why: str
) -> None:
    item = bench.item(1)
    bench.scenes[1] = found
    bench.save(1)
    bench.work()
    assert bench.entry(1).verdict is Verdict.GATED
    assert why in bench.entry(1).reason
    assert bench.timestamps() == {}
    assert item.title == "1"
    assert not plex.counters
    assert bench.rows() == {}


def test_stop_returns_unwritten_rows_to_the_queue(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 11))
    bench.enqueue(*range(1, 11))

    def stop_after_three(item: Item) -> None:
        bench.stopped = len(plex.writes) >= 3

    plex.on_write = stop_after_three
    bench.work()
    assert len(bench.titles_written()) == 3
    assert sorted(bench.rows()) == list(range(4, 11))
    assert all(status < 2 for status, _ in bench.rows().values())
    assert sorted(bench.timestamps()) == [1, 2, 3]
    bench.stopped, plex.on_write = False, None
    bench.work()
    assert len(bench.titles_written()) == 10


def test_unreachable_stash_returns_the_rows_unchanged(bench: Bench) -> None:
    bench.stock(1, 2)
    bench.save(1, 2)

    def away(scene_ids: list[int]) -> None:
        raise StashUnreachable("Stash does not answer")

    bench.on_read = away
    with pytest.raises(StashUnreachable):
        bench.work()
    assert all((status, job.get("retry_count")) == (1, None) for status, job in bench.rows().values())
    bench.on_read = lambda scene_ids: None
    bench.work()
    assert bench.dispatcher.written == 2


def test_pause_found_in_the_answer_keeps_the_rows_unwritten(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    bench.save(1)
    bench.pause()
    bench.work()
    assert bench.attention() == "Stash2Plex is paused: Enabled is off in its settings. Saves are queued"
    assert not plex.counters
    assert bench.job(1).get("retry_count") is None
    assert not bench.work()
    assert len(bench.reads) == 1
    bench.config = bench.settings()
    bench.health.block(None)
    assert bench.attention() is None
    bench.work()
    assert bench.titles_written() == ["Title 1"]


def test_refused_token_blocks_and_costs_no_tries(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 31))
    bench.enqueue(*range(1, 31))
    plex.identity.token = "another"
    bench.work()
    assert bench.health.blocked is not None
    assert "does not accept the token" in (bench.attention() or "")
    assert bench.dead_letters() == {}
    assert len(bench.rows()) == 30
    assert all(not job.get("retry_count") for _, job in bench.rows().values())
    plex.reset_counters()
    bench.live(3_600)
    assert not plex.counters
    bench.health.probe()
    assert plex.counters["GET /"] == 1
    assert "does not accept the token" in (bench.attention() or "")
    plex.identity.token = plex.token
    bench.health.probe()
    assert bench.health.blocked is None
    assert bench.attention() is None
    bench.live(60)
    assert len(bench.titles_written()) == 30
    assert bench.rows() == {}


def test_token_refused_during_a_batch_makes_no_dead_letter(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 6))
    bench.enqueue(*range(1, 6))
    plex.on_write = lambda item: plex.faults.set(status=401)
    bench.work()
    assert len(bench.titles_written()) == 1
    assert bench.dead_letters() == {}
    assert len(bench.rows()) == 5, "the first was written, but could not be verified"
    assert isinstance(bench.health.blocked, str)
    plex.on_write = None
    plex.faults.clear()
    bench.health.probe()
    bench.live(60)
    assert bench.rows() == {}
    assert sorted(bench.timestamps()) == [1, 2, 3, 4, 5]


def test_missing_library_blocks_and_is_named(make_bench: MakeBench) -> None:
    bench = make_bench(plex_library="Nowhere")
    bench.stock(1)
    bench.save(1)
    bench.work()
    assert "'Nowhere' is not on the server. There are: Scenes" in (bench.attention() or "")
    assert bench.dead_letters() == {}
    bench.configure(bench.settings(plex_library="scenes"))
    bench.health.probe()
    bench.live(10)
    assert bench.titles_written() == ["Title 1"]


def test_probe_of_an_unreachable_plex_unblocks_and_starts_an_outage(bench: Bench, plex: PlexSim) -> None:
    bench.health.block("a reason")
    plex.faults.refuse()
    bench.health.probe()
    assert bench.health.blocked is None
    assert "is waiting for Plex" in (bench.attention() or "")
    plex.faults.accept()
    bench.health.probe()
    assert bench.attention() is None


def test_scene_that_plex_refuses_becomes_a_dead_letter_and_others_go_on(bench: Bench, plex: PlexSim) -> None:
    items = bench.stock(1, 2, 3)
    bench.scenes[2] = scene(2, rating100=150, details="Words")  # more than Plex takes
    bench.enqueue(1, 2, 3)
    bench.work()
    assert [item.title for item in items] == ["Title 1", "2", "Title 3"]
    dead_letter = bench.dead_letters()[2]
    assert dead_letter["error_type"] == "PlexPermanentError"
    assert "Plex refused: (400)" in dead_letter["message"]
    assert dead_letter["attempts"] == 1
    assert dead_letter["detail"]["scene"]["details"] == "Words"
    assert dead_letter["detail"]["files"] == [{"path": "/data/2.mp4", "size": 1, "duration": 1.0}]
    assert dead_letter["job"]["scene_id"] == 2
    assert bench.entry(2).verdict is Verdict.FAILED
    assert sorted(bench.timestamps()) == [1, 3]
    assert bench.rows() == {}
    assert bench.health.breaker.state is BreakerState.CLOSED
    assert [text for level, text in bench.told if level == "warning" and "Scene 2 was given up" in text]
    bench.scenes[2] = scene(2, rating100=100)
    bench.save(2)
    bench.work()
    assert bench.dead_letters() == {}
    assert bench.entry(2).verdict is Verdict.WRITTEN


def test_job_without_stash_uses_its_own_data_and_fails_without_a_path(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = bench.item(1)
    monkeypatch.setattr(bench, "read_scenes", lambda scene_ids: None)
    bench.enqueue(1, data={"path": "/data/1.mp4", "title": "From the job", "studio": "S"})
    bench.enqueue(2, data={"title": "No path", "studio": "S"})
    bench.work()
    assert item.title == "From the job"
    assert bench.dead_letters()[2]["error_type"] == "PermanentError"
    assert "no path" in bench.dead_letters()[2]["message"]


def test_wait_ends_at_a_new_row_or_after_the_longest_time(bench: Bench, clock: Clock) -> None:
    bench.work()
    assert not bench.dispatcher.wait(45.0, lambda: False)
    assert START + 45 <= clock() < START + 46
    polls: list[float] = []

    def sleep(seconds: float) -> None:
        polls.append(seconds)
        clock.sleep(seconds)
        if len(polls) == 3:
            bench.save(1)

    bench.dispatcher._watch._sleep = sleep
    assert bench.dispatcher.wait(600.0, lambda: False)
    assert len(polls) == 3


def test_wait_polls_often_after_a_change_and_seldom_otherwise(bench: Bench, clock: Clock) -> None:
    polls: list[float] = []

    def sleep(seconds: float) -> None:
        polls.append(seconds)
        clock.sleep(seconds)

    bench.work()
    bench.dispatcher._watch._sleep = sleep
    bench.dispatcher.wait(60.0, lambda: False)
    assert set(polls[:250]) == {0.1}
    assert polls[-2] == 0.5
    assert len(polls) < 400


def test_wait_ends_when_a_row_falls_due(bench: Bench, plex: PlexSim, clock: Clock) -> None:
    bench.scenes[1] = scene(1)
    bench.save(1)
    bench.work()
    due = bench.job(1)["next_retry_at"]
    assert not bench.dispatcher.wait(600.0, lambda: False) or not bench.dispatcher.wait(600.0, lambda: False)
    assert due <= clock() < due + 1


def test_full_disk_keeps_the_rows_and_writes_once(bench: Bench, plex: PlexSim) -> None:
    items = bench.stock(1, 2)
    # more than the file's free pages hold
    bench.scenes[2].files.extend(SceneFile(f"/data/filler {filler}/{'x' * 200}") for filler in range(100))
    bench.save(1, 2)
    bench.db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError):
        bench.work()
    assert [item.title for item in items] == ["Title 1", "Title 2"]
    assert all(status < 2 and not job.get("retry_count") for status, job in bench.rows().values())
    assert sorted(bench.rows()) == [1, 2]
    assert bench.timestamps() == {}
    bench.db.execute("PRAGMA max_page_count = 1000000")
    bench.work()
    assert bench.rows() == {}
    assert sorted(bench.timestamps()) == [1, 2]
    assert bench.entry(1).verdict is Verdict.UNCHANGED
    assert plex.puts == 2


def test_read_only_disk_leaves_the_rows_to_the_next_worker(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2)
    bench.save(1, 2)

    def read_only(scene_ids: list[int]) -> None:
        for db in (bench.db, bench.store._db):
            db.execute("PRAGMA query_only = ON")

    bench.on_read = read_only
    with pytest.raises(sqlite3.OperationalError):
        bench.work()
    bench.on_read = lambda scene_ids: None
    # What the items were could not be kept: nothing is written that could not be given back.
    assert bench.titles_written() == []
    assert [status for status, _ in bench.rows().values()] == [2, 2]
    for db in (bench.db, bench.store._db):
        db.execute("PRAGMA query_only = OFF")
    assert bench.store.resume() == 2
    bench.work()
    assert bench.rows() == {}
    assert sorted(bench.timestamps()) == [1, 2]


def test_full_disk_is_raised_as_the_reason(bench: Bench) -> None:
    bench.stock(1)
    bench.scenes[1].files.append(SceneFile("/data/" + "x" * 30_000))
    bench.save(1)
    bench.db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        bench.work()


def test_refused_token_after_many_tries_is_no_dead_letter(bench: Bench) -> None:
    from pipeline.scene_sync import SceneSync

    bench.save(1)
    [row] = bench.store.claim(1, bench.clock())
    work = SceneSync(
        row.job.with_retry(RetryState(50, last_try_at=1.0)), scene=scene(1), error=PlexTokenRefused("refused")
    )
    bench.outcomes.record([(row, work)], "", 5)
    assert bench.dead_letters() == {}
    assert bench.job(1)["retry_count"] == 50


def test_save_with_settings_of_another_plex_drops_matches_of_the_old_one(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2, 3)
    with PlexSim() as other:
        section = other.add_section("Scenes", ["/data"])
        # the same keys, other files
        strangers = [other.add_item(section, [(f"/data/stranger {n}.mp4", 7, 1.0)]) for n in (1, 2, 3)]
        bench.enqueue(1, 2, 3)
        pending = [1]

        def change_settings_during_write(written: Item) -> None:
            if pending:
                bench.configure(bench.settings(plex_url=other.url))
                bench.save(pending.pop())

        plex.on_write = change_settings_during_write
        bench.work()
        bench.pipeline.close()
    assert [item.title for item in strangers] == ["stranger 1", "stranger 2", "stranger 3"]
    assert other.puts == 0
    assert set(bench.rows()) == {1, 2, 3}

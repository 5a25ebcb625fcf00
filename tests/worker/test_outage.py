"""Hours of trouble on a simulated clock: missing files, a failing Plex, an unreachable Plex."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.verdicts import Verdict
from plex.exceptions import PlexServerDown
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from state.events import OUTAGE_BEGAN, Event, Events
from sync_queue.writer import QueueWriter, queue_dir
from tests.worker.conftest import MakeBench
from tests.worker.support import START, Bench, Clock, scene
from worker.circuit_breaker import BreakerState
from worker.retry import HOUR_S, NOT_FOUND_TRIES
from worker.status_files import StatusFiles

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=8)]

LISTING = "GET /library/sections/{k}/all"


def test_missing_file_is_written_once_when_plex_has_it(bench: Bench, plex: PlexSim, clock: Clock) -> None:
    bench.stock(2)
    bench.scenes[1] = scene(1)
    bench.save(1, 2)
    bench.work()
    assert bench.titles_written() == ["Title 2"]
    job = bench.job(1)
    assert (job["retry_count"], job["last_error_type"]) == (1, "PlexNotFound")
    assert bench.entry(1).verdict is Verdict.NOT_IN_PLEX
    assert "/data/1.mp4" in bench.entry(1).reason
    assert 1 not in bench.timestamps()
    bench.live(1.5 * HOUR_S)
    assert bench.job(1)["retry_count"] > 5
    assert plex.puts == 1
    item = bench.item(1)
    bench.live(700)
    assert item.title == "Title 1"
    assert plex.puts == 2
    assert bench.rows() == {}
    assert bench.entry(1).verdict is Verdict.WRITTEN
    assert bench.timestamps()[1] == START - 60
    assert bench.dead_letters() == {}
    assert bench.attention() is None
    assert bench.breaker_state() is BreakerState.CLOSED


def test_missing_file_is_given_up_after_two_hours_and_twelve_tries(bench: Bench, clock: Clock) -> None:
    bench.scenes[1] = scene(1)
    bench.save(1)
    bench.live(2 * HOUR_S - 1)
    assert bench.dead_letters() == {}
    assert bench.job(1)["retry_count"] >= NOT_FOUND_TRIES - 1
    bench.live(1_300)
    dead_letter = bench.dead_letters()[1]
    assert dead_letter["error_type"] == "PlexNotFound"
    assert dead_letter["attempts"] >= NOT_FOUND_TRIES
    assert dead_letter["last_at"] - dead_letter["first_at"] >= 2 * HOUR_S
    assert dead_letter["first_at"] == START
    assert bench.rows() == {}
    assert bench.entry(1).verdict is Verdict.NOT_IN_PLEX
    [(level, text)] = bench.told
    assert level == "warning"
    assert "Scene 1 was given up" in text


def test_new_save_of_a_missing_file_restarts_its_two_hours(bench: Bench) -> None:
    bench.scenes[1] = scene(1)
    bench.save(1)
    bench.live(1.9 * HOUR_S)
    bench.save(1)
    assert bench.job(1).get("retry_count") is None
    bench.live(1.9 * HOUR_S)
    assert bench.dead_letters() == {}


def test_many_missing_files_share_the_refreshes_of_the_index(bench: Bench, plex: PlexSim) -> None:
    for scene_id in range(1, 101):
        bench.scenes[scene_id] = scene(scene_id)
    bench.enqueue(*range(1, 101))
    bench.work()
    plex.reset_counters()
    bench.live(HOUR_S)
    # at most one look in 45 s, of two listings, and one whole reading an hour
    assert plex.counters[LISTING] <= 2 * HOUR_S / 45 + 4
    assert set(plex.counters) <= {LISTING}
    assert len(bench.rows()) == 100


def test_missing_files_do_not_open_the_breaker(bench: Bench) -> None:
    for scene_id in range(1, 11):
        bench.scenes[scene_id] = scene(scene_id)
    bench.stock(11)
    bench.enqueue(*range(1, 12))
    bench.work()
    assert bench.breaker_state() is BreakerState.CLOSED
    assert bench.titles_written() == ["Title 11"]
    assert bench.attention() is None


def test_plex_failing_every_request_costs_no_tries_and_is_asked_ever_less(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    plex.faults.set(status=500, only="^PUT")
    bench.save(1)
    bench.live(600)
    times = [line.time for line in plex.requests if line.method == "PUT"]
    assert 8 <= len(times) <= 20
    assert bench.job(1).get("retry_count") == 0
    assert bench.breaker_state() is not BreakerState.CLOSED
    assert "Waited" not in (bench.attention() or "")
    assert "is waiting for Plex" in (bench.attention() or "")
    plex.faults.clear()
    bench.live(61)
    assert bench.rows() == {}
    assert bench.attention() is None


def test_outage_pauses_grow_to_a_minute(bench: Bench, plex: PlexSim, clock: Clock) -> None:
    bench.stock(1)
    plex.faults.refuse()
    bench.save(1)
    moments: list[float] = []
    bench.on_read = lambda scene_ids: moments.append(clock())
    bench.live(400)
    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(moments)]
    assert pauses[-3:] == [60, 60, 60]
    assert pauses == sorted(pauses)
    assert len(moments) < 15


def test_scene_failing_while_others_succeed_uses_up_its_tries(bench: Bench, plex: PlexSim) -> None:
    [poison] = bench.stock(1)
    plex.faults.set(status=500, only="^PUT /library/sections/2/")
    poisoned = plex.add_section("Poisoned")
    plex.remove_item(poison.rating_key)
    plex.add_item(poisoned, [("/data/1.mp4", 1, 1.0)])
    bench.save(1)
    bench.work()
    assert bench.job(1)["retry_count"] == 0, "nothing has succeeded yet: it may be Plex"
    for scene_id in range(2, 60):
        bench.stock(scene_id)
        bench.save(scene_id)
        bench.live(30)
        if not bench.rows():
            break
    dead_letter = bench.dead_letters()[1]
    assert dead_letter["error_type"] == "PlexTemporaryError"
    assert dead_letter["attempts"] == 6
    assert list(bench.dead_letters()) == [1]
    assert bench.breaker_state() is BreakerState.CLOSED
    assert bench.entry(1).verdict is Verdict.FAILED


def test_outage_of_an_hour_costs_no_tries_and_everything_is_written_afterwards(
    bench: Bench, plex: PlexSim, clock: Clock
) -> None:
    items = bench.stock(*range(1, 51))
    bench.enqueue(*range(1, 21))
    bench.work()
    plex.faults.refuse()
    bench.enqueue(*range(21, 46))
    bench.live(1_800)
    bench.save(46, 47, 48, 49, 50, 1)
    bench.scenes[1] = scene(1, title="Saved while away", updated_at=START + 1_800)
    bench.live(1_800)
    assert bench.breaker_state() is not BreakerState.CLOSED
    assert "Saves are kept" in (bench.attention() or "")
    assert len(bench.rows()) == 31
    assert all(not job.get("retry_count") for _, job in bench.rows().values())
    assert [text for level, text in bench.told if level == "warning"] == [
        text for _, text in bench.told if "Plex is not available" in text
    ]
    plex.faults.accept()
    bench.live(120)
    assert bench.rows() == {}
    assert bench.dead_letters() == {}
    assert bench.breaker_state() is BreakerState.CLOSED
    assert bench.attention() is None
    assert items[0].title == "Saved while away"
    assert [item.title for item in items[1:]] == [f"Title {number}" for number in range(2, 51)]
    assert next(text for level, text in bench.told if level == "info").startswith("Plex is available again")
    assert len([text for _, text in bench.told if "scenes done" not in text]) == 2


def test_trial_after_an_outage_is_the_most_urgent_job_alone(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 31))
    plex.faults.refuse()
    bench.enqueue(*range(1, 30))
    bench.live(60)
    bench.save(30)
    bench.reads.clear()
    bench.live(120)
    assert bench.reads
    assert all(batch == [30] for batch in bench.reads), "a save is tried before the bulk"
    plex.faults.accept()
    bench.live(100)
    assert bench.titles_written()[0] == "Title 30"
    assert len(bench.titles_written()) == 30


def test_outage_during_a_batch_keeps_the_remaining_rows(bench: Bench, plex: PlexSim) -> None:
    items = bench.stock(*range(1, 16))
    bench.enqueue(*range(1, 16))

    def then_away(item: Item) -> None:
        if len(plex.writes) == 4:
            plex.faults.set(status=503)

    plex.on_write = then_away
    bench.work()
    assert len(bench.rows()) == 15, "what was written could not be verified"
    plex.on_write = None
    plex.faults.clear()
    bench.live(60)
    assert bench.rows() == {}
    assert [item.title for item in items] == [f"Title {number}" for number in range(1, 16)]
    assert plex.puts <= 15 + 4
    assert all(write.rating_keys for write in plex.writes)
    assert len(plex.writes) == 15, "what stands in Plex already is not written again"
    assert sorted(bench.timestamps()) == list(range(1, 16))


def test_read_timeout_after_a_successful_write_is_read_before_it_is_repeated(
    make_bench: MakeBench, plex: PlexSim
) -> None:
    bench = make_bench(read_timeout=1.0)
    bench.stock(1)
    bench.save(1)
    plex.faults.set(hang=True, hang_after=True, only="^PUT", times=1)
    bench.work()
    assert bench.job(1)["last_error_type"] == "PlexTemporaryError"
    bench.live(20)
    assert plex.puts == 1
    assert bench.entry(1).verdict is Verdict.UNCHANGED
    assert bench.rows() == {}


def test_missing_file_tries_are_unaffected_by_an_outage_or_a_wrong_token(bench: Bench, plex: PlexSim) -> None:
    bench.scenes[1] = scene(1)
    bench.save(1)
    bench.live(1.6 * HOUR_S)
    tries = bench.job(1)["retry_count"]
    assert tries > 5
    bench.pipeline.close()
    plex.faults.refuse()
    bench.live(700)
    assert bench.breaker_state() is not BreakerState.CLOSED
    assert bench.job(1)["tries"] == {"NOT_FOUND": tries}
    plex.faults.accept()
    plex.identity.token = "another"
    bench.live(700)
    assert "token" in (bench.health.blocked or "")
    assert bench.job(1)["tries"] == {"NOT_FOUND": tries}
    assert bench.dead_letters() == {}
    plex.identity.token = plex.token
    bench.item(1)
    bench.health.probe()
    bench.live(700)
    assert bench.titles_written() == ["Title 1"]


def test_missing_file_tries_do_not_count_for_failed_writes(bench: Bench, plex: PlexSim) -> None:
    bench.stock(2)
    bench.scenes[1] = scene(1)
    bench.save(1)
    bench.live(1.6 * HOUR_S)
    bench.save(2)
    bench.work()
    bench.item(1)
    plex.faults.set(status=500, only="^PUT", times=1)
    bench.live(700)
    assert bench.dead_letters() == {}


def test_row_due_far_in_the_future_after_a_clock_change_is_due_now(bench: Bench, clock: Clock) -> None:
    bench.stock(1)
    job = {"scene_id": 1, "data": {}, "job_key": "scene_1", "priority": 0, "next_retry_at": clock() + 86_400}
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        writer.fold(json.dumps(job), "scene_1")
    bench.work()
    assert bench.titles_written() == ["Title 1"]


def test_missing_file_after_an_outage_confirms_that_plex_answers(bench: Bench, plex: PlexSim) -> None:
    bench.scenes[1] = scene(1)
    plex.faults.refuse()
    bench.save(1)
    bench.live(120)
    assert "is waiting for Plex" in (bench.attention() or "")
    plex.faults.accept()
    bench.live(600)
    assert bench.job(1)["last_error_type"] == "PlexNotFound"
    assert plex.counters[LISTING] > 0
    assert bench.attention() is None


def test_status_file_follows_the_worker(bench: Bench, tmp_path: Path) -> None:
    bench.stock(*range(1, 4))
    bench.save(*range(1, 4))
    bench.work()
    path = Path(bench.data_dir, "worker_status.json")
    assert json.loads(path.read_text())["state"] == "writing"
    bench.status.write_status(state="ready")
    status = json.loads(path.read_text())
    assert (status["state"], status["written"], status["waiting"]) == ("ready", 3, 0)


def test_status_counts_of_a_bulk_are_written_every_quarter_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("worker.status_files.time", SimpleNamespace(time=lambda: now))
    notes = StatusFiles(str(tmp_path))
    told = []
    for written in range(10):
        notes.write_status(state="writing", written=written)
        told.append(json.loads((tmp_path / "worker_status.json").read_text())["written"])
        now += 0.1
    assert told == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]


def test_error_shared_by_several_jobs_counts_once_for_the_breaker(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 21))
    plex.faults.refuse()
    bench.enqueue(*range(1, 21))
    bench.dispatcher._process_or_return(bench.store.claim(20, bench.clock()), lambda: False)
    assert bench.breaker_state() is BreakerState.CLOSED
    assert isinstance(bench.health._last_error, PlexServerDown)
    assert all(job["last_error_type"] == "PlexServerDown" for _, job in bench.rows().values())


def test_outage_is_recorded_from_the_first_failure_to_the_first_success(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2)
    bench.save(1)
    bench.work()
    plex.faults.refuse()
    began = bench.clock()
    bench.save(2)
    bench.live(300)
    [outage] = Events(bench.db).outages()
    assert (outage.ended, outage.waiting) == (None, 0)
    assert began <= outage.began < began + 5
    assert "cannot be reached" in outage.reason
    plex.faults.accept()
    bench.live(120)
    [outage] = Events(bench.db).outages()
    assert outage.ended is not None
    kinds = [event.kind for _, event in Events(bench.db).newest()]
    assert kinds[0] in ("written", "unchanged")
    assert "waits" in kinds


def test_outage_left_by_an_earlier_worker_ends_with_the_next_success(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1)
    Events(bench.db).record([Event(bench.clock(), OUTAGE_BEGAN, None, "of yesterday", 0)])
    bench.save(1)
    bench.work()
    assert [one.ended is None for one in Events(bench.db).outages()] == [False]

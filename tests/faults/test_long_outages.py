"""An hour without Plex and ten thousand jobs that wait for it; and clocks that are set."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from common.jobs import scene_key, scene_row
from sandbox.plex import PlexSim
from sync_queue.writer import QueueWriter, queue_dir
from tests.faults.fault_counts import FaultCounts
from tests.faults.suite_size import LONG
from tests.faults.worker_harness import WorkerHarness
from tests.worker.support import Bench
from worker.circuit_breaker import BreakerState
from worker.retry import HOUR
from worker.service import IDLE_TIMEOUT_S, ExitReason

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=28)]

JOBS = 10_000
# How many of them are worked on after the hour; the short form takes the others out.
AFTER = JOBS if LONG else 200
# One process second in so many seconds of the clock, on a slow machine with a busy neighbour.
CPU_SHARE = 0.01


def test_an_hour_of_outage_and_ten_thousand_jobs(bench: Bench, plex: PlexSim, fault_counts: FaultCounts) -> None:
    bench.stock(*range(1, AFTER + 1))
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        writer.fold_all((scene_row(n, priority=2, now=bench.clock()), scene_key(n)) for n in range(1, JOBS + 1))
    plex.faults.refuse()
    bench.live(60)
    bench.reads.clear()
    before = time.process_time()
    bench.live(HOUR)
    assert time.process_time() - before < HOUR * CPU_SHARE
    assert bench.breaker_state() is not BreakerState.CLOSED
    # one trial a minute, of one scene
    assert len(bench.reads) <= 62
    assert {len(batch) for batch in bench.reads} == {1}
    rows = bench.rows()
    assert len(rows) == JOBS
    assert all(status < 2 and not job.get("retry_count") for status, job in rows.values())
    assert bench.letters() == {}
    if AFTER < JOBS:
        with closing(sqlite3.connect(f"{queue_dir(bench.data_dir)}/data.db")) as db, db:
            db.execute(
                "DELETE FROM ack_queue_default WHERE json_extract(CAST(data AS TEXT),'$.scene_id') > ?", (AFTER,)
            )
    plex.faults.accept()
    bench.live(120)
    assert bench.rows() == {}
    assert bench.letters() == {}
    assert bench.attention() is None
    assert sorted(bench.titles_written()) == sorted(f"Title {number}" for number in range(1, AFTER + 1))
    fault_counts.add("jobs that waited for an hour", JOBS)


def is_to_be_tried_again(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """A job that failed once."""
    harness.plex.faults.set(status=500, only="^PUT", times=1)
    return lambda: None


def plex_is_away(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """An open breaker."""
    harness.plex.faults.refuse()
    return harness.plex.faults.accept


def stash_is_away(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """A drainer that asks Stash more and more seldom."""
    harness.stash.faults.set(status=502)
    return harness.stash.faults.clear


def the_file_is_missing(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """A scene that Plex has not scanned yet."""
    [path] = harness.stash.paths(scene_id)
    item = harness.plex.find(path)
    assert item is not None
    section, file = item.section, next(item.parts())
    harness.plex.remove_item(item.rating_key)
    return lambda: harness.plex.load(section, [(path, file.size, file.duration / 1000)])


def nothing(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """An idle drainer."""
    return lambda: None


# How soon after that everything has to be done, at the latest.
SITUATIONS: list[tuple[Callable[[WorkerHarness, int], Callable[[], None]], float]] = [
    (is_to_be_tried_again, 100),
    (plex_is_away, 130),
    (stash_is_away, 100),
    (the_file_is_missing, 150),
    (nothing, 5),
]


@pytest.mark.parametrize("by", [86_400.0, -86_400.0, 3_600.0, -3_600.0], ids=lambda by: f"{by / 3_600:+g} h")
@pytest.mark.parametrize(("situation", "soon"), SITUATIONS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_clock_that_is_set_stops_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    situation: Callable[[WorkerHarness, int], Callable[[], None]],
    soon: float,
    by: float,
    fault_counts: FaultCounts,
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        first, second = harness.synced_scenes(2)
        mend = situation(harness, first)
        harness.save_scene(first, title="Before")
        done: list[float] = []

        def set_clock() -> None:
            harness.clock_offset += by

        def mended() -> None:
            mend()
            harness.save_scene(second, title="After")
            harness.schedule(soon, look)

        def look() -> None:
            done.extend([harness.clock()] if harness.problems([first, second]) == [] else [])

        harness.schedule(100, set_clock)
        harness.schedule(160, mended)
        harness.run_worker(1_000)
        assert harness.premature_exits == []
        assert harness.problems([first, second]) == []
        assert done, f"not done within {soon:g} s"
        fault_counts.add("clocks set")


def test_an_idle_drainer_leaves_when_it_should_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        harness.synced_scenes(2)
        harness.schedule(100, lambda: setattr(harness, "set_forward", -86_400.0))
        harness.run_worker(IDLE_TIMEOUT_S + 200)
        assert harness.exits[-1] is ExitReason.IDLE

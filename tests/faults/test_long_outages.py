"""An hour without Plex while ten thousand jobs wait, and clocks that are moved."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from common.job_rows import scene_key, scene_row
from sandbox.plex import PlexSim
from sync_queue.writer import QueueWriter, queue_dir
from tests.faults.fault_counts import FaultCounts
from tests.faults.suite_size import LONG
from tests.faults.worker_harness import WorkerHarness
from tests.worker.support import Bench
from worker.circuit_breaker import BreakerState
from worker.exit_reason import ExitReason
from worker.retry import HOUR_S
from worker.service import IDLE_TIMEOUT_S

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=16)]

JOBS = 10_000
# How many of them are processed after the outage; the short form removes the others.
JOBS_AFTER_OUTAGE = JOBS if LONG else 200
# CPU seconds per simulated second, on a slow and busy machine.
MAX_CPU_SHARE = 0.01


def test_outage_of_an_hour_with_ten_thousand_jobs_loses_none(
    bench: Bench, plex: PlexSim, fault_counts: FaultCounts
) -> None:
    bench.stock(*range(1, JOBS_AFTER_OUTAGE + 1))
    with closing(QueueWriter(queue_dir(bench.data_dir))) as writer:
        writer.fold_all((scene_row(n, priority=2, now=bench.clock()), scene_key(n)) for n in range(1, JOBS + 1))
    plex.faults.refuse()
    bench.live(60)
    bench.reads.clear()
    before = time.process_time()
    bench.live(HOUR_S)
    assert time.process_time() - before < HOUR_S * MAX_CPU_SHARE
    assert bench.breaker_state() is not BreakerState.CLOSED
    # one attempt a minute, with one scene
    assert len(bench.reads) <= 62
    assert {len(batch) for batch in bench.reads} == {1}
    rows = bench.rows()
    assert len(rows) == JOBS
    assert all(status < 2 and not job.get("retry_count") for status, job in rows.values())
    assert bench.dead_letters() == {}
    if JOBS_AFTER_OUTAGE < JOBS:
        with closing(sqlite3.connect(f"{queue_dir(bench.data_dir)}/data.db")) as db, db:
            db.execute(
                "DELETE FROM ack_queue_default WHERE json_extract(CAST(data AS TEXT),'$.scene_id') > ?",
                (JOBS_AFTER_OUTAGE,),
            )
    plex.faults.accept()
    bench.live(120)
    assert bench.rows() == {}
    assert bench.dead_letters() == {}
    assert bench.attention() is None
    assert sorted(bench.titles_written()) == sorted(f"Title {number}" for number in range(1, JOBS_AFTER_OUTAGE + 1))
    fault_counts.add("jobs that waited for an hour", JOBS)


def with_a_job_to_retry(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """A job has failed once."""
    harness.plex.faults.set(status=500, only="^PUT", times=1)
    return lambda: None


def with_plex_down(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """The circuit breaker is open."""
    harness.plex.faults.refuse()
    return harness.plex.faults.accept


def with_stash_down(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """The worker asks Stash at growing intervals."""
    harness.stash.faults.set(status=502)
    return harness.stash.faults.clear


def with_a_pending_file(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """Plex has not scanned the scene's file yet."""
    [path] = harness.stash.paths(scene_id)
    item = harness.plex.find(path)
    assert item is not None
    section, file = item.section, next(item.parts())
    harness.plex.remove_item(item.rating_key)
    return lambda: harness.plex.load(section, [(path, file.size, file.duration / 1000)])


def with_an_idle_worker(harness: WorkerHarness, scene_id: int) -> Callable[[], None]:
    """The worker is idle."""
    return lambda: None


# Each situation returns how to end it; the number is the time limit in seconds for all work afterwards.
SITUATIONS: list[tuple[Callable[[WorkerHarness, int], Callable[[], None]], float]] = [
    (with_a_job_to_retry, 100),
    (with_plex_down, 130),
    (with_stash_down, 100),
    (with_a_pending_file, 150),
    (with_an_idle_worker, 5),
]


@pytest.mark.parametrize("by", [86_400.0, -86_400.0, 3_600.0, -3_600.0], ids=lambda by: f"{by / 3_600:+g} h")
@pytest.mark.parametrize(
    ("situation", "time_limit_s"), SITUATIONS, ids=lambda situation: getattr(situation, "__name__", "")
)
def test_clock_change_does_not_stop_the_worker(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    situation: Callable[[WorkerHarness, int], Callable[[], None]],
    time_limit_s: float,
    by: float,
    fault_counts: FaultCounts,
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        first, second = harness.synced_scenes(2)
        end_situation = situation(harness, first)
        harness.save_scene(first, title="Before")
        done: list[float] = []

        def move_clock() -> None:
            harness.clock_offset += by

        def recover() -> None:
            end_situation()
            harness.save_scene(second, title="After")
            harness.schedule(time_limit_s, check)

        def check() -> None:
            done.extend([harness.clock()] if harness.problems([first, second]) == [] else [])

        harness.schedule(100, move_clock)
        harness.schedule(160, recover)
        harness.run_worker(1_000)
        assert harness.premature_exits == []
        assert harness.problems([first, second]) == []
        assert done, f"not done within {time_limit_s:g} s"
        fault_counts.add("clock changes")


def test_idle_worker_ends_on_time_after_the_clock_was_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        harness.synced_scenes(2)

        def set_clock_back() -> None:
            harness.clock_offset = -86_400.0

        harness.schedule(100, set_clock_back)
        harness.run_worker(IDLE_TIMEOUT_S + 200)
        assert harness.exits[-1] is ExitReason.IDLE

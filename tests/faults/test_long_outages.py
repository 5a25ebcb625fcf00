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
from tests.faults.life import Life
from tests.faults.size import LONG
from tests.faults.tally import Tally
from tests.worker.support import Bench
from worker.circuit_breaker import BreakerState
from worker.retry import HOUR
from worker.service import LINGER, ExitReason

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=28)]

JOBS = 10_000
# How many of them are worked on after the hour; the short form takes the others out.
AFTER = JOBS if LONG else 200
# One process second in so many seconds of the clock, on a slow machine with a busy neighbour.
CPU_SHARE = 0.01


def test_an_hour_of_outage_and_ten_thousand_jobs(bench: Bench, plex: PlexSim, tally: Tally) -> None:
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
    tally("jobs that waited for an hour", JOBS)


def is_to_be_tried_again(life: Life, scene_id: int) -> Callable[[], None]:
    """A job that failed once."""
    life.plex.faults.set(status=500, only="^PUT", times=1)
    return lambda: None


def plex_is_away(life: Life, scene_id: int) -> Callable[[], None]:
    """An open breaker."""
    life.plex.faults.refuse()
    return life.plex.faults.accept


def stash_is_away(life: Life, scene_id: int) -> Callable[[], None]:
    """A drainer that asks Stash more and more seldom."""
    life.stash.faults.set(status=502)
    return life.stash.faults.clear


def the_file_is_missing(life: Life, scene_id: int) -> Callable[[], None]:
    """A scene that Plex has not scanned yet."""
    [path] = life.stash.paths(scene_id)
    item = life.plex.find(path)
    assert item is not None
    section, file = item.section, next(item.parts())
    life.plex.remove_item(item.rating_key)
    return lambda: life.plex.load(section, [(path, file.size, file.duration / 1000)])


def nothing(life: Life, scene_id: int) -> Callable[[], None]:
    """An idle drainer."""
    return lambda: None


# How soon after that everything has to be done, at the latest.
SITUATIONS: list[tuple[Callable[[Life, int], Callable[[], None]], float]] = [
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
    situation: Callable[[Life, int], Callable[[], None]],
    soon: float,
    by: float,
    tally: Tally,
) -> None:
    with Life(tmp_path, monkeypatch) as life:
        first, second = life.settled(2)
        mend = situation(life, first)
        life.save(first, title="Before")
        done: list[float] = []

        def set_clock() -> None:
            life.set_forward += by

        def mended() -> None:
            mend()
            life.save(second, title="After")
            life.after(soon, look)

        def look() -> None:
            done.extend([life.clock()] if life.unfinished([first, second]) == [] else [])

        life.after(100, set_clock)
        life.after(160, mended)
        life.live(1_000)
        assert life.left == []
        assert life.unfinished([first, second]) == []
        assert done, f"not done within {soon:g} s"
        tally("clocks set")


def test_an_idle_drainer_leaves_when_it_should_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Life(tmp_path, monkeypatch) as life:
        life.settled(2)
        life.after(100, lambda: setattr(life, "set_forward", -86_400.0))
        life.live(LINGER + 200)
        assert life.ends[-1] is ExitReason.IDLE

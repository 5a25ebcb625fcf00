"""When the next run is due, whatever happens to clock and disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common import reconcile_due as trigger
from reconciliation.result import GapDetectionResult
from reconciliation.scheduler import FILE, ReconciliationScheduler, ReconciliationState

pytestmark = pytest.mark.integration

HOUR, DAY = 3600.0, 86_400.0
NOW = 1_780_000_000.0


def every(interval: Any) -> Any:
    return SimpleNamespace(reconcile_interval=interval)


@pytest.fixture
def scheduler(tmp_path: Path) -> ReconciliationScheduler:
    return ReconciliationScheduler(str(tmp_path / "data"))


def ran(scheduler: ReconciliationScheduler, at: float, scope: str = "recent", **fields: Any) -> None:
    scheduler.record_run(scope, GapDetectionResult(**fields), now=at)


def test_record_run_stores_its_numbers(scheduler: ReconciliationScheduler) -> None:
    result = GapDetectionResult(scenes_checked=9, enqueued_count=2, enqueued_by_type={"stale_sync": 2})
    for kind in ("stale_sync", "stale_sync", "missing"):
        result.count_gap(kind)
    scheduler.record_run("all", result, now=NOW)
    assert scheduler.load_state() == ReconciliationState(
        last_run_time=NOW,
        last_scope="all",
        last_scenes_checked=9,
        last_gaps_found=3,
        last_enqueued=2,
        last_gaps_by_type={"empty_metadata": 0, "stale_sync": 2, "missing": 1},
        last_enqueued_by_type={"stale_sync": 2},
        last_full_run_time=NOW,
    )


def test_everything_is_due_before_the_first_run(scheduler: ReconciliationScheduler) -> None:
    assert scheduler.load_state() == ReconciliationState()
    assert scheduler.is_due(every("weekly"))
    assert scheduler.is_startup_due()
    assert not scheduler.is_due(every("never"))


@pytest.mark.parametrize(
    ("interval", "after", "due"),
    [
        ("hourly", HOUR - 1, False),
        ("hourly", HOUR, True),
        ("daily", DAY - 1, False),
        ("Daily ", DAY, True),
        ("weekly", 7 * DAY - 1, False),
        ("weekly", 7 * DAY, True),
        ("never", 100 * DAY, False),
        ("sometimes", 100 * DAY, False),
        (None, 100 * DAY, False),
        ("hourly", -30, False),
        ("weekly", -2 * HOUR, True),
    ],
)
def test_is_due_after_the_interval(scheduler: ReconciliationScheduler, interval: Any, after: float, due: bool) -> None:
    ran(scheduler, NOW)
    assert scheduler.is_due(every(interval), now=NOW + after) is due


def test_is_due_with_never_is_false_after_a_clock_set_back(scheduler: ReconciliationScheduler) -> None:
    ran(scheduler, NOW)
    assert not scheduler.is_due(every("never"), now=NOW - DAY)


@pytest.mark.parametrize(("after", "due"), [(10, False), (HOUR, False), (HOUR + 1, True), (-30, False), (-HOUR, True)])
def test_is_startup_due_after_an_hour(scheduler: ReconciliationScheduler, after: float, due: bool) -> None:
    ran(scheduler, NOW)
    assert scheduler.is_startup_due(now=NOW + after) is due


def test_incomplete_runs_are_repeated_after_growing_pauses(scheduler: ReconciliationScheduler) -> None:
    for pause in (600, 1200, 2400, 3600, 3600):
        ran(scheduler, NOW, complete=False, errors=["Plex is away"])
        assert not scheduler.is_due(every("daily"), now=NOW + pause - 1)
        assert scheduler.is_due(every("daily"), now=NOW + pause)
    assert scheduler.load_state().last_error == "Plex is away"
    ran(scheduler, NOW)
    assert scheduler.load_state().failures == 0
    assert not scheduler.is_due(every("daily"), now=NOW + 3600)


def test_last_full_run_needs_a_complete_run_over_all(scheduler: ReconciliationScheduler) -> None:
    ran(scheduler, NOW, "all")
    ran(scheduler, NOW + 1, "recent")
    ran(scheduler, NOW + 2, "all", complete=False)
    assert scheduler.load_state().last_full_run_time == NOW


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", '{"last_run_time": "soon", "last_scope": 5}', "\x00"])
def test_load_state_of_a_damaged_file_is_a_new_state(scheduler: ReconciliationScheduler, content: str) -> None:
    ran(scheduler, NOW)
    path = os.path.join(scheduler.data_dir, FILE)
    Path(path).write_text(content)
    assert scheduler.load_state() == ReconciliationState()
    assert scheduler.is_startup_due()
    ran(scheduler, NOW)
    assert scheduler.load_state().last_run_time == NOW


def test_load_state_keeps_the_readable_values(scheduler: ReconciliationScheduler) -> None:
    ran(scheduler, NOW)
    path = os.path.join(scheduler.data_dir, FILE)
    odd = {
        "last_run_time": NOW,
        "failures": True,
        "last_enqueued": 3.0,
        "last_gaps_by_type": {"a": 1, "b": "x"},
        "z": 1,
    }
    Path(path).write_text(json.dumps(odd))
    state = scheduler.load_state()
    assert (state.last_run_time, state.last_enqueued, state.last_gaps_by_type) == (NOW, 3, {"a": 1})


def test_save_state_replaces_the_file(scheduler: ReconciliationScheduler) -> None:
    state = ReconciliationState(last_run_time=NOW, last_scope="all")
    scheduler.save_state(state)
    assert scheduler.load_state() == state
    assert os.listdir(scheduler.data_dir) == [FILE]
    assert os.stat(os.path.join(scheduler.data_dir, FILE)).st_mode & 0o077 == 0


# what hooks look at


@pytest.fixture
def us(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(trigger, "stash_process", lambda: "boot.1.2")
    return "boot.1.2"


def test_due_check_without_its_file_is_true(scheduler: ReconciliationScheduler) -> None:
    assert trigger.due(scheduler.data_dir)


def test_due_check_within_an_hour_is_one_stat(
    scheduler: ReconciliationScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(scheduler, time.time())
    scheduler.arrange(every("daily"), "another process")
    monkeypatch.setattr(trigger, "read", None)
    assert not trigger.due(scheduler.data_dir)


@pytest.mark.parametrize(
    ("ago", "interval", "known", "due"),
    [
        (2 * HOUR, "daily", "boot.1.2", False),
        (2 * HOUR, "daily", "boot.1.1", True),
        (2 * HOUR, "never", "boot.1.2", False),
        (2 * HOUR, "never", "boot.9.2", True),
        (2 * HOUR, "hourly", "boot.1.2", True),
        (2 * DAY, "daily", "boot.1.2", True),
        (0, "never", "boot.9.2", False),
    ],
)
def test_due_check_by_time_or_a_new_process_of_stash(
    scheduler: ReconciliationScheduler, us: str, ago: float, interval: str, known: str, due: bool
) -> None:
    ran(scheduler, time.time() - ago)
    scheduler.arrange(every(interval), known)
    assert trigger.due(scheduler.data_dir) is due


def test_arrange_without_a_process_keeps_the_known_one(scheduler: ReconciliationScheduler, us: str) -> None:
    ran(scheduler, time.time() - 2 * HOUR)
    scheduler.arrange(every("never"), us)
    scheduler.arrange(every("daily"))
    assert (scheduler.known_process(), trigger.due(scheduler.data_dir)) == (us, False)
    scheduler.arrange(every("hourly"))
    assert trigger.due(scheduler.data_dir)


def test_due_check_after_a_clock_set_back_is_true(scheduler: ReconciliationScheduler, us: str) -> None:
    ran(scheduler, time.time() + 5 * DAY)
    scheduler.arrange(every("weekly"), us, now=time.time() + 5 * DAY)
    assert trigger.due(scheduler.data_dir)


def test_pause_keeps_other_runs_from_starting(scheduler: ReconciliationScheduler, us: str) -> None:
    scheduler.pause()
    assert not trigger.due(scheduler.data_dir)
    scheduler.pause(now=time.time() - 700)
    assert trigger.due(scheduler.data_dir)


@pytest.mark.parametrize("content", ["", "soon x", "\x00"])
def test_due_check_of_a_damaged_file_is_true(scheduler: ReconciliationScheduler, content: str) -> None:
    os.makedirs(scheduler.data_dir)
    path = Path(scheduler.data_dir, trigger.FILE)
    path.write_text(content)
    os.utime(path, (1, 1))
    assert trigger.due(scheduler.data_dir)
    assert scheduler.known_process() == ""


def test_stash_process_differs_from_its_successor() -> None:
    boot, parent, began = trigger.stash_process().split(".")
    assert (int(parent), began.isdigit(), len(boot)) == (os.getppid(), True, 36)
    assert trigger.stash_process() == trigger.stash_process()


def test_due_check_imports_little() -> None:
    import subprocess
    import sys

    code = (
        "import sys, os, time; before = set(sys.modules); import common.reconcile_due; "
        "print(sorted(set(sys.modules) - before))"
    )
    root = Path(__file__).parents[2]
    # a process that measures coverage imports more than it was asked to
    bare = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, env=bare)
    assert done.stdout.strip() == "['__future__', 'common', 'common.reconcile_due']"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" + "0" * 400, '"soon"', "null", "[]"])
def test_load_state_with_an_invalid_time_counts_as_never(scheduler: ReconciliationScheduler, number: str) -> None:
    ran(scheduler, NOW)
    Path(scheduler.data_dir, FILE).write_text(
        f'{{"last_run_time": {number}, "failures": {number}, "last_scope": "all"}}'
    )
    known = scheduler.load_state()
    assert (known.last_run_time, known.failures, known.last_scope) == (0.0, 0, "all")

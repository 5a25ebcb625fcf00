"""Stash fails in every way for a while during a bulk sync; the worker recovers on its own and finishes everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.fault_counts import FaultCounts
from tests.faults.suite_size import LONG, repetitions, seeded_random
from tests.faults.worker_harness import WorkerHarness
from worker.exit_reason import ExitReason

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=32)]

FAULT_DURATION_S = 40.0
# The longest pause between two attempts to reach Stash, and of a retry after a cover could not be read.
RECOVERY_S = 160.0
GRAPHQL = "graphql"
COVERS = "/scene/.*/screenshot"
ALL_FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"refuse": True},
    "reset": {"reset": True},
    "hangs": {"hang": True, "times": 8},
    "slow bytes": {"drip": 0.06, "only": GRAPHQL},
    "half a body": {"corrupt": "half"},
    "truncated JSON": {"corrupt": "cut"},
    "no body": {"corrupt": "empty"},
    "noise in the JSON": {"corrupt": "noise"},
    "wrong charset": {"corrupt": "latin-1", "only": GRAPHQL},
    "another charset": {"corrupt": "utf-16", "only": GRAPHQL},
    "502 of a proxy": {"status": 502},
    "504 of a proxy": {"status": 504},
    "429": {"status": 429},
    "500": {"status": 500},
    "a proxy's page": {"page": True},
    "database is locked": {"resolver_error": "database is locked"},
    "errors beside data": {"beside_data": True},
    "every third request fails": {"status": 500, "every": 3},
    "every second connection is reset": {"reset": True, "every": 2},
    "covers hang": {"hang": True, "only": COVERS, "times": 6},
    "covers are pages": {"page": True, "only": COVERS},
    "covers are cut": {"corrupt": "half", "only": COVERS},
    "covers fail": {"status": 500, "only": COVERS},
}


# Faults that resemble others run only in the long form.
LONG_FORM_ONLY = {
    *("no body", "noise in the JSON", "another charset", "504 of a proxy", "500", "covers are cut", "covers hang"),
    *("every second connection is reset", "slow bytes"),
}
FAULTS = [name for name in ALL_FAULTS if LONG or name not in LONG_FORM_ONLY]


@pytest.mark.parametrize("name", FAULTS)
def test_stash_fault_during_a_bulk_sync_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault_counts: FaultCounts
) -> None:
    switches = ALL_FAULTS[name]
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        for number in range(repetitions(1, 12)):
            if number:
                harness.clock.sleep(1_000)
            scenes = harness.edit_all_scenes(number)
            if "refuse" in switches:
                harness.refuse_stash_after_writes(seeded_random(f"{name} {number}").randrange(1, 15))
            else:
                harness.stash.faults.set(**{"skip": seeded_random(f"{name} {number}").randrange(5), **switches})
            harness.schedule(FAULT_DURATION_S, harness.stash.faults.clear)
            harness.run_worker(FAULT_DURATION_S + RECOVERY_S)
            harness.plex.on_write = None
            assert harness.premature_exits == []
            assert harness.problems(scenes) == []
            fault_counts.add("Stash faults during a sync")


def test_refused_session_ends_the_worker_and_the_next_one_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch, username="someone", password="secret") as harness:
        scenes = harness.edit_all_scenes(1)
        harness.stash.faults.set(unauthorized=True, skip=2)
        harness.run_worker(FAULT_DURATION_S)
        assert harness.premature_exits == [ExitReason.REFUSED]
        assert "next save or task" in (harness.attention() or "")
        assert harness.dead_letters() == []
        harness.stash.faults.clear()
        harness.run_worker(100)
        assert harness.problems(scenes) == []
        fault_counts.add("Stash faults during a sync")


def expire_sessions(harness: WorkerHarness) -> None:
    """Expire every session cookie and queue more scenes."""
    harness.stash.core.sessions.max_age = -1.0
    harness.edit_all_scenes(2)


def test_expired_cookie_with_an_api_key_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch, username="someone", password="secret", api_key="k" * 20) as harness:
        scenes = harness.edit_all_scenes(1)
        harness.schedule(5, lambda: expire_sessions(harness))
        harness.run_worker(100)
        assert harness.premature_exits == []
        assert harness.problems(scenes) == []
        fault_counts.add("Stash faults during a sync")


def test_stash_that_stays_down_ends_the_worker_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        scenes = harness.edit_all_scenes(1)
        harness.refuse_stash_after_writes(5)
        harness.run_worker(3_600)
        assert harness.premature_exits == [ExitReason.STASH_GONE]
        assert harness.queue_counts()["waiting"] > 10
        assert harness.dead_letters() == []
        harness.plex.on_write = None
        harness.stash.faults.accept()
        harness.run_worker(700)
        assert harness.problems(scenes) == []
        fault_counts.add("Stash faults during a sync")

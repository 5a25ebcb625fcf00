"""A scene is saved again while the worker processes it: the newest state must reach Plex."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.batch import BatchPipeline
from pipeline.item_records import ItemRecords
from plex.client import PlexClient
from sync_queue.dlq import DeadLetterQueue
from sync_queue.store import JobStore
from tests.faults.fault_counts import FaultCounts
from tests.faults.suite_size import repetitions, seeded_random
from tests.faults.worker_harness import WorkerHarness
from worker import stash_source
from worker.outcomes import OutcomeRecorder

pytestmark = pytest.mark.fault

# Edits are made before and after these calls; between two of them it makes no difference when an edit is made.
POINTS: list[tuple[Any, str]] = [
    (JobStore, "claim"),
    (JobStore, "is_superseded"),
    (JobStore, "has_urgent"),
    (JobStore, "finish"),
    (JobStore, "retry_all"),
    (stash_source, "read_batch"),
    (BatchPipeline, "prepare"),
    (BatchPipeline, "write"),
    (BatchPipeline, "write_pictures"),
    (BatchPipeline, "verify"),
    (ItemRecords, "before_write"),
    (PlexClient, "edit"),
    (PlexClient, "get"),
    (OutcomeRecorder, "record"),
    (DeadLetterQueue, "add"),
]


class Interleaver:
    """Count the calls of the points and run actions at some of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.actions: dict[int, Callable[[], None]] = {}
        for owner, name in POINTS:
            monkeypatch.setattr(owner, name, self._watch(getattr(owner, name)))

    def schedule(self, actions: dict[int, Callable[[], None]]) -> None:
        """Set the actions by the number of the moment."""
        self.count, self.actions = 0, actions

    def _watch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def watched(*args: Any, **named: Any) -> Any:
            self._run_action()
            result = original(*args, **named)
            self._run_action()
            return result

        return watched

    def _run_action(self) -> None:
        self.count += 1
        action = self.actions.pop(self.count, None)
        if action is not None:
            action()


class Edits:
    """The saves of one round, each with a new title and rating."""

    def __init__(self, harness: WorkerHarness, number: int) -> None:
        self.harness, self.number, self.count = harness, number, 0

    def __call__(self, scene_id: int) -> None:
        self.count += 1
        self.harness.save_scene(
            scene_id, title=f"{self.number}, edit {self.count}", rating100=(self.number + self.count) % 101
        )


def test_edit_during_a_write_reaches_plex(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    interleaver = Interleaver(monkeypatch)
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        scenes = harness.synced_scenes(6)
        most = 60
        for number in range(repetitions(12, 600)):
            chance = seeded_random(f"interleaving {number}")
            chosen = chance.sample(scenes, 4)
            edits = Edits(harness, number)
            for scene_id in chosen[:2]:
                edits(scene_id)
            harness.enqueue(*chosen[2:])
            moments = sorted(chance.sample(range(1, most), chance.randrange(1, 4)))
            interleaver.schedule({moment: functools.partial(edits, chance.choice(chosen[:3])) for moment in moments})
            if number % 4 == 0:
                harness.plex.faults.set(status=500, only="^PUT", times=1)
            harness.run_worker(100)
            most = max(20, interleaver.count)
            assert harness.premature_exits == []
            assert harness.problems(scenes) == []
            fault_counts.add("edits during a write", edits.count)

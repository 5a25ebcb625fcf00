"""Killed at any moment: what was accepted is in Plex after one more invocation, everything else after a Reconcile.

A hook, a drainer, a comparison, a task: each is killed at every step that leaves something behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.faults.fault_counts import FaultCounts
from tests.faults.process_harness import ALL, RECENT, ProcessHarness
from tests.faults.suite_size import repetitions, seeded_random

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=60)]


class Step(NamedTuple):
    """Where a process of a kind is killed while people do something. ``where`` is ``module:function``, or a statement
    of SQL and the end of its database's name (``COMMIT @ state.db``)."""

    kind: str
    doing: str
    where: str
    when: str = "before"

    def plan(self, nth: int) -> dict[str, object]:
        pattern, at, db = self.where.partition(" @ ")
        where = {"sql": f"^{pattern}", "db": db} if at else {"at": self.where}
        return {**where, "when": self.when, "nth": nth}


def both(kind: str, doing: str, *places: str) -> list[Step]:
    return [Step(kind, doing, where, when) for where in places for when in ("before", "after")]


HOOK = [
    Step("hook", "saves", "hooks.process:read_document"),
    Step("hook", "saves", "hooks.process:data_dir_of"),
    *both("hook", "saves", "COMMIT @ data.db"),
    *both("hook", "saves", "hooks.process:try_lock", "os:posix_spawn"),
    Step("hook", "saves", "common.detached_process:start", "after"),
    *both("hook", "saves", "os:write"),
    Step("hook", "saves", "hooks.process:_repeat_attention"),
    *both("hook", "renames", "hooks.entity_handlers:on_entity_update"),
    *both("hook", "begins anew", "sync_queue.setup:wait_lock"),
    Step("hook", "begins anew", "CREATE TABLE @ data.db", "after"),
    *both("hook", "begins anew", "PRAGMA user_version=1 @ data.db"),
    *both("hook", "compares", "reconciliation.launch:ensure"),
]
WORKER = [
    Step("worker", "saves", "worker.process:_connection", "after"),
    Step("worker", "saves", "worker.process:_sit_out"),
    Step("worker", "saves", "worker.service:WorkerService.__init__"),
    *both("worker", "saves", "sync_queue.store:JobStore.resume", "COMMIT @ queue/data.db"),
    *both("worker", "saves", "worker.stash_source:read_batch"),
    *both("worker", "saves", "pipeline.scene_records:SceneRecords.before_write", "plex.client:PlexClient.edit"),
    *both("worker", "covers", "plex.client:PlexClient.post"),
    Step("worker", "covers", "pipeline.scene_records:SceneRecords.after_pictures", "after"),
    Step("worker", "saves", "pipeline.batch:BatchPipeline.verify", "after"),
    *both("worker", "saves", "COMMIT @ state.db", "sync_queue.store:JobStore.finish"),
    *both("worker", "refused", "sync_queue.dlq:DeadLetterQueue.add"),
    *both("worker", "renames", "sync_queue.store:JobStore.expand"),
    *both("worker", "reads anew", "matching.index:PlexCache.build_and_compare", "COMMIT @ cache.db"),
    *both("worker", "saves", "worker.status_files:write_text"),
]
RECONCILE = [
    Step("reconcile_recent", "silently", "reconciliation.engine:GapDetectionEngine._process_scene_batch"),
    *both("reconcile_recent", "silently", "COMMIT @ data.db"),
    *both("reconcile_recent", "silently", "reconciliation.scheduler:ReconciliationScheduler.record_run"),
    *both("reconcile_recent", "silently", "api.context:Context.start_worker"),
    *both("reconcile", "compares", "reconciliation.scheduler:ReconciliationScheduler.pause"),
    *both("reconcile", "compares", "reconciliation.engine:GapDetectionEngine.run"),
    Step("reconcile", "compares", "reconciliation.scheduler:ReconciliationScheduler.arrange"),
]
TASKS = [
    *both("all", "syncs", "COMMIT @ data.db", "api.context:Context.start_worker"),
    *both("process_queue", "processes", "api.context:Context.start_worker"),
    *both("wake", "wakes", "os:posix_spawn"),
]
STEPS = [*HOOK, *WORKER, *RECONCILE, *TASKS]
# How long a process of a kind is at work here, in seconds: a kill at random comes within this time.
LIVES = {"hook": 0.006, "worker": 0.12, "reconcile_recent": 0.03, "reconcile": 0.05, "all": 0.03}
DOING = {"hook": "saves", "worker": "saves", "reconcile_recent": "silently", "reconcile": "compares", "all": "syncs"}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessHarness]:
    found = ProcessHarness(tmp_path_factory.mktemp("stage"))
    yield found
    found.close()


def do(harness: ProcessHarness, what: str, scene_ids: list[int]) -> None:
    """What goes on while the process is killed."""
    for scene_id in scene_ids:
        DEEDS[what](harness, scene_id)
    if what == "silently":
        harness.installation.task(RECENT)
    elif what == "syncs":
        harness.installation.task("Sync All Scenes")
    elif what == "processes":
        harness.installation.task("Process Queue")
    elif what == "wakes":
        harness.wake()


DEEDS: dict[str, Callable[[ProcessHarness, int], object]] = {
    "saves": ProcessHarness.save_scene,
    "begins anew": ProcessHarness.save_scene,
    "refused": ProcessHarness.save_scene,
    "processes": ProcessHarness.save_without_worker,
    "wakes": ProcessHarness.save_without_worker,
    "syncs": ProcessHarness.save_without_hook,
    "silently": ProcessHarness.save_without_hook,
    "compares": ProcessHarness.save_scene,
    "covers": ProcessHarness.save_cover,
    "renames": ProcessHarness.rename_performer,
    "reads anew": ProcessHarness.save_scene,
}


def kill(harness: ProcessHarness, kind: str, doing: str, plan: dict[str, object], name: str) -> bool:
    """One process of ``kind`` is killed, and everything must be well after that. True where the kill came about."""
    chance = seeded_random(name)
    edited = chance.sample(harness.scenes, 2)
    harness.kill_worker()
    if doing == "begins anew":
        harness.delete_queue()
    elif doing == "compares":
        harness.make_reconciliation_due()
    elif doing == "reads anew":
        harness.delete_index()
    elif doing == "refused":
        harness.installation.plex.faults.set(status=400, only="^PUT", times=1)
    harness.fork_server.take_accepted_jobs()
    harness.fork_server.plan(kind, **plan)
    do(harness, doing, edited)
    came = harness.wait_for_kill(kind)
    if not came:  # it is still to be killed, and would be in the middle of what follows
        harness.kill_worker()
    harness.installation.plex.faults.clear()
    accepted = [scene_id for scene_id in edited if f"scene_{scene_id}" in harness.fork_server.take_accepted_jobs()]
    harness.invoke_at_random(chance)
    harness.wait_until_idle()
    if doing == "refused":
        harness.installation.task("Retry Dead Letters")
        harness.wait_until_idle()
    assert harness.unsynced_fields(accepted) == {}
    if doing == "renames":
        edited = [int(scene.id) for scene in harness.installation.library.scenes]
    if harness.unsynced_fields(edited):
        # a renamed performer leaves the times of its scenes as they are (stash 4.2)
        harness.reconcile(ALL if doing == "renames" else RECENT)
        assert harness.unsynced_fields(edited) == {}
    harness.assert_invariants()
    return came


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.kind}-{step.doing}-{step.where}-{step.when}")
def test_at_a_named_step(harness: ProcessHarness, step: Step, fault_counts: FaultCounts) -> None:
    rounds = repetitions(3, 40)
    came = [
        kill(harness, step.kind, step.doing, step.plan(1 + number // 2 % 2), f"{step} {number}")
        for number in range(rounds)
    ]
    assert came[0], "this step was not reached: is it called something else now?"
    fault_counts.add("kills at named steps", sum(came))


@pytest.mark.parametrize("kind", LIVES)
def test_at_any_moment(harness: ProcessHarness, kind: str, fault_counts: FaultCounts) -> None:
    chance = seeded_random(kind)
    for number in range(repetitions(8, 650)):
        after = chance.uniform(0, LIVES[kind])
        fault_counts.add("kills at random", kill(harness, kind, DOING[kind], {"after": after}, f"{kind} {number}"))

"""Processes killed at any moment: accepted edits reach Plex after the next invocation, the others after a Reconcile.

Hooks, the worker, reconciliations and tasks are killed at every step that leaves something on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.faults.fault_counts import FaultCounts
from tests.faults.process_harness import ALL, RECENT, ProcessHarness
from tests.faults.suite_size import repetitions, seeded_random

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=105)]


class KillPoint(NamedTuple):
    """A point at which a kind of process is killed during an activity.

    ``where`` is ``module:function``, or an SQL statement and the end of its database's path (``COMMIT @ state.db``).
    """

    kind: str
    activity: str
    where: str
    when: str = "before"

    def plan(self, nth: int) -> dict[str, object]:
        pattern, at, db = self.where.partition(" @ ")
        where = {"sql": f"^{pattern}", "db": db} if at else {"at": self.where}
        return {**where, "when": self.when, "nth": nth}


def before_and_after(kind: str, activity: str, *places: str) -> list[KillPoint]:
    return [KillPoint(kind, activity, where, when) for where in places for when in ("before", "after")]


HOOK_KILLS = [
    KillPoint("hook", "saves", "hooks.process:read_document"),
    KillPoint("hook", "saves", "hooks.process:data_dir_of"),
    *before_and_after("hook", "saves", "COMMIT @ data.db"),
    *before_and_after("hook", "saves", "hooks.process:try_lock", "os:posix_spawn"),
    KillPoint("hook", "saves", "common.detached_process:start", "after"),
    *before_and_after("hook", "saves", "os:write"),
    KillPoint("hook", "saves", "hooks.process:_repeat_attention"),
    *before_and_after("hook", "renames a performer", "hooks.entity_handlers:on_entity_update"),
    *before_and_after("hook", "starts without a queue", "sync_queue.setup:wait_lock"),
    KillPoint("hook", "starts without a queue", "CREATE TABLE @ data.db", "after"),
    *before_and_after("hook", "starts without a queue", "PRAGMA user_version=1 @ data.db"),
    *before_and_after("hook", "reconciles", "common.detached_process:ensure_reconciliation"),
]
WORKER_KILLS = [
    KillPoint("worker", "saves", "worker.process:read_connection", "after"),
    KillPoint("worker", "saves", "worker.process:wait_out_pause"),
    KillPoint("worker", "saves", "worker.service:WorkerService.__init__"),
    *before_and_after("worker", "saves", "sync_queue.store:JobStore.resume", "COMMIT @ queue/data.db"),
    *before_and_after("worker", "saves", "worker.stash_source:read_batch"),
    *before_and_after(
        "worker", "saves", "pipeline.item_records:ItemRecords.before_write", "plex.client:PlexClient.edit"
    ),
    *before_and_after("worker", "saves a cover", "plex.client:PlexClient.post"),
    KillPoint("worker", "saves a cover", "pipeline.item_records:ItemRecords.after_pictures", "after"),
    KillPoint("worker", "saves", "pipeline.batch:BatchPipeline.verify", "after"),
    *before_and_after("worker", "saves", "COMMIT @ state.db", "sync_queue.store:JobStore.finish"),
    *before_and_after("worker", "is refused by Plex", "sync_queue.dlq:DeadLetterQueue.add"),
    *before_and_after("worker", "renames a performer", "sync_queue.store:JobStore.expand"),
    *before_and_after(
        "worker", "builds the index", "matching.index_store:PlexCache.build_and_compare", "COMMIT @ cache.db"
    ),
    *before_and_after("worker", "saves", "worker.status_files:write_text"),
]
RECONCILE_KILLS = [
    KillPoint(
        "reconcile_recent", "saves without a hook", "reconciliation.engine:GapDetectionEngine._process_scene_batch"
    ),
    *before_and_after("reconcile_recent", "saves without a hook", "COMMIT @ data.db"),
    *before_and_after(
        "reconcile_recent", "saves without a hook", "reconciliation.scheduler:ReconciliationScheduler.record_run"
    ),
    *before_and_after("reconcile_recent", "saves without a hook", "api.context:Context.start_worker"),
    *before_and_after("reconcile", "reconciles", "reconciliation.scheduler:ReconciliationScheduler.pause"),
    *before_and_after("reconcile", "reconciles", "reconciliation.engine:GapDetectionEngine.run"),
    KillPoint("reconcile", "reconciles", "reconciliation.scheduler:ReconciliationScheduler.arrange"),
]
TASK_KILLS = [
    *before_and_after("all", "syncs all", "COMMIT @ data.db", "api.context:Context.start_worker"),
    *before_and_after("process_queue", "processes the queue", "api.context:Context.start_worker"),
    *before_and_after("wake", "starts the worker", "os:posix_spawn"),
]
KILL_POINTS = [*HOOK_KILLS, *WORKER_KILLS, *RECONCILE_KILLS, *TASK_KILLS]
# How long each kind of process works here, in seconds: a random kill comes within this time.
WORK_DURATION_S = {"hook": 0.006, "worker": 0.12, "reconcile_recent": 0.03, "reconcile": 0.05, "all": 0.03}
ACTIVITIES = {
    "hook": "saves",
    "worker": "saves",
    "reconcile_recent": "saves without a hook",
    "reconcile": "reconciles",
    "all": "syncs all",
}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessHarness]:
    found = ProcessHarness(tmp_path_factory.mktemp("kills"))
    yield found
    found.close()


def act(harness: ProcessHarness, activity: str, scene_ids: list[int]) -> None:
    """Do what the process is killed during."""
    for scene_id in scene_ids:
        ACTIONS[activity](harness, scene_id)
    if activity == "saves without a hook":
        harness.installation.task(RECENT)
    elif activity == "syncs all":
        harness.installation.task("Sync All Scenes")
    elif activity == "processes the queue":
        harness.installation.task("Process Queue")
    elif activity == "starts the worker":
        harness.wake()


ACTIONS: dict[str, Callable[[ProcessHarness, int], object]] = {
    "saves": ProcessHarness.save_scene,
    "starts without a queue": ProcessHarness.save_scene,
    "is refused by Plex": ProcessHarness.save_scene,
    "processes the queue": ProcessHarness.save_without_worker,
    "starts the worker": ProcessHarness.save_without_worker,
    "syncs all": ProcessHarness.save_without_hook,
    "saves without a hook": ProcessHarness.save_without_hook,
    "reconciles": ProcessHarness.save_scene,
    "saves a cover": ProcessHarness.save_cover,
    "renames a performer": ProcessHarness.rename_performer,
    "builds the index": ProcessHarness.save_scene,
}


def kill_and_recover(harness: ProcessHarness, kind: str, activity: str, plan: dict[str, object], name: str) -> bool:
    """Kill one process of a kind and assert that the plugin recovers. Return whether the kill happened."""
    chance = seeded_random(name)
    edited = chance.sample(harness.scenes, 2)
    harness.kill_worker()
    if activity == "starts without a queue":
        harness.delete_queue()
    elif activity == "reconciles":
        harness.make_reconciliation_due()
    elif activity == "builds the index":
        harness.delete_index()
    elif activity == "is refused by Plex":
        harness.installation.plex.faults.set(status=400, only="^PUT", times=1)
    harness.fork_server.take_accepted_jobs()
    harness.fork_server.plan(kind, **plan)
    act(harness, activity, edited)
    was_killed = harness.wait_for_kill(kind)
    if not was_killed:  # else the plan could still kill it during the next steps
        harness.kill_worker()
    harness.installation.plex.faults.clear()
    accepted = [scene_id for scene_id in edited if f"scene_{scene_id}" in harness.fork_server.take_accepted_jobs()]
    harness.invoke_at_random(chance)
    harness.wait_until_idle()
    if activity == "is refused by Plex":
        harness.installation.task("Retry Dead Letters")
        harness.wait_until_idle()
    assert harness.unsynced_fields(accepted) == {}
    if activity == "renames a performer":
        edited = [int(scene.id) for scene in harness.installation.library.scenes]
    if harness.unsynced_fields(edited):
        # renaming a performer does not change updated_at of its scenes (stash 4.2)
        harness.reconcile(ALL if activity == "renames a performer" else RECENT)
        assert harness.unsynced_fields(edited) == {}
    harness.assert_invariants()
    return was_killed


@pytest.mark.parametrize(
    "kill_point", KILL_POINTS, ids=lambda point: f"{point.kind}-{point.activity}-{point.where}-{point.when}"
)
def test_process_killed_at_a_named_point_loses_nothing(
    harness: ProcessHarness, kill_point: KillPoint, fault_counts: FaultCounts
) -> None:
    rounds = repetitions(3, 40)
    kills = [
        kill_and_recover(
            harness,
            kill_point.kind,
            kill_point.activity,
            kill_point.plan(1 + number // 2 % 2),
            f"{kill_point} {number}",
        )
        for number in range(rounds)
    ]
    assert kills[0], "this kill point was not reached: was it renamed?"
    fault_counts.add("kills at named points", sum(kills))


@pytest.mark.parametrize("kind", WORK_DURATION_S)
def test_process_killed_at_a_random_moment_loses_nothing(
    harness: ProcessHarness, kind: str, fault_counts: FaultCounts
) -> None:
    chance = seeded_random(kind)
    for number in range(repetitions(8, 650)):
        after = chance.uniform(0, WORK_DURATION_S[kind])
        fault_counts.add(
            "kills at random moments",
            kill_and_recover(harness, kind, ACTIVITIES[kind], {"after": after}, f"{kind} {number}"),
        )

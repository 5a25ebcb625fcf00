"""Killed at any moment: what was accepted is in Plex after one more invocation, everything else after a Reconcile.

A hook, a drainer, a comparison, a task: each is killed at every step that leaves something behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.faults.size import dice, many
from tests.faults.stage import ALL, RECENT, Stage
from tests.faults.tally import Tally

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
DRAIN = [
    Step("drain", "saves", "worker.process:_connection", "after"),
    Step("drain", "saves", "worker.process:_sit_out"),
    Step("drain", "saves", "worker.service:WorkerService.__init__"),
    *both("drain", "saves", "sync_queue.store:JobStore.resume", "COMMIT @ queue/data.db"),
    *both("drain", "saves", "worker.service:read_batch"),
    *both("drain", "saves", "pipeline.scene_records:SceneRecords.before_write", "plex.client:PlexClient.edit"),
    *both("drain", "covers", "plex.client:PlexClient.post"),
    Step("drain", "covers", "pipeline.scene_records:SceneRecords.after_pictures", "after"),
    Step("drain", "saves", "worker.processor:SyncWorker.verify", "after"),
    *both("drain", "saves", "COMMIT @ state.db", "sync_queue.store:JobStore.finish"),
    *both("drain", "refused", "sync_queue.dlq:DeadLetterQueue.add"),
    *both("drain", "renames", "sync_queue.store:JobStore.expand"),
    *both("drain", "reads anew", "matching.index:PlexCache.build_and_compare", "COMMIT @ cache.db"),
    *both("drain", "saves", "worker.status_files:write_text"),
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
STEPS = [*HOOK, *DRAIN, *RECONCILE, *TASKS]
# How long a process of a kind is at work here, in seconds: a kill at random comes within this time.
LIVES = {"hook": 0.006, "drain": 0.12, "reconcile_recent": 0.03, "reconcile": 0.05, "all": 0.03}
DOING = {"hook": "saves", "drain": "saves", "reconcile_recent": "silently", "reconcile": "compares", "all": "syncs"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("stage"))
    yield found
    found.close()


def do(stage: Stage, what: str, scene_ids: list[int]) -> None:
    """What goes on while the process is killed."""
    for scene_id in scene_ids:
        DEEDS[what](stage, scene_id)
    if what == "silently":
        stage.installation.task(RECENT)
    elif what == "syncs":
        stage.installation.task("Sync All Scenes")
    elif what == "processes":
        stage.installation.task("Process Queue")
    elif what == "wakes":
        stage.wake()


DEEDS: dict[str, Callable[[Stage, int], object]] = {
    "saves": Stage.save,
    "begins anew": Stage.save,
    "refused": Stage.save,
    "processes": Stage.save_alone,
    "wakes": Stage.save_alone,
    "syncs": Stage.silently,
    "silently": Stage.silently,
    "compares": Stage.save,
    "covers": Stage.cover,
    "renames": Stage.rename,
    "reads anew": Stage.save,
}


def kill(stage: Stage, kind: str, doing: str, plan: dict[str, object], name: str) -> bool:
    """One process of ``kind`` is killed, and everything must be well after that. True where the kill came about."""
    chance = dice(name)
    edited = chance.sample(stage.scenes, 2)
    stage.no_drainer()
    if doing == "begins anew":
        stage.no_queue()
    elif doing == "compares":
        stage.comparison_is_due()
    elif doing == "reads anew":
        stage.no_index()
    elif doing == "refused":
        stage.installation.plex.faults.set(status=400, only="^PUT", times=1)
    stage.fork_server.accepted()
    stage.fork_server.plan(kind, **plan)
    do(stage, doing, edited)
    came = stage.killed(kind)
    if not came:  # it is still to be killed, and would be in the middle of what follows
        stage.no_drainer()
    stage.installation.plex.faults.clear()
    accepted = [scene_id for scene_id in edited if f"scene_{scene_id}" in stage.fork_server.accepted()]
    stage.invoke(chance)
    stage.quiet()
    if doing == "refused":
        stage.installation.task("Retry Dead Letters")
        stage.quiet()
    assert stage.lacking(accepted) == {}
    if doing == "renames":
        edited = [int(scene.id) for scene in stage.installation.library.scenes]
    if stage.lacking(edited):
        # a renamed performer leaves the times of its scenes as they are (stash 4.2)
        stage.reconcile(ALL if doing == "renames" else RECENT)
        assert stage.lacking(edited) == {}
    stage.must_hold()
    return came


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.kind}-{step.doing}-{step.where}-{step.when}")
def test_at_a_named_step(stage: Stage, step: Step, tally: Tally) -> None:
    rounds = many(3, 40)
    came = [
        kill(stage, step.kind, step.doing, step.plan(1 + number // 2 % 2), f"{step} {number}")
        for number in range(rounds)
    ]
    assert came[0], "this step was not reached: is it called something else now?"
    tally("kills at named steps", sum(came))


@pytest.mark.parametrize("kind", LIVES)
def test_at_any_moment(stage: Stage, kind: str, tally: Tally) -> None:
    chance = dice(kind)
    for number in range(many(8, 650)):
        after = chance.uniform(0, LIVES[kind])
        tally("kills at random", kill(stage, kind, DOING[kind], {"after": after}, f"{kind} {number}"))

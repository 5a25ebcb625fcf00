"""An installation whose processes come from the fork server, so that tests can kill them at planned points."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.detached_process import RECONCILE, WORKER
from common.file_locks import try_lock, unlock
from sandbox.library import generate
from sandbox.stash import StashGraphQLError
from tests.faults import invariants
from tests.faults.fork_server import ForkServer
from tests.installation import PLUGIN, Installation, poll_until

WAKE = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: {mode: "wake"}) }'
ALL = "Reconcile Library (All)"
RECENT = "Reconcile Library (Recent)"
RENAME = "mutation($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }"

# A worker whose queue has been empty for this long will not reach the planned kill point any more.
IDLE_BEFORE_GIVING_UP_S = 0.4


class ProcessHarness:
    """An installation, its fork server, and the actions around a kill. ``scenes`` are those that the tests edit."""

    def __init__(self, folder: Path) -> None:
        self.fork_server = ForkServer(folder / "fork_server")
        self.installation = Installation(folder, generate(1, 40), python=str(self.fork_server.python))
        self.installation.start(reconciled=False)
        self.scenes = self.installation.scenes_with_file(12)
        self._edits = 0
        self.installation.task("Sync All Scenes")
        self.wait_until_idle()

    def close(self) -> None:
        """Stop all processes and servers."""
        self.kill_worker()
        self.installation.stop()
        self.fork_server.close()

    # edits in Stash

    def save_scene(self, scene_id: int, **more: Any) -> int:
        """Save a scene with a new title."""
        self._edits += 1
        self.installation.save(scene_id, title=f"Edit {self._edits}", **more)
        return scene_id

    def save_without_worker(self, scene_id: int) -> int:
        """Save it and kill the worker, so that the job stays in the queue."""
        self.save_scene(scene_id)
        self.kill_worker()
        return scene_id

    def wake(self) -> None:
        """Call the page's operation that starts the worker; like the page, ignore its failure if it is killed."""
        with contextlib.suppress(StashGraphQLError):
            self.installation.stash.gql(WAKE)

    def save_cover(self, scene_id: int) -> int:
        """Save it with a new cover."""
        picture = b"\xff\xd8\xff\xe0" + f"picture {self._edits}".encode() * 20
        return self.save_scene(scene_id, cover_image="data:image/jpeg;base64," + base64.b64encode(picture).decode())

    def save_without_hook(self, scene_id: int) -> int:
        """Save it without a hook, as in a bulk edit whose browser was closed (stash 2.5)."""
        self.installation.stash.set_plugin_enabled(PLUGIN, False)
        self.save_scene(scene_id)
        self.installation.stash.set_plugin_enabled(PLUGIN, True)
        return scene_id

    def rename_performer(self, scene_id: int) -> int:
        """Rename the first performer of a scene; add one first if there is none."""
        performers = self.installation.stash.scene(scene_id).performer_ids
        if not performers:
            self.save_scene(scene_id, performer_ids=["4"])
        self._edits += 1
        performer = self.installation.stash.scene(scene_id).performer_ids[0]
        self.installation.stash.gql(RENAME, {"i": {"id": str(performer), "name": f"Person {performer} {self._edits}"}})
        return scene_id

    # the plugin's processes and files

    def kill_worker(self) -> None:
        """Kill the worker and every other detached process, also one that is just being started."""
        wait_for(self._kill_detached_processes, 10, "the detached processes to end")
        (self.installation.data / "worker.wait").unlink(missing_ok=True)

    def _kill_detached_processes(self) -> bool:
        pids = [found["pid"] for found in self.fork_server.processes() if found["kind"] in (WORKER, RECONCILE)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # a process that is being started holds its lock already
        return not pids and all(_is_free(self.installation.data / name) for name in ("worker.lock", "reconcile.lock"))

    def delete_queue(self) -> None:
        """Delete the queue, as before the first use. No worker may run."""
        shutil.rmtree(self.installation.data / "queue")

    def delete_index(self) -> None:
        """Delete the index of Plex. No worker may run."""
        for path in self.installation.data.glob("cache.db*"):
            path.unlink()

    def make_reconciliation_due(self) -> None:
        """Forget the last reconciliation, as after a start of Stash long after it."""
        for name in ("reconcile.due", "reconciliation_state.json"):
            (self.installation.data / name).unlink(missing_ok=True)

    def wait_for_kill(self, kind: str, seconds: float = 10) -> bool:
        """Wait until the planned process was killed and return True.

        Return False if it never reached the kill point: it ended by itself, or it finished its work and still runs.
        """
        idle_since = [float("inf")]

        def is_decided() -> bool:
            if self.fork_server.planned_exit_code() is not None or kind != WORKER:
                return self.fork_server.planned_exit_code() is not None
            idle_since[0] = min(idle_since[0], time.monotonic()) if self._is_idle() else float("inf")
            return time.monotonic() - idle_since[0] > IDLE_BEFORE_GIVING_UP_S

        wait_for(is_decided, seconds, "the planned process to end")
        self.fork_server.discard_plan()
        return self.fork_server.planned_exit_code() in (-signal.SIGKILL, -signal.SIGALRM)

    # after the kill

    def invoke_at_random(self, random_choice: random.Random) -> None:
        """Invoke the plugin once in any of the ways that start the worker."""
        random_choice.choice(self.invocations())()

    def invocations(self) -> list[Callable[[], object]]:
        """Return every way to start the worker: a save, the page, two tasks, and a hook that queues nothing."""
        return [
            lambda: self.save_scene(self.scenes[-1]),
            self.wake,
            lambda: self.installation.task("Process Queue"),
            lambda: self.installation.task("View Queue Status"),
            lambda: self.installation.save(self.scenes[-1], play_duration=1.0),
        ]

    def wait_until_idle(self, seconds: float = 20) -> None:
        """Wait until no job is waiting or in flight."""
        wait_for(self._is_idle, seconds, "the queue to be empty")

    def reconcile(self, task: str) -> None:
        """Run a reconciliation task after any that is running, and wait until the jobs that it queued are done."""
        wait_for(lambda: _is_free(self.installation.data / "reconcile.lock"), 20, "the other reconciliation to end")
        self.installation.task(task)
        self.wait_until_idle()

    def _is_idle(self) -> bool:
        rows = self.installation.queue_counts()
        return not (rows["waiting"] or rows["in_flight"])

    def unsynced_fields(self, scene_ids: list[int]) -> dict[int, list[str]]:
        """Return by scene the fields in which Plex differs from Stash and no row explains it."""
        stash, plex = self.installation.stash, self.installation.plex
        differing = {scene_id: invariants.differing_fields(stash, plex, scene_id) for scene_id in scene_ids}
        explained = invariants.explained_scenes(self.installation.data)
        return {scene_id: fields for scene_id, fields in differing.items() if fields and scene_id not in explained}

    def assert_invariants(self) -> None:
        """Assert the invariants, after a moment for a worker that has just finished."""
        wait_for(lambda: not self._violations(), 5, lambda: "\n".join(self._violations()[:8]))

    def _violations(self) -> list[str]:
        found = invariants.installation_violations(self.installation)
        if self.fork_server.saw_two_workers():
            found.append("two workers ran at the same time")
        if error := self.fork_server.take_error():
            found.append(error[-2000:])
        return found


def wait_for(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait as in tests.installation, but poll more often: the fault suite waits thousands of times."""
    poll_until(condition, seconds, what, 0.002)


def _is_free(path: Path) -> bool:
    handle = try_lock(str(path))
    if handle is not None:
        unlock(handle)
    return handle is not None

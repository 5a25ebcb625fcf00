"""A installation whose processes come out of the fork_server: where things are killed, and what people do there."""

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

from common.file_locks import try_lock, unlock
from sandbox.library import generate
from sandbox.stash import StashGraphQLError
from tests.faults import invariant
from tests.faults.fork_server import ForkServer
from tests.installation import PLUGIN, Installation, poll_until

WAKE = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: {mode: "wake"}) }'
ALL = "Reconcile Library (All)"
RECENT = "Reconcile Library (Recent)"
RENAME = "mutation($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }"

# A drainer that has had nothing to do for so long does not come by the step it was to be killed at.
NOTHING_MORE = 0.4


class Stage:
    """``installation`` is the whole; ``scenes`` are those that people edit here, ``actors`` the performers in them."""

    def __init__(self, folder: Path) -> None:
        self.fork_server = ForkServer(folder / "fork_server")
        self.installation = Installation(folder, generate(1, 40), python=str(self.fork_server.python))
        self.installation.start(reconciled=False)
        self.scenes = self.installation.scenes_with_file(12)
        self._edits = 0
        self.installation.task("Sync All Scenes")
        self.quiet()

    def close(self) -> None:
        """End everything."""
        self.no_drainer()
        self.installation.stop()
        self.fork_server.close()

    # what people do

    def save(self, scene_id: int, **more: Any) -> int:
        """Save a scene with a title that it never had."""
        self._edits += 1
        self.installation.save(scene_id, title=f"Edit {self._edits}", **more)
        return scene_id

    def save_alone(self, scene_id: int) -> int:
        """Save it, and have nobody work on that."""
        self.save(scene_id)
        self.no_drainer()
        return scene_id

    def wake(self) -> None:
        """The page's wake-up; killed, it fails, and the page says nothing."""
        with contextlib.suppress(StashGraphQLError):
            self.installation.stash.gql(WAKE)

    def cover(self, scene_id: int) -> int:
        """Save it with a picture that it never had."""
        picture = b"\xff\xd8\xff\xe0" + f"picture {self._edits}".encode() * 20
        return self.save(scene_id, cover_image="data:image/jpeg;base64," + base64.b64encode(picture).decode())

    def silently(self, scene_id: int) -> int:
        """Save it, and no hook runs: as in a bulk edit whose browser was closed (stash 2.5)."""
        self.installation.stash.set_plugin_enabled(PLUGIN, False)
        self.save(scene_id)
        self.installation.stash.set_plugin_enabled(PLUGIN, True)
        return scene_id

    def rename(self, scene_id: int) -> int:
        """Rename the first performer of a scene, or give it one."""
        people = self.installation.stash.scene(scene_id).performer_ids
        if not people:
            self.save(scene_id, performer_ids=["4"])
        self._edits += 1
        who = self.installation.stash.scene(scene_id).performer_ids[0]
        self.installation.stash.gql(RENAME, {"i": {"id": str(who), "name": f"Person {who} {self._edits}"}})
        return scene_id

    # what is done to the plugin

    def no_drainer(self) -> None:
        """Kill the drainer, and whatever else lives by itself; also what is only just being started."""
        wait(self._nobody_lives, 10, "their end")
        (self.installation.data / "drainer.wait").unlink(missing_ok=True)

    def _nobody_lives(self) -> bool:
        lives = [life["pid"] for life in self.fork_server.lives() if life["kind"] in ("drain", "reconcile")]
        for pid in lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # whoever is on the way has the lock already
        return not lives and all(_is_free(self.installation.data / name) for name in ("worker.lock", "reconcile.lock"))

    def no_queue(self) -> None:
        """Take the queue away, as before the first use. Nobody may be at work."""
        shutil.rmtree(self.installation.data / "queue")

    def no_index(self) -> None:
        """Take the index of Plex away. Nobody may be at work."""
        for path in self.installation.data.glob("cache.db*"):
            path.unlink()

    def comparison_is_due(self) -> None:
        """As after a start of Stash long after the last comparison."""
        for name in ("reconcile.due", "reconciliation_state.json"):
            (self.installation.data / name).unlink(missing_ok=True)

    def killed(self, kind: str, seconds: float = 10) -> bool:
        """Wait for the end of the process that was to be killed. False where its plan was never carried out: it ended
        by itself, or it has done everything and lives on."""
        dry_since = [float("inf")]

        def decided() -> bool:
            if self.fork_server.fate() is not None or kind != "drain":
                return self.fork_server.fate() is not None
            dry_since[0] = min(dry_since[0], time.monotonic()) if self._dry() else float("inf")
            return time.monotonic() - dry_since[0] > NOTHING_MORE

        wait(decided, seconds, "the planned process to end")
        self.fork_server.drop()
        return self.fork_server.fate() in (-signal.SIGKILL, -signal.SIGALRM)

    # afterwards

    def invoke(self, dice: random.Random) -> str:
        """One further invocation of the plugin, of any kind that it promises to wake up by."""
        name, act = dice.choice(list(self.invocations().items()))
        act()
        return name

    def invocations(self) -> dict[str, Callable[[], object]]:
        """Every kind there is."""
        return {
            "a save": lambda: self.save(self.scenes[-1]),
            "the page": self.wake,
            "Process Queue": lambda: self.installation.task("Process Queue"),
            "View Queue Status": lambda: self.installation.task("View Queue Status"),
            "a play count": lambda: self.installation.save(self.scenes[-1], play_duration=1.0),
        }

    def quiet(self, seconds: float = 20) -> None:
        """Wait until nothing waits and nothing is in flight."""
        wait(self._dry, seconds, "the queue to run dry")

    def reconcile(self, task: str) -> None:
        """Run a comparison to its end, after whichever is at work already, and have done what it found."""
        wait(lambda: _is_free(self.installation.data / "reconcile.lock"), 20, "the other comparison to end")
        self.installation.task(task)
        self.quiet()

    def _dry(self) -> bool:
        rows = self.installation.queue_counts()
        return not (rows["waiting"] or rows["in_flight"])

    def lacking(self, scene_ids: list[int]) -> dict[int, list[str]]:
        """Those of the scenes that Plex does not show as Stash has them, and no row says why; with their fields."""
        found = {one: invariant.astray(self.installation.stash, self.installation.plex, one) for one in scene_ids}
        excused = invariant.excused(self.installation.data)
        return {one: fields for one, fields in found.items() if fields and one not in excused}

    def must_hold(self) -> None:
        """The invariants, which a drainer that has just finished may take a moment to reach."""
        wait(lambda: not self._violations(), 5, lambda: "\n".join(self._violations()[:8]))

    def _violations(self) -> list[str]:
        found = invariant.in_installation(self.installation)
        if self.fork_server.two_drainers():
            found.append("two drainers were at work at the same time")
        if broken := self.fork_server.broken():
            found.append(broken[-2000:])
        return found


def wait(true: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """As the installation's, with an eye on every millisecond: this is done thousands of times."""
    poll_until(true, seconds, what, 0.002)


def _is_free(path: Path) -> bool:
    handle = try_lock(str(path))
    if handle is not None:
        unlock(handle)
    return handle is not None

"""Fifty hooks at once, with and without an existing data directory: no error, and nothing lost."""

from __future__ import annotations

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.library import generate
from tests.faults import invariants
from tests.faults.fault_counts import FaultCounts
from tests.faults.fork_server import ForkServer
from tests.faults.suite_size import repetitions
from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=27)]

HOOKS = 50
ROUNDS = repetitions(5, 20)


def save_all_at_once(installation: Installation, scene_ids: list[int], number: int) -> None:
    """Save all scenes at the same moment, each from its own connection and with its own hook."""
    processes_before = len(installation.stash.processes)
    with ThreadPoolExecutor(HOOKS) as pool:
        list(pool.map(lambda scene: installation.save(scene, title=f"Round {number}, scene {scene}"), scene_ids))
    installation.wait_until_idle(60)
    hooks = [process for process in installation.stash.processes[processes_before:] if process.kind == "hook"]
    assert [(hook.exit_code, hook.output, hook.error) for hook in hooks] == [(0, "ok", None)] * len(scene_ids)
    wait_for(
        lambda: not invariants.installation_violations(installation, scene_ids),
        5,
        lambda: "\n".join(invariants.installation_violations(installation, scene_ids)),
    )
    warnings = [line.message for line in installation.stash.log if line.level in ("Error", "Warning")]
    assert warnings == []


@pytest.mark.parametrize("empty", [True, False], ids=["without data directory", "with data directory"])
def test_fifty_hooks_at_once_queue_every_scene(tmp_path: Path, empty: bool, fault_counts: FaultCounts) -> None:
    """Use real Python processes in the first round, then forked ones, which are faster and so collide more often."""
    fork_server = ForkServer(tmp_path / "fork_server")
    for number in range(ROUNDS):
        options = {"python": str(fork_server.python)} if number else {}
        installation = Installation(tmp_path / str(number), generate(number, 90), **options)
        installation.start()
        try:
            scenes = installation.scenes_with_file(HOOKS)
            if not empty:
                installation.save(scenes[0], title="The first of all")
                installation.wait_until_idle()
            save_all_at_once(installation, scenes, number)
            if not empty and number == 1:
                # no worker runs, and all files exist
                installation.stop_worker(signal.SIGKILL)
                save_all_at_once(installation, scenes, -number)
            assert not fork_server.saw_two_workers()
            assert fork_server.take_error() == ""
        finally:
            installation.stop()
            shutil.rmtree(tmp_path / str(number))
        fault_counts.add("rounds of 50 concurrent hooks")
    fork_server.close()

"""Fifty hooks at once, on a data directory that is there and on one that is not: no error, and nothing lost."""

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

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=56)]

MANY = 50
ROUNDS = repetitions(5, 20)


def crowd(installation: Installation, scene_ids: list[int], number: int) -> None:
    """All scenes are saved at the same moment; each has its own browser, and its own hook."""
    seen = len(installation.stash.processes)
    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(lambda scene: installation.save(scene, title=f"Round {number}, scene {scene}"), scene_ids))
    installation.wait_until_idle(60)
    hooks = [process for process in installation.stash.processes[seen:] if process.kind == "hook"]
    assert [(hook.exit_code, hook.output, hook.error) for hook in hooks] == [(0, "ok", None)] * len(scene_ids)
    wait_for(
        lambda: not invariants.installation_violations(installation, scene_ids),
        5,
        lambda: "\n".join(invariants.installation_violations(installation, scene_ids)),
    )
    noise = [line.message for line in installation.stash.log if line.level in ("Error", "Warning")]
    assert noise == []


@pytest.mark.parametrize("empty", [True, False], ids=["on nothing", "on what is there"])
def test_fifty_hooks_at_once(tmp_path: Path, empty: bool, fault_counts: FaultCounts) -> None:
    """The first round with Python as it is; the others with processes that are quicker, and so meet more closely."""
    fork_server = ForkServer(tmp_path / "fork_server")
    for number in range(ROUNDS):
        quicker = {"python": str(fork_server.python)} if number else {}
        installation = Installation(tmp_path / str(number), generate(number, 90), **quicker)
        installation.start()
        try:
            scenes = installation.scenes_with_file(MANY)
            if not empty:
                installation.save(scenes[0], title="The first of all")
                installation.wait_until_idle()
            crowd(installation, scenes, number)
            if not empty and number == 1:
                # nobody at work, and everything there
                installation.stop_worker(signal.SIGKILL)
                crowd(installation, scenes, -number)
            assert not fork_server.saw_two_workers()
            assert fork_server.take_error() == ""
        finally:
            installation.stop()
            shutil.rmtree(tmp_path / str(number))
        fault_counts.add("crowds of 50 hooks")
    fork_server.close()

"""Real processes instead of forked ones: hooks killed by Stash, killed workers, and servers that fail for a while."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.library import generate
from tests.faults import invariants
from tests.faults.fault_counts import FaultCounts
from tests.faults.process_harness import RECENT, WAKE
from tests.faults.suite_size import LONG, repetitions, seeded_random
from tests.installation import SAVE, Installation, wait_for

pytestmark = pytest.mark.fault

FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Plex 503": ("plex", {"status": 503}),
    "Plex resets": ("plex", {"reset": True}),
    "Plex, half a body": ("plex", {"corrupt": "half"}),
    "Plex behind a page": ("plex", {"page": 200}),
    "Stash 502": ("stash", {"status": 502}),
    "Stash resets": ("stash", {"reset": True}),
    "Stash locked": ("stash", {"resolver_error": "database is locked"}),
}


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, generate(3, 40))
    installation.start()
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    yield installation
    installation.stop()


def assert_invariants(installation: Installation) -> None:
    """Assert the invariants, after a moment for a worker that has just finished."""
    wait_for(
        lambda: not invariants.installation_violations(installation),
        20,
        lambda: "\n".join(invariants.installation_violations(installation)[:8]),
    )


def test_killed_hooks_and_workers_lose_nothing(synced: Installation, fault_counts: FaultCounts) -> None:
    chance = seeded_random("at home")
    scenes = synced.scenes_with_file(12)
    for number in range(repetitions(2, 150)):
        for scene_id in chance.sample(scenes, 3):
            # closing the browser makes Stash kill the running hook (stash 2.5)
            timeout_s = chance.choice([60.0, chance.uniform(0.001, 0.06)])
            with contextlib.suppress(TimeoutError, OSError):
                synced.stash.gql(
                    SAVE, {"i": {"id": str(scene_id), "title": f"{number} of {scene_id}"}}, timeout=timeout_s
                )
        time.sleep(chance.uniform(0, 0.5))
        pid = synced.worker_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            fault_counts.add("kills of real processes")
        synced.stash.gql(WAKE)
        synced.wait_until_idle()
        synced.task(RECENT)
        synced.wait_until_idle()
        assert_invariants(synced)


@pytest.mark.skipif(not LONG, reason="make torture")
@pytest.mark.parametrize("name", FAULTS)
def test_server_failing_for_some_seconds_loses_nothing(
    synced: Installation, name: str, fault_counts: FaultCounts
) -> None:
    where, switches = FAULTS[name]
    faults = synced.plex.faults if where == "plex" else synced.stash.faults
    synced.plex.faults.write_latency = 0.05
    scenes = synced.scenes_with_file(12)
    for number in range(2):
        for scene_id in scenes:
            synced.save(scene_id, title=f"{name} {number} {scene_id}")
        faults.set(**switches)
        # the save itself is not affected, as from a browser on the server's machine
        synced.stash.gql(SAVE, {"i": {"id": str(scenes[0]), "title": f"meanwhile {number}"}}, through_faults=True)
        time.sleep(seeded_random(f"{name} {number}").uniform(1, 8))
        faults.clear()
        synced.wait_until_idle(120)
        assert_invariants(synced)
        wait_for(lambda: synced.attention() is None, 20, "the reason to be cleared")
        fault_counts.add("server failures with real processes")

"""With processes as they are at home: hooks killed by Stash, drainers by anybody, and servers that come and go."""

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

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=14)]

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
def home(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, generate(3, 40))
    installation.start()
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    yield installation
    installation.stop()


def all_well(installation: Installation) -> None:
    """The invariants hold, now or in a moment."""
    wait_for(
        lambda: not invariants.installation_violations(installation),
        20,
        lambda: "\n".join(invariants.installation_violations(installation)[:8]),
    )


def test_kills_at_home(home: Installation, fault_counts: FaultCounts) -> None:
    chance = seeded_random("at home")
    scenes = home.scenes_with_file(12)
    for number in range(repetitions(2, 150)):
        for scene_id in chance.sample(scenes, 3):
            # a browser that is closed: Stash kills the hook at work (stash 2.5)
            patience = chance.choice([60.0, chance.uniform(0.001, 0.06)])
            with contextlib.suppress(TimeoutError, OSError):
                home.stash.gql(SAVE, {"i": {"id": str(scene_id), "title": f"{number} of {scene_id}"}}, timeout=patience)
        time.sleep(chance.uniform(0, 0.5))
        pid = home.worker_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            fault_counts.add("kills at home")
        home.stash.gql(WAKE)
        home.wait_until_idle()
        home.task(RECENT)
        home.wait_until_idle()
        all_well(home)


@pytest.mark.skipif(not LONG, reason="make torture")
@pytest.mark.parametrize("name", FAULTS)
def test_a_server_that_is_ill_for_some_seconds(home: Installation, name: str, fault_counts: FaultCounts) -> None:
    where, switches = FAULTS[name]
    faults = home.plex.faults if where == "plex" else home.stash.faults
    home.plex.faults.write_latency = 0.05
    scenes = home.scenes_with_file(12)
    for number in range(2):
        for scene_id in scenes:
            home.save(scene_id, title=f"{name} {number} {scene_id}")
        faults.set(**switches)
        # the save itself goes past the switches, as a browser at the server's side does
        home.stash.gql(SAVE, {"i": {"id": str(scenes[0]), "title": f"meanwhile {number}"}}, through_faults=True)
        time.sleep(seeded_random(f"{name} {number}").uniform(1, 8))
        faults.clear()
        home.wait_until_idle(120)
        all_well(home)
        wait_for(lambda: home.attention() is None, 20, "the reason to be taken back")
        fault_counts.add("servers ill at home")

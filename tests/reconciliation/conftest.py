"""Fixtures of the tests of reconciliation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.library import Library
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from tests.reconciliation.support import ServerPair
from tests.worker.support import Clock

MakeServers = Callable[..., ServerPair]


@pytest.fixture
def make_servers(tmp_path: Path) -> Iterator[MakeServers]:
    """Brings a Stash with a library and an empty Plex together, with settings of the test's own."""
    open_now: list[tuple[ServerPair, StashSim]] = []
    clock = Clock()
    clock.now = time.time()  # jobs are queued by the clock on the wall
    with PlexSim(clock=clock) as plex:

        def make(library: Library, **settings: object) -> ServerPair:
            stash = StashSim(tmp_path / "stash", library=library)
            stash.start()
            open_now.append((ServerPair(tmp_path / "data", stash, plex, clock, **settings), stash))
            return open_now[-1][0]

        yield make
        for servers, stash in open_now:
            servers.close()
            stash.stop()

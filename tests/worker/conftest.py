"""Fixtures for the tests of the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sandbox.plex import PlexSim
from tests.worker.support import Bench, Clock

# a busy machine is slow, not wrong
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

MakeBench = Callable[..., Bench]


@pytest.fixture
def clock() -> Clock:
    """One clock for the worker, Plex and all pauses."""
    return Clock()


@pytest.fixture
def plex(clock: Clock) -> Iterator[PlexSim]:
    """A running Plex server."""
    with PlexSim(clock=clock) as found:
        yield found


@pytest.fixture
def make_bench(tmp_path: Path, plex: PlexSim, clock: Clock) -> Iterator[MakeBench]:
    """Create workbenches with given settings, and close them."""
    made: list[Bench] = []

    def make(**settings: object) -> Bench:
        made.append(Bench(tmp_path / "data", plex, clock, **settings))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A workbench with default settings."""
    return make_bench()

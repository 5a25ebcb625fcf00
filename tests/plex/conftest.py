"""Fixtures of the Plex tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from plex.client import PlexClient
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection

# a busy machine is slow, not wrong
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

Connect = Callable[..., PlexClient]


@pytest.fixture
def plex() -> Iterator[PlexSim]:
    """Yield a running, empty Plex."""
    with PlexSim() as found:
        yield found


@pytest.fixture
def scenes(plex: PlexSim) -> SimSection:
    """Return its only library, of movie type."""
    return plex.add_section("Scenes", ["/data"])


@pytest.fixture
def connect(plex: PlexSim) -> Iterator[Connect]:
    """Yield a function that makes clients for it; they are closed at the end."""
    made: list[PlexClient] = []

    def client(url: str = "", token: str = "plex-token", **options: object) -> PlexClient:
        made.append(PlexClient(url or plex.url, token, **options))  # type: ignore[arg-type]
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture
def client(connect: Connect) -> PlexClient:
    """Return a client with the owner's token."""
    return connect(read_timeout=5.0)

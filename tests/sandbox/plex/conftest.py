"""A running Plex simulator, and an unmodified plexapi client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from plexapi.server import PlexServer

from sandbox.plex import PlexSim, Section

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def wait() -> Wait:
    """Wait for a condition, five seconds at most."""

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.005)

    return until


@pytest.fixture(autouse=True)
def _as_plexapi_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever used our own client in this process has switched the hidden reloads off."""
    monkeypatch.setenv("PLEXAPI_PLEXAPI_AUTORELOAD", "true")


@pytest.fixture
def plex(wait: Wait) -> Iterator[PlexSim]:
    """A simulator that leaves no thread behind."""
    before = set(threading.enumerate())
    with PlexSim() as sim:
        yield sim
    wait(lambda: set(threading.enumerate()) <= before)


@pytest.fixture
def scenes(plex: PlexSim) -> Section:
    """An Other Videos library of twelve files."""
    section = plex.add_section("Scenes", ["/data"])
    plex.load(section, ((f"/data/{n // 4}/scene {n:02}.mp4", 1000 + n, 60.0 + n) for n in range(12)))
    return section


@pytest.fixture
def http(plex: PlexSim) -> Iterator[requests.Session]:
    """A session that carries the token and forgets the machine's proxies."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Plex-Token"] = plex.token
        yield session


@pytest.fixture
def server(plex: PlexSim, scenes: Section, http: requests.Session) -> Any:
    """plexapi, connected."""
    return PlexServer(plex.url, plex.token, session=http)

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
def _with_plexapi_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch plexapi's automatic reloads on again: our own client switches them off for the whole process."""
    monkeypatch.setenv("PLEXAPI_PLEXAPI_AUTORELOAD", "true")


@pytest.fixture
def plex(wait: Wait) -> Iterator[PlexSim]:
    """A simulator; it must leave no thread behind."""
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
    """A session with the token and without the machine's proxies."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Plex-Token"] = plex.token
        yield session


@pytest.fixture
def server(plex: PlexSim, scenes: Section, http: requests.Session) -> Any:
    """A connected plexapi client."""
    return PlexServer(plex.url, plex.token, session=http)

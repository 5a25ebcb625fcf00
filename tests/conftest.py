"""Fixtures and collection rules that several test packages share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from tests.faults.fork_server import ForkServer
from tests.installation import Installation, small_library

# The kinds of tests, as they are registered in pyproject.toml. Every test module carries exactly one of them.
KINDS = ("unit", "integration", "end_to_end", "fault", "browser")
# Kinds whose own process coverage does not measure: the product runs in the processes that they start.
UNMEASURED_KINDS = ("end_to_end", "fault", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest modules.

    A module runs in one process of pytest-xdist: a slow one that began late would keep the others waiting at the end.
    """
    items.sort(key=_seconds, reverse=True)


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("slow")
    return float(marker.kwargs["seconds"]) if marker else 0.0


@pytest.fixture(scope="session", autouse=True)
def coverage_environment() -> Iterator[dict[str, str]]:
    """Keep coverage out of the processes that tests start, and return the variables that would let it in.

    Following a process costs more than running it, so only modules marked ``measured`` get these variables back.
    """
    variables = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    with pytest.MonkeyPatch.context() as environment:
        for name in variables:
            environment.delenv(name)
        yield variables


@pytest.fixture(scope="module", autouse=True)
def _coverage_of_the_module(request: pytest.FixtureRequest, coverage_environment: dict[str, str]) -> Iterator[None]:
    """Measure this process unless the module says otherwise, and the processes it starts only if the module says so.

    Coverage pauses for the whole module: pytest-cov's own ``no_cover`` pauses it for the test alone, while the threads
    of a simulated server that a fixture started go on being traced.
    """
    plugin = request.config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    paused = any(request.node.get_closest_marker(name) for name in ("unmeasured", *UNMEASURED_KINDS))
    if controller and paused:
        controller.pause()
    with pytest.MonkeyPatch.context() as environment:
        # Resuming coverage after an earlier module has set them again.
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            environment.delenv(name)
        if request.node.get_closest_marker("measured"):
            for name, value in coverage_environment.items():
                environment.setenv(name, value)
        yield
    if controller and paused:
        controller.resume()


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A process with everything imported, from which those of ``forked`` modules are forked."""
    server = ForkServer(tmp_path_factory.mktemp("fork_server"), observed=False)
    yield server
    server.close()


@pytest.fixture(scope="session")
def measured_fork_server(
    tmp_path_factory: pytest.TempPathFactory, coverage_environment: dict[str, str]
) -> Iterator[ForkServer]:
    """A fork server whose processes coverage follows."""
    folder = tmp_path_factory.mktemp("measured_fork_server")
    server = ForkServer(folder, observed=False, coverage=coverage_environment)
    yield server
    server.close()


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest, coverage_environment: dict[str, str]) -> str:
    """Return the interpreter that Stash starts the plugin with: one that forks, in modules marked ``forked``."""
    if not request.node.get_closest_marker("forked"):
        return sys.executable
    measured = coverage_environment and request.node.get_closest_marker("measured")
    server: ForkServer = request.getfixturevalue("measured_fork_server" if measured else "fork_server")
    return str(server.python)


@pytest.fixture
def installation(tmp_path: Path, python: str) -> Iterator[Installation]:
    """A running, configured installation with sixty scenes."""
    made = Installation(tmp_path, small_library(), python=python)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bare_installation(tmp_path: Path, python: str) -> Iterator[Installation]:
    """The same installation, not started: the test chooses how to start it."""
    made = Installation(tmp_path, small_library(), python=python)
    yield made
    made.stop()


@pytest.fixture
def mock_config() -> MagicMock:
    """Settings that name a Plex server; every other attribute is a mock."""
    config = MagicMock(name="config")
    config.plex_url = "http://plex.invalid:32400"
    config.plex_token = "a token"
    config.plex_library = "Scenes"
    config.libraries = ["Scenes"]
    config.connect_timeout = 5.0
    config.read_timeout = 30.0
    config.strict_matching = True
    config.path_map = ""
    return config


@pytest.fixture
def mock_queue() -> MagicMock:
    """A queue that accepts every job and has no file behind it."""
    return MagicMock(name="queue", spec=["put"])

"""Fixtures that more than one package of tests uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from tests.house import House, small_library

# Where coverage follows the processes that a test starts. Everywhere else they run as they do at home: following them
# costs more than all the rest, and what they would add has been seen here.
MEASURED = frozenset(
    (
        "hooks/test_process",
        "plugin/test_give_back",
        "plugin/test_health",
        "plugin/test_operations",
        "plugin/test_preview",
        "plugin/test_reconcile",
        "plugin/test_tasks",
    )
)
# Tests of what is not measured (the sandbox, the page), and those that repeat at length what others have shown.
UNMEASURED = (
    *("sandbox/", "ui/", "docs/", "faults/", "release/", "plugin/test_equal", "plugin/test_matching"),
    *("plugin/test_security", "plugin/test_drainer", "plugin/test_saves", "plugin/test_entities"),
    *("reconciliation/test_truth", "worker/test_outage", "worker/test_cheap", "plex/test_ranking", "plex/test_edits"),
    *("sync_queue/test_model", "sync_queue/test_compact"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tracing costs as much again as what is traced."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def _as_at_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if f"{request.path.parent.name}/{request.path.stem}" not in MEASURED:
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            monkeypatch.delenv(name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A running, configured house with sixty scenes."""
    made = House(tmp_path, small_library())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bare_house(tmp_path: Path) -> Iterator[House]:
    """The same, not started: the test says how."""
    made = House(tmp_path, small_library())
    yield made
    made.stop()


@pytest.fixture
def mock_config() -> MagicMock:
    """Settings that reach a Plex; what is not named here is as on any double."""
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
    """A queue that takes everything and has no file."""
    return MagicMock(name="queue", spec=["put"])

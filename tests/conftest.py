"""Fixtures that more than one package of tests uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from tests.faults.fork_server import ForkServer
from tests.installation import Installation, small_library

# Where coverage follows the processes that a test starts. Everywhere else they run as they do at home: following them
# costs more than all the rest, and what they would add has been seen here.
MEASURED = frozenset(
    (
        "hooks/test_process",
        "plugin/test_restore",
        "plugin/test_health",
        "plugin/test_operations",
        "plugin/test_preview",
        "plugin/test_queue_status",
        "plugin/test_reconcile",
        "plugin/test_tasks",
    )
)
# Tests of what the plugin does, and not of the process that does it: their processes are forked from a server that has
# everything imported, as in the fault suite: starting Python costs more than the work. All others start as in Stash.
QUICK = frozenset(
    (
        "plugin/test_entities",
        "plugin/test_equal",
        "plugin/test_first_contact",
        "plugin/test_restore",
        "plugin/test_log_lines",
        "plugin/test_matching",
        "plugin/test_operations",
        "plugin/test_preview",
        "plugin/test_reconcile",
        "ui/test_acts",
        "ui/test_page",
        "ui/test_places",
    )
)
# Files that take long, those that take longest first: begun late, one of them would be waited for with all others done.
LONGEST = (
    "faults/test_kills",
    "ui/test_acts",
    "faults/test_crowds",
    "plugin/test_worker",
    "plugin/test_operations",
    "plugin/test_entities",
    "plugin/test_restore",
    "ui/test_places",
    "faults/test_stash_faults",
    "ui/test_page",
    "faults/test_plex_faults",
    "plugin/test_equal",
    "faults/test_damage",
    "plugin/test_reconcile",
    "plugin/test_security",
    "plugin/test_checkout",
    "faults/test_long_outages",
    "sandbox/demo/test_demo",
    "plugin/test_matching",
    "plugin/test_preview",
    "plugin/test_saves",
    "faults/test_inputs_stash",
    "faults/test_interleavings",
    "faults/test_at_home",
    "reconciliation/test_against_sandbox",
    "plugin/test_health",
    "plugin/test_first_contact",
    "plugin/test_tasks",
)
# Tests of what is not measured (the sandbox, the page), and those that repeat at length what others have shown.
UNMEASURED = (
    *("sandbox/", "ui/", "docs/", "faults/", "release/", "plugin/test_equal", "plugin/test_matching"),
    *("plugin/test_security", "plugin/test_worker", "plugin/test_saves", "plugin/test_entities"),
    *(
        "reconciliation/test_against_sandbox",
        "worker/test_outage",
        "worker/test_requests_per_scene",
        "matching/test_ranking",
        "plex/test_edits",
    ),
    *("sync_queue/test_model", "state/test_data_size"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tracing costs as much again as what is traced. And what takes long comes first."""
    here = Path(__file__).parent
    places = {name: place for place, name in enumerate(LONGEST)}
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=lambda item: places.get(item.path.relative_to(here).with_suffix("").as_posix(), len(places)))


def room(path: Path) -> str:
    """What a file of tests is called in the lists above."""
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(autouse=True)
def _as_at_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if room(request.path) not in MEASURED:
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """One for all tests of a worker."""
    made = ForkServer(tmp_path_factory.mktemp("fork_server"), witnessed=False)
    yield made
    made.close()


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> str:
    """What Stash starts the plugin with. Coverage follows only those processes that Python itself starts."""
    if room(request.path) not in QUICK or any(name.startswith("COVERAGE_") for name in os.environ):
        return sys.executable
    fork_server: ForkServer = request.getfixturevalue("fork_server")
    return str(fork_server.python)


@pytest.fixture
def installation(tmp_path: Path, python: str) -> Iterator[Installation]:
    """A running, configured installation with sixty scenes."""
    made = Installation(tmp_path, small_library(), python=python)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bare_installation(tmp_path: Path, python: str) -> Iterator[Installation]:
    """The same, not started: the test says how."""
    made = Installation(tmp_path, small_library(), python=python)
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

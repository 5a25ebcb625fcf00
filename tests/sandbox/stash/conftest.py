"""Fixtures for the Stash simulator: tests that only read share a server, the others get their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.library import Library
from sandbox.stash import StashSim

from .recorded_operations import RecordedOperations, run_recorded_operations
from .support import running


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    """A fresh server with thirty scenes and the probe plugin."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedOperations]:
    """The recorded operations, run on a server without a password, which then is like the recorded one."""
    nothing = Library([], [], [], [], [])
    with running(tmp_path_factory.mktemp("story"), library=nothing, bind_host="127.0.0.1") as found:
        yield run_recorded_operations(found)

"""Fixtures of the hooks' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hooks import handlers
from sync_queue.setup import open_writer
from sync_queue.writer import QueueWriter

# a busy machine is slow, not wrong
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def nothing_pending() -> Iterator[None]:
    """Each test begins as a new process does."""
    handlers._pending.clear()
    yield
    handlers._pending.clear()


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    """A data directory."""
    return str(tmp_path / "data")


@pytest.fixture
def writer(data_dir: str) -> Iterator[QueueWriter]:
    """A thin writer on its queue."""
    found = open_writer(data_dir)
    yield found
    found.close()

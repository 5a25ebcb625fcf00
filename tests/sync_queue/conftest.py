"""Fixtures of the queue's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sync_queue.setup import open_writer, set_up
from sync_queue.store import JobStore
from sync_queue.writer import QueueWriter, queue_dir

# a busy machine is slow, not wrong
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def data_dir(tmp_path: Path) -> str:
    """A data directory with a queue that is set up."""
    path = str(tmp_path / "data")
    set_up(path)
    return path


@pytest.fixture
def writer(data_dir: str) -> Iterator[QueueWriter]:
    """A thin writer on it."""
    found = open_writer(data_dir)
    yield found
    found.close()


@pytest.fixture
def store(data_dir: str) -> Iterator[JobStore]:
    """The worker's side of it."""
    found = JobStore(queue_dir(data_dir))
    yield found
    found.close()

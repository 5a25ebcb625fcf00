"""Fixtures of the fault suite, and its table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import tally as numbers
from tests.faults.size import LONG
from tests.faults.tally import Tally
from tests.worker.conftest import bench, clock, make_bench, plex

__all__ = ["bench", "clock", "make_bench", "plex"]


@pytest.fixture
def tally() -> Tally:
    """Counts for the table."""
    return Tally()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was done."""
    if LONG:
        terminalreporter.section("faults")
        for line in numbers.table():
            terminalreporter.write_line(line)

"""Fixtures of the fault suite, and the table of what a long run did."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.fault_counts import PROPERTY, FaultCounts, table_lines
from tests.faults.suite_size import LONG
from tests.worker.conftest import bench, clock, make_bench, plex

__all__ = ["bench", "clock", "make_bench", "plex"]


@pytest.fixture(autouse=True)
def _skip_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    # These tests kill processes but never cut the power, so nothing has to wait for the disk.
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def fault_counts(request: pytest.FixtureRequest) -> Iterator[FaultCounts]:
    """Count what a test does, for the table at the end."""
    fault_counts = FaultCounts()
    yield fault_counts
    request.node.user_properties.append((PROPERTY, dict(fault_counts.counts)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Count the inputs that Hypothesis generated."""
    chosen = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
    if chosen is not None:
        item.user_properties.append((PROPERTY, {"generated inputs": chosen.max_examples}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table after a long run."""
    if not LONG:
        return
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            # a test has three reports; the last one carries its counts
            if getattr(report, "when", "") == "teardown":
                for name, value in report.user_properties:
                    counts.update(value if name == PROPERTY else {})
    terminalreporter.section("faults")
    for line in table_lines(counts):
        terminalreporter.write_line(line)

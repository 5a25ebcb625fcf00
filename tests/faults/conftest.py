"""Fixtures of the fault suite, and its table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.size import LONG
from tests.faults.tally import PROPERTY, Tally, table
from tests.worker.conftest import bench, clock, make_bench, plex

__all__ = ["bench", "clock", "make_bench", "plex"]


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    # No power is cut: the disk need not be waited for.
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts for the table."""
    found = Tally()
    yield found
    request.node.user_properties.append((PROPERTY, dict(found.counts)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """What was generated counts too."""
    chosen = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
    if chosen is not None:
        item.user_properties.append((PROPERTY, {"generated inputs": chosen.max_examples}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was done."""
    if not LONG:
        return
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            # of the three reports of a test the last one has what it counted
            if getattr(report, "when", "") == "teardown":
                for name, value in report.user_properties:
                    counts.update(value if name == PROPERTY else {})
    terminalreporter.section("faults")
    for line in table(counts):
        terminalreporter.write_line(line)

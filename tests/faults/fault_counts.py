"""Counts of what the fault suite did: the table at the end of ``make torture``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

# The counts travel with the report of each test, so that they also arrive from the processes of pytest-xdist.
PROPERTY = "fault_counts"


class FaultCounts:
    """Count what one test does, under the names of the table's rows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Add to the row ``what``."""
        self.counts[what] += count


def table_lines(counts: Counter[str]) -> Iterator[str]:
    """Yield the lines of the table."""
    width = max([4, *map(len, counts)])
    yield f"| {'what'.ljust(width)} |     times |"
    yield f"| {'-' * width} | --------: |"
    for what, count in sorted(counts.items()):
        yield f"| {what.ljust(width)} | {count:>9,} |"

"""What the suite did, in numbers: the table at the end of ``make torture``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

# What each test did travels with its report, so that it arrives also from where tests run side by side.
PROPERTY = "tally"


class Tally:
    """Counts what one test does under names of the table."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, what: str, count: int = 1) -> None:
        self.counts[what] += count


def table(counts: Counter[str]) -> Iterator[str]:
    """The lines of the table."""
    width = max([4, *map(len, counts)])
    yield f"| {'what'.ljust(width)} |     times |"
    yield f"| {'-' * width} | --------: |"
    for what, count in sorted(counts.items()):
        yield f"| {what.ljust(width)} | {count:>9,} |"

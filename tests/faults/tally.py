"""What the suite did, in numbers: the table at the end of ``make torture``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

Counts = Counter[str]
COUNTS: Counts = Counter()


class Tally:
    """Counts what one test does under a name of the table."""

    def __call__(self, what: str, count: int = 1) -> None:
        COUNTS[what] += count


def table() -> Iterator[str]:
    """The lines of the table."""
    if not COUNTS:
        return
    width = max(map(len, COUNTS))
    yield f"| {'what'.ljust(width)} | {'times':>9} |"
    yield f"| {'-' * width} | {'-' * 8}: |"
    for what, count in COUNTS.items():
        yield f"| {what.ljust(width)} | {count:>9,} |"

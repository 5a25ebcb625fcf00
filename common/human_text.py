"""Times and counts as people say them. Pure."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def ago(seconds: float) -> str:
    """A span of time in its largest unit."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def until(at: float, now: float) -> str:
    """When something is due that is due at ``at`` (epoch seconds)."""
    return "now" if at <= now else f"in {ago(at - now)}"


def moment(at: float) -> str:
    """A moment (epoch seconds) on this machine's clock."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 scene, 2,304 scenes."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def times(number: int) -> str:
    """How often: once, 5 times."""
    return "once" if number == 1 else f"{number:,} times"


def numbers(by_kind: Mapping[str, int]) -> str:
    """Counts in brackets, "" where there are none: `` (stale sync: 8, missing: 2)``."""
    told = ", ".join(f"{kind.replace('_', ' ')}: {number:,}" for kind, number in by_kind.items() if number)
    return f" ({told})" if told else ""

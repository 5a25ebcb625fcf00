"""Durations, times and counts as text for people. Pure."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def format_duration(seconds: float) -> str:
    """Return a duration in its largest unit: 59 s, 2 h."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def format_time_until(at: float, now: float) -> str:
    """Return how long it is until ``at`` (epoch seconds): now, in 5 min."""
    return "now" if at <= now else f"in {format_duration(at - now)}"


def format_local_time(at: float) -> str:
    """Return a time (epoch seconds) in this machine's time zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 scene, 2,304 scenes."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_times(number: int) -> str:
    """Return how often something happened: once, 5 times."""
    return "once" if number == 1 else f"{number:,} times"


def format_counts(by_kind: Mapping[str, int]) -> str:
    """Return counts in brackets, `` (stale sync: 8, missing: 2)``, or an empty text if all are 0."""
    counts = ", ".join(f"{kind.replace('_', ' ')}: {number:,}" for kind, number in by_kind.items() if number)
    return f" ({counts})" if counts else ""

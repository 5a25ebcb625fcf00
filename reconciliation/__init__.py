"""Stash and Plex compared, and what does not agree queued: detector (pure), engine, scopes, scheduler.

What the package exports is imported at first use: hooks import none of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciliation.detector import GapDetector, GapResult, has_meaningful_metadata
    from reconciliation.engine import GapDetectionEngine
    from reconciliation.result import GapDetectionResult
    from reconciliation.scheduler import ReconciliationScheduler, ReconciliationState

__all__ = [
    "GapDetectionEngine",
    "GapDetectionResult",
    "GapDetector",
    "GapResult",
    "ReconciliationScheduler",
    "ReconciliationState",
    "has_meaningful_metadata",
]

_HOMES = {
    "GapDetectionEngine": "engine",
    "GapDetectionResult": "result",
    "GapDetector": "detector",
    "GapResult": "detector",
    "ReconciliationScheduler": "scheduler",
    "ReconciliationState": "scheduler",
    "has_meaningful_metadata": "detector",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Reconciliation: compare Stash with Plex and queue what differs.

The exports are imported at first use, since hooks import only the scheduler's neighbours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_MODULES = {
    "GapDetectionEngine": "engine",
    "GapDetectionResult": "result",
    "GapDetector": "detector",
    "GapResult": "detector",
    "ReconciliationScheduler": "scheduler",
    "ReconciliationState": "scheduler",
    "has_meaningful_metadata": "detector",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

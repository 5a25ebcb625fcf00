"""What a run found and did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciliation.detector import EMPTY, MISSING, STALE


@dataclass
class GapDetectionResult:
    """The numbers of one run. A scene may have gaps of several types: ``total_gaps`` counts gaps, the others scenes.

    A scene with a gap is queued (``enqueued_count``), or it is not: because it waits already, because nothing has
    changed since the last try (``known_count``), because it says nothing (``gated_count`` counts all such scenes, gap
    or not), because its match is doubtful (``low_confidence_count``, likewise), or because missing ones are not wanted
    (``left_missing_count``). Those that a person's filters leave out are not looked at (``filtered_count``).
    ``gone_count`` are scenes that were written once and are no longer in Stash: they are queued to be forgotten.
    ``errors`` are sentences; ``complete`` is False where the run had to stop early.
    """

    empty_metadata_count: int = 0
    stale_sync_count: int = 0
    missing_count: int = 0
    total_gaps: int = 0
    enqueued_count: int = 0
    skipped_already_queued: int = 0
    scenes_checked: int = 0
    errors: list[str] = field(default_factory=list)
    known_count: int = 0
    gated_count: int = 0
    filtered_count: int = 0
    low_confidence_count: int = 0
    left_missing_count: int = 0
    malformed_count: int = 0
    settings_changed_count: int = 0
    gone_count: int = 0
    enqueued_by_type: dict[str, int] = field(default_factory=dict)
    scope: str = ""
    complete: bool = True

    def count_gap(self, gap_type: str) -> None:
        """Count one gap."""
        self.empty_metadata_count += gap_type == EMPTY
        self.stale_sync_count += gap_type == STALE
        self.missing_count += gap_type == MISSING
        self.total_gaps += 1

    @property
    def gaps_by_type(self) -> dict[str, int]:
        """The gaps by type."""
        return {EMPTY: self.empty_metadata_count, STALE: self.stale_sync_count, MISSING: self.missing_count}

    def by_type(self) -> str:
        """The gaps by type, in words."""
        return (
            f"empty metadata: {self.empty_metadata_count}, stale sync: {self.stale_sync_count}, "
            f"missing from Plex: {self.missing_count}"
        )

    def numbers(self) -> dict[str, Any]:
        """Everything as plain JSON, for the answer of a task."""
        return {
            "scope": self.scope,
            "complete": self.complete,
            "scenes_checked": self.scenes_checked,
            "total_gaps": self.total_gaps,
            "gaps": self.gaps_by_type,
            "enqueued": self.enqueued_count,
            "enqueued_by_type": dict(self.enqueued_by_type),
            "already_queued": self.skipped_already_queued,
            "known": self.known_count,
            "gated": self.gated_count,
            "filtered": self.filtered_count,
            "low_confidence": self.low_confidence_count,
            "left_missing": self.left_missing_count,
            "malformed": self.malformed_count,
            "settings_changed": self.settings_changed_count,
            "gone": self.gone_count,
            "errors": list(self.errors),
        }

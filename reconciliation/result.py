"""The numbers of a run: what it found, and what it queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciliation.decisions import Decision
from reconciliation.detector import EMPTY, MISSING, STALE, GapResult


@dataclass
class GapDetectionResult:
    """The numbers of one run. A scene may have gaps of several types: ``total_gaps`` counts gaps, the others scenes.

    A scene with a gap is queued (``enqueued_count``) or not: it is queued already, nothing has changed since the last
    try (``known_count``), it has no metadata (``gated_count`` counts all such scenes, gap or not), its match is
    doubtful (``low_confidence_count``, likewise), or Reconcile missing scenes is off (``left_missing_count``). Scenes
    that the filters exclude are not compared (``filtered_count``). ``gone_count`` are scenes of the ledger that
    are no longer in Stash: they are queued, and the worker forgets them. ``errors`` are sentences; ``complete`` is
    False if the run had to stop early.
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

    def count_scene(self, gated: bool, filtered: bool, doubtful: bool) -> None:
        """Count a scene by what keeps it from being written."""
        self.gated_count += gated
        self.filtered_count += filtered
        self.low_confidence_count += doubtful

    def count_decision(self, decision: Decision) -> None:
        """Count a scene with a gap by what becomes of it; queued ones are counted when they are."""
        self.skipped_already_queued += decision is Decision.QUEUED
        self.known_count += decision is Decision.KNOWN
        self.left_missing_count += decision is Decision.MISSING_NOT_WANTED

    def count_enqueued(self, gaps: Sequence[GapResult]) -> None:
        """Count a scene that was queued for these gaps."""
        self.enqueued_count += 1
        for gap in gaps:
            self.enqueued_by_type[gap.gap_type] = self.enqueued_by_type.get(gap.gap_type, 0) + 1

    @property
    def gaps_by_type(self) -> dict[str, int]:
        """The number of gaps by type."""
        return {EMPTY: self.empty_metadata_count, STALE: self.stale_sync_count, MISSING: self.missing_count}

    def by_type(self) -> str:
        """Return the number of gaps by type, as text."""
        return (
            f"empty metadata: {self.empty_metadata_count}, stale sync: {self.stale_sync_count}, "
            f"missing from Plex: {self.missing_count}"
        )

    def numbers(self) -> dict[str, object]:
        """Return everything as plain JSON, for the answer of a task."""
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

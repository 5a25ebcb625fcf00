"""What a run reports beyond its numbers: findings, where files are, and items that Stash does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from matching.plex_presence import PlexPresence
from reconciliation.decisions import Decision
from reconciliation.detector import GapResult


@dataclass(frozen=True)
class GapFinding:
    """A scene for the report: its gaps (none for one whose match is only doubtful) and what becomes of it."""

    scene_id: int
    scene: Mapping[str, object]
    gaps: tuple[GapResult, ...]
    decision: Decision
    presence: PlexPresence | None

    @property
    def reason(self) -> str:
        """Why, as text."""
        reasons = [gap.reason for gap in self.gaps]
        match = self.presence.match if self.presence is not None else None
        if self.decision is Decision.DOUBTFUL and match is not None:
            reasons.append(match.reason)
        return "; ".join(reasons)


class FindingListener(Protocol):
    """Takes findings as a run makes them."""

    # Whether to report every item of Plex too, after a run over all scenes.
    both_ways: bool

    def finding(self, finding: GapFinding) -> None:
        """Take a scene with a gap or a doubtful match."""

    def scene(self, path: str, missing: bool, in_library: bool) -> None:
        """Take the path of a scene's first file, whether it is missing, and whether a library has its folder."""

    def item(self, rating_key: int, title: str, path: str, known: bool) -> None:
        """Take an item of Plex, and whether it may belong to any scene."""

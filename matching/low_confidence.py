"""A match that is not proven: what is said of it, in the log and in its dead letter."""

from __future__ import annotations

from typing import Any

from common.errors import PermanentError
from matching.ranking import Match, Ranked

SHOWN = 10


class LowConfidence(PermanentError):
    """No item is proven to be the scene's file, or several might be."""

    code = "LowConfidence"

    def __init__(self, scene_id: int, path: str, match: Match) -> None:
        super().__init__(f"{match.reason}: {path}")
        self.scene_id = scene_id
        self.path = path
        self.match = match

    def candidates(self) -> list[dict[str, Any]]:
        """The candidates as plain data, best first, for whoever has to decide."""
        return [
            {
                "rating_key": ranked.candidate.rating_key,
                "section": ranked.candidate.section,
                "title": ranked.candidate.title,
                "path": ranked.part.path,
                "size": ranked.part.size,
                "duration": ranked.part.duration,
                "reasons": list(ranked.reasons),
            }
            for ranked in self.match.ranked[:SHOWN]
        ]

    def skipped(self) -> str:
        """What the log says when nothing was written."""
        ranked = self.match.ranked
        return (
            f"LOW CONFIDENCE SKIPPED: scene {self.scene_id}\n"
            f"Stash path: {self.path}\nPlex candidates ({len(ranked)}): [{_listed(ranked)}]"
        )

    def synced(self) -> str:
        """What the log says when the best was written all the same."""
        chosen = self.match.chosen
        keys = {one.candidate.rating_key for one in chosen}
        others = tuple(one for one in self.match.ranked if one.candidate.rating_key not in keys)
        return (
            f"LOW CONFIDENCE SYNCED: scene {self.scene_id}\n"
            f"Chosen: {_listed(chosen)}\nOther candidates: [{_listed(others)}]"
        )


def _listed(ranked: tuple[Ranked, ...]) -> str:
    return "; ".join(f"{one.candidate.rating_key} {one.part.path} ({', '.join(one.reasons)})" for one in ranked[:SHOWN])

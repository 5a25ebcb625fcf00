"""The error for a match that is not proven: its sentence, its candidates, and its log lines."""

from __future__ import annotations

from common.errors import PermanentError
from matching.ranking import Match, Ranked

MAX_CANDIDATES = 10


class LowConfidence(PermanentError):
    """No item is proven to have the scene's file, or several may have it."""

    code = "LowConfidence"

    def __init__(self, scene_id: int, path: str, match: Match) -> None:
        super().__init__(f"{match.reason}: {path}")
        self.scene_id = scene_id
        self.path = path
        self.match = match

    def candidates(self) -> list[dict[str, object]]:
        """Return the best candidates as plain data, for the dead letter and the page."""
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
            for ranked in self.match.ranked[:MAX_CANDIDATES]
        ]

    def skipped_text(self) -> str:
        """Return the log lines for a scene that was not written."""
        ranked = self.match.ranked
        return (
            f"LOW CONFIDENCE SKIPPED: scene {self.scene_id}\n"
            f"Stash path: {self.path}\nPlex candidates ({len(ranked)}): [{_listed(ranked)}]"
        )

    def synced_text(self) -> str:
        """Return the log lines for a scene that was written to the best candidate all the same."""
        chosen = self.match.chosen
        keys = {ranked.candidate.rating_key for ranked in chosen}
        others = tuple(ranked for ranked in self.match.ranked if ranked.candidate.rating_key not in keys)
        return (
            f"LOW CONFIDENCE SYNCED: scene {self.scene_id}\n"
            f"Chosen: {_listed(chosen)}\nOther candidates: [{_listed(others)}]"
        )


def _listed(candidates: tuple[Ranked, ...]) -> str:
    return "; ".join(
        f"{ranked.candidate.rating_key} {ranked.part.path} ({', '.join(ranked.reasons)})"
        for ranked in candidates[:MAX_CANDIDATES]
    )

"""Report a long bulk in a few lines: one now and then, and one at its end. Pure, except for ``notify``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from common.verdicts import Verdict
from pipeline.scene_sync import SceneSync

# Smaller bulks are not reported: the user sees each save in Plex.
MIN_REPORTED_SCENES = 100
REPORT_INTERVAL_S = 60.0


class BulkProgress:
    """``clock`` is epoch seconds; ``notify`` takes (level, sentence) for Stash's own log."""

    def __init__(self, clock: Callable[[], float], notify: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._notify = notify
        self._counts: Counter[str] = Counter()
        self._began_at = 0.0
        self._reported_at = 0.0

    def add(self, batch: Iterable[SceneSync], waiting: int) -> None:
        """Count a batch that was recorded; ``waiting`` jobs are left."""
        now = self._clock()
        if not self._counts:
            self._began_at = self._reported_at = now
        self._counts.update(_outcome(work) for work in batch)
        done = sum(self._counts.values())
        if done >= MIN_REPORTED_SCENES and now - self._reported_at >= REPORT_INTERVAL_S:
            self._reported_at = now
            self._notify("info", f"{done:,} scenes done, {waiting:,} waiting")

    def end(self) -> None:
        """Report the sum: no job is due any more."""
        counts, self._counts = self._counts, Counter()
        done = sum(counts.values())
        if done >= MIN_REPORTED_SCENES:
            told = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.most_common())
            self._notify("info", f"{done:,} scenes done in {self._clock() - self._began_at:,.0f} s: {told}")


def _outcome(work: SceneSync) -> str:
    if work.scene is not None and work.scene.gone:
        return "gone from Stash"
    if work.error is not None:
        return "failed"
    if work.verdict is Verdict.WRITTEN:
        return "written"
    return "unchanged" if work.verdict is Verdict.UNCHANGED else str(work.verdict and work.verdict.value)

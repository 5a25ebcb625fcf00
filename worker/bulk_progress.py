"""A long bulk in a few lines: one now and then while it goes on, and one at its end. Pure but for ``tell``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from common.verdicts import Verdict
from pipeline.scene_sync import SceneSync

# Fewer than this are nobody's news: each save is seen in Plex.
WORTH_TELLING = 100
PAUSE = 60.0


class BulkProgress:
    """``clock`` is epoch seconds; ``tell`` takes (level, sentence) for Stash's own log."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._counts: Counter[str] = Counter()
        self._began = 0.0
        self._told = 0.0

    def add(self, works: Iterable[SceneSync], waiting: int) -> None:
        """Take in what was settled; ``waiting`` jobs are left."""
        now = self._clock()
        if not self._counts:
            self._began = self._told = now
        self._counts.update(_outcome(work) for work in works)
        done = sum(self._counts.values())
        if done >= WORTH_TELLING and now - self._told >= PAUSE:
            self._told = now
            self._tell("info", f"{done:,} scenes done, {waiting:,} wait")

    def end(self) -> None:
        """Nothing is due any more: sum up."""
        counts, self._counts = self._counts, Counter()
        done = sum(counts.values())
        if done >= WORTH_TELLING:
            told = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.most_common())
            self._tell("info", f"{done:,} scenes done in {self._clock() - self._began:,.0f} s: {told}")


def _outcome(work: SceneSync) -> str:
    if work.scene is not None and work.scene.gone:
        return "gone from Stash"
    if work.error is not None:
        return "to be tried again, or given up"
    if work.verdict is Verdict.WRITTEN:
        return "written"
    return "equal already" if work.verdict is Verdict.UNCHANGED else str(work.verdict and work.verdict.value)

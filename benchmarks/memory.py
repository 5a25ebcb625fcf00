"""The most memory that a hook and a drainer hold at once, against an interpreter that does nothing (VmHWM).

That of a reconciliation is measured where its time is: ``benchmarks.reconcile``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.processes import peak, peak_of_bare, peak_of_script
from benchmarks.results import By, Result, main
from benchmarks.stages import drained, enqueue, first_save, start_drainer, surroundings, without_covers, written_scenes
from sandbox.demo.measure import last_hook
from sandbox.demo.stage import Stage

AGAINST = "an interpreter that does nothing"


def measure(full: bool) -> Iterator[Result]:
    """A hook; and a drainer that reads a whole library for the first time and writes the first thousands of it."""
    rounds = 5
    with Stage(200) as stage:
        first_save(stage)
        hook = last_hook(stage)
        folder, env = surroundings(stage)
        hooks = [peak_of_script(hook.argv, hook.stdin, folder, env) for _ in range(rounds)]
        bare = statistics.median(peak_of_bare() for _ in range(rounds))
        scenes = len(stage.library.scenes)
        yield Result("memory of a hook", statistics.median(hooks), "MB", rounds, scenes, 1.5, By.RATIO, bare, AGAINST)
    scenes, written = (100_000, 5_000) if full else (20_000, 1_000)
    with Stage(scenes, old=False) as stage:
        without_covers(stage)
        first_save(stage)
        drained(stage)
        stage.stop_drainer()
        # Anew, with the index to be built and all of the library waiting.
        (stage.data_dir / "cache.db").unlink()
        enqueue(stage.data_dir, written_scenes(stage))
        stage.plex.reset_counters()
        start_drainer(stage)
        most = _peak_after(stage, written)
        yield Result(
            "memory of the drainer",
            most,
            "MB",
            1,
            scenes,
            60.0,
            By.ABOVE,
            bare,
            AGAINST,
            note=f"index built, {written:,} scenes written",
        )


def _peak_after(stage: Stage, written: int) -> float:
    end = time.monotonic() + 600
    while stage.plex.puts < written:
        if time.monotonic() > end:
            raise TimeoutError(f"{stage.plex.puts} of {written} scenes were written")
        time.sleep(0.1)
    pid = stage.worker_pid()
    if pid is None:
        raise RuntimeError("the drainer has left")
    return peak(pid)


if __name__ == "__main__":
    main(measure, __doc__)

"""What a save costs: a hook process, and a Python that does nothing, turn by turn.

``python -m benchmarks.hook [--rounds 50] [--scenes 200]``. Look at the ratio: it holds on any machine.
"""

from __future__ import annotations

import argparse
import sys
import time

from sandbox.demo.edits import Edit
from sandbox.demo.measure import Comparison, Watch, hook_against_bare, run_task
from sandbox.demo.stage import Stage
from sandbox.demo.tables import table


def main() -> None:
    """Measure under each condition and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hook", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--scenes", type=int, default=200)
    options = parser.parse_args()
    rounds = options.rounds
    found: list[tuple[str, Comparison]] = []
    with Stage(options.scenes) as stage:
        _one_save(stage)
        found.append(("Plex healthy, drainer alive", hook_against_bare(stage, rounds)))
        found.append(("the hook starts the drainer", hook_against_bare(stage, rounds, lambda: _without_drainer(stage))))
        stage.plex.faults.set(write_latency=0.05)
        run_task(stage, "Sync All Scenes")
        found.append(("Plex healthy, drainer busy with a bulk", hook_against_bare(stage, rounds)))
        stage.plex.faults.set(latency=1.0)
        found.append(("Plex slow (1 s an answer)", hook_against_bare(stage, rounds)))
        stage.plex.faults.set(hang=True)
        found.append(("Plex hangs", hook_against_bare(stage, rounds)))
        stage.plex.faults.clear()
        stage.plex.faults.refuse()
        time.sleep(1.0)
        found.append(("Plex refuses connections", hook_against_bare(stage, rounds)))
    sys.stdout.write(f"{options.scenes} scenes, medians of {rounds}, Python {sys.version.split()[0]}\n")
    rows = [
        (what, f"{c.hook * 1000:.1f} ms", f"{c.bare * 1000:.1f} ms", f"{c.ratio:.2f}x", f"{c.typical:.2f}x")
        for what, c in found
    ]
    sys.stdout.write(table(("condition", "hook", "python3 -c pass", "ratio", "median of pairs"), rows) + "\n")


def _one_save(stage: Stage) -> None:
    scene = next(s for s in stage.library.scenes if s.files and s.studio_id)
    began = time.monotonic()
    Edit("title", scene.id, {"title": "The hook that is measured"}).save(stage.stash)
    if Watch(stage).arrival(scene.id, began) is None and stage.drainer() is None:
        raise RuntimeError("the first save did not reach Plex")


def _without_drainer(stage: Stage) -> None:
    stage.stop_drainer()
    time.sleep(0.05)  # it lets go of its lock a moment after its last words


if __name__ == "__main__":
    main()

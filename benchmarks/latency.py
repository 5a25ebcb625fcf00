"""From a save in Stash to the same state in Plex, under the loads that a person meets.

``python -m benchmarks.latency [--scenes 200] [--bulk 5000] [--many 1000] [--latency 0]``: scenes of the small library,
rows that wait in the bulk case, saves one after another, seconds added to each answer of Plex.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sandbox.demo import truth
from sandbox.demo.edits import Edit
from sandbox.demo.measure import PATIENCE, Watch, run_task
from sandbox.demo.stage import Stage
from sandbox.demo.tables import seconds, table
from sync_queue.operations import get_stats

_BULK_EDIT = "mutation($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }"
Row = tuple[str, int, str, str, str, str, str]


class Bench:
    """One stage, its scenes in order, and the rows that were measured over it."""

    def __init__(self, stage: Stage, latency: float) -> None:
        self.stage, self.latency = stage, latency
        self.watch = Watch(stage)
        stash = stage.stash
        self.scenes = [s.id for s in stash.scenes if truth.reason_not_in_plex(stash, s) is None]
        self._turn = 0
        stage.plex.faults.set(latency=latency)

    def next_scenes(self, count: int) -> list[int]:
        """So many scenes, others than the last time."""
        first = self._turn
        self._turn += count
        return [self.scenes[n % len(self.scenes)] for n in range(first, first + count)]

    def save(self, scene_id: int) -> float:
        """Save a new title; gives the moment it began."""
        began = time.monotonic()
        title = f"Saved for the {self._turn}th time {began:.3f}"
        Edit("title", scene_id, {"title": title}).save(self.stage.stash)
        return began

    def row(self, what: str, times: Sequence[float | None], note: str = "") -> Row:
        """A line of the table. Raises RuntimeError where something did not arrive."""
        arrived = [value for value in times if value is not None]
        if len(arrived) < len(times):
            raise RuntimeError(f"{what}: {len(times) - len(arrived)} of {len(times)} did not reach Plex")
        added = f"{self.latency * 1000:.0f} ms"
        median, longest = seconds(statistics.median(arrived)), seconds(max(arrived))
        return what, len(self.stage.library.scenes), added, str(len(arrived)), median, longest, note

    # the cases

    def at_work(self, rounds: int) -> Row:
        """A save while the drainer is there."""
        return self.row("drainer at work", [self._single() for _ in range(rounds)])

    def to_be_started(self, rounds: int) -> Row:
        """A save that has to start the drainer."""
        times = []
        for _ in range(rounds):
            self.stage.stop_drainer()
            time.sleep(0.1)
            times.append(self._single())
        return self.row("drainer to be started", times)

    def at_once(self, rounds: int, many: int = 5) -> Row:
        """Several people save at the same time; the time of the last one counts."""
        times = []
        for _ in range(rounds):
            chosen = self.next_scenes(many)
            began = time.monotonic()
            with ThreadPoolExecutor(many) as pool:
                list(pool.map(self.save, chosen))
            times.append(_last(self.watch.arrivals(chosen, began)))
        return self.row(f"{many} saves at once, the last", times)

    def bulk_edit(self, rounds: int, many: int = 20) -> Row:
        """One bulk edit; the time of its last scene counts."""
        times, answers = [], []
        for turn in range(rounds):
            chosen = self.next_scenes(many)
            began = time.monotonic()
            change = {"ids": [str(number) for number in chosen], "rating100": 10 + turn}
            self.stage.stash.gql(_BULK_EDIT, {"input": change})
            answers.append(time.monotonic() - began)
            times.append(_last(self.watch.arrivals(chosen, began)))
        answer = seconds(statistics.median(answers))
        return self.row(f"bulk edit of {many}, the last", times, f"Stash answers after {answer}")

    def behind_a_bulk(self, rounds: int) -> Row:
        """A save while thousands of bulk rows wait."""
        run_task(self.stage, "Sync All Scenes")
        # From the end: the bulk has not come that far.
        self.scenes.reverse()
        before = self._waiting()
        times = [self._single() for _ in range(rounds)]
        after = self._waiting()
        if not after:
            raise RuntimeError("the bulk was done before the saves were: take a larger --bulk")
        return self.row("behind a bulk", times, f"{before} rows wait at first, {after} at last")

    def one_after_another(self, many: int) -> Row:
        """A thousand saves of a thousand scenes without a pause."""
        chosen = self.next_scenes(many)
        began, most = [], 0
        for scene_id in chosen:
            began.append(self.save(scene_id))
            most = max(most, self._waiting())
        took = time.monotonic() - began[0]
        pairs = zip(chosen, began, strict=True)
        times = [self.watch.arrival(scene_id, since, PATIENCE * 4) for scene_id, since in pairs]
        log = (self.stage.data_dir / "stash2plex.log").read_text()
        drainers = len(re.findall(r" Beginning: ", log))
        note = f"saved in {took:.1f} s, at most {most} rows wait, drainers so far: {drainers}"
        return self.row(f"{many} saves in a row", times, note)

    def _single(self) -> float | None:
        (scene_id,) = self.next_scenes(1)
        return self.watch.arrival(scene_id, self.save(scene_id))

    def _waiting(self) -> int:
        return get_stats(str(self.stage.data_dir / "queue"))["waiting"]


def _last(times: Sequence[float | None]) -> float | None:
    arrived = [value for value in times if value is not None]
    return max(arrived) if len(arrived) == len(times) else None


def main() -> None:
    """Measure every case and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--bulk", type=int, default=5000)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    rows: list[Row] = []

    def over(scenes: int, *cases: Callable[[Bench], Row]) -> None:
        with Stage(scenes) as stage:
            bench = Bench(stage, options.latency)
            rows.extend(case(bench) for case in cases)

    over(
        options.scenes,
        lambda bench: bench.to_be_started(15),
        lambda bench: bench.at_work(30),
        lambda bench: bench.at_once(10),
        lambda bench: bench.bulk_edit(5),
    )
    over(options.many + options.many // 10, lambda bench: bench.one_after_another(options.many))
    over(options.bulk + options.bulk // 20, lambda bench: bench.behind_a_bulk(10))
    sys.stdout.write(f"From the beginning of the save to Plex, Python {sys.version.split()[0]}\n")
    sys.stdout.write(table(("case", "library", "added latency", "measured", "median", "longest", ""), rows) + "\n")


if __name__ == "__main__":
    main()

"""From a save in Stash to the same state in Plex, under the loads that a person meets."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.results import Result, main
from benchmarks.stages import written_scenes
from sandbox.demo.edits import Edit
from sandbox.demo.measurements import TIMEOUT_S, PlexWatcher, run_task
from sandbox.demo.servers import DemoServers
from sandbox.demo.text_output import seconds
from sync_queue.operations import get_stats

_BULK_EDIT = "mutation($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }"


class Bench:
    """One stage, and its scenes in order."""

    def __init__(self, servers: DemoServers) -> None:
        self.servers = servers
        self.watch = PlexWatcher(servers)
        self.scenes = written_scenes(servers)
        self._turn = 0

    def next_scenes(self, count: int) -> list[int]:
        """So many scenes, others than the last time."""
        first = self._turn
        self._turn += count
        return [self.scenes[n % len(self.scenes)] for n in range(first, first + count)]

    def save(self, scene_id: int) -> float:
        """Save a new title; gives the moment it began."""
        began = time.monotonic()
        title = f"Saved for the {self._turn}th time {began:.3f}"
        Edit("title", scene_id, {"title": title}).save(self.servers.stash)
        return began

    def row(self, what: str, times: Sequence[float | None], target: float | None = None, note: str = "") -> Result:
        """A line of the table. Raises RuntimeError where something did not arrive."""
        arrived = [value for value in times if value is not None]
        if len(arrived) < len(times):
            raise RuntimeError(f"{what}: {len(times) - len(arrived)} of {len(times)} did not reach Plex")
        note = "; ".join(filter(None, [f"longest {seconds(max(arrived))}", note]))
        scenes = len(self.servers.library.scenes)
        median = statistics.median(arrived)
        return Result(f"save to Plex, {what}", median, "s", len(arrived), scenes, target, note=note)

    # the cases

    def at_work(self, rounds: int) -> Result:
        """A save while the drainer is there."""
        return self.row("drainer at work", [self._single() for _ in range(rounds)], 0.3)

    def to_be_started(self, rounds: int) -> Result:
        """A save that has to start the drainer."""
        times = []
        for _ in range(rounds):
            self.servers.stop_worker()
            time.sleep(0.1)
            times.append(self._single())
        return self.row("drainer to be started", times, 0.8)

    def at_once(self, rounds: int, many: int = 5) -> Result:
        """Several people save at the same time; the time of the last one counts."""
        times = []
        for _ in range(rounds):
            chosen = self.next_scenes(many)
            began = time.monotonic()
            with ThreadPoolExecutor(many) as pool:
                list(pool.map(self.save, chosen))
            times.append(_last(self.watch.seconds_until_each_shown(chosen, began)))
        return self.row(f"{many} at once, the last", times)

    def bulk_edit(self, rounds: int, many: int = 20) -> Result:
        """One bulk edit; the time of its last scene counts."""
        times, answers = [], []
        for turn in range(rounds):
            chosen = self.next_scenes(many)
            began = time.monotonic()
            change = {"ids": [str(number) for number in chosen], "rating100": 10 + turn}
            self.servers.stash.gql(_BULK_EDIT, {"input": change})
            answers.append(time.monotonic() - began)
            times.append(_last(self.watch.seconds_until_each_shown(chosen, began)))
        answer = seconds(statistics.median(answers))
        return self.row(f"bulk edit of {many}, the last", times, note=f"Stash answers after {answer}")

    def behind_a_bulk(self, rounds: int) -> Result:
        """A save while thousands of bulk rows wait."""
        run_task(self.servers, "Sync All Scenes")
        # From the end: the bulk has not come that far.
        self.scenes.reverse()
        before = self._waiting()
        times = [self._single() for _ in range(rounds)]
        after = self._waiting()
        if not after:
            raise RuntimeError("the bulk was done before the saves were: take a larger library")
        return self.row("behind a bulk", times, note=f"{before} rows wait at first, {after} at last")

    def one_after_another(self, many: int) -> Result:
        """A thousand saves of a thousand scenes without a pause."""
        chosen = self.next_scenes(many)
        began, most = [], 0
        for scene_id in chosen:
            began.append(self.save(scene_id))
            most = max(most, self._waiting())
        took = time.monotonic() - began[0]
        pairs = zip(chosen, began, strict=True)
        times = [self.watch.seconds_until_shown(scene_id, since, TIMEOUT_S * 4) for scene_id, since in pairs]
        log = (self.servers.data_dir / "stash2plex.log").read_text()
        drainers = len(re.findall(r" Beginning: ", log))
        note = f"saved in {took:.1f} s, at most {most} rows wait, drainers so far: {drainers}"
        return self.row(f"{many} in a row", times, note=note)

    def _single(self) -> float | None:
        (scene_id,) = self.next_scenes(1)
        return self.watch.seconds_until_shown(scene_id, self.save(scene_id))

    def _waiting(self) -> int:
        return get_stats(str(self.servers.data_dir / "queue"))["waiting"]


def _last(times: Sequence[float | None]) -> float | None:
    arrived = [value for value in times if value is not None]
    return max(arrived) if len(arrived) == len(times) else None


def measure(full: bool) -> Iterator[Result]:
    """The two cases that have a target; in full also the others."""
    many, bulk = (1000, 5000) if full else (100, 2000)
    yield from _over(
        200,
        lambda bench: bench.to_be_started(15),
        lambda bench: bench.at_work(30),
        lambda bench: bench.at_once(10),
        lambda bench: bench.bulk_edit(5),
    )
    yield from _over(many + many // 10, lambda bench: bench.one_after_another(many))
    yield from _over(bulk + bulk // 20, lambda bench: bench.behind_a_bulk(10))


def _over(scenes: int, *cases: Callable[[Bench], Result]) -> Iterator[Result]:
    with DemoServers(scenes) as servers:
        bench = Bench(servers)
        for case in cases:
            yield case(bench)


if __name__ == "__main__":
    main(measure, __doc__)

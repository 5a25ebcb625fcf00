"""The time from a save in Stash until Plex shows it, under loads that users meet."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.results import Result, main
from benchmarks.setup_steps import written_scenes
from sandbox.demo.edits import Edit
from sandbox.demo.measurements import TIMEOUT_S, PlexWatcher, run_task
from sandbox.demo.servers import DemoServers
from sandbox.demo.text_output import seconds
from sync_queue.operations import get_stats

_BULK_EDIT = "mutation($input: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $input) { id } }"


class LatencyBenchmark:
    """Both servers and the scenes to save, in order."""

    def __init__(self, servers: DemoServers) -> None:
        self.servers = servers
        self.watcher = PlexWatcher(servers)
        self.scenes = written_scenes(servers)
        self._turn = 0

    def next_scenes(self, count: int) -> list[int]:
        """Return the next scenes, different from those of the last call."""
        first = self._turn
        self._turn += count
        return [self.scenes[n % len(self.scenes)] for n in range(first, first + count)]

    def save(self, scene_id: int) -> float:
        """Save a new title. Return when the save began."""
        began = time.monotonic()
        title = f"Saved for the {self._turn}th time {began:.3f}"
        Edit("title", scene_id, {"title": title}).save(self.servers.stash)
        return began

    def row(self, what: str, times: Sequence[float | None], target: float | None = None, note: str = "") -> Result:
        """Return a row of the table. Raise RuntimeError if a save did not arrive."""
        arrived = [value for value in times if value is not None]
        if len(arrived) < len(times):
            raise RuntimeError(f"{what}: {len(times) - len(arrived)} of {len(times)} did not reach Plex")
        note = "; ".join(filter(None, [f"longest {seconds(max(arrived))}", note]))
        scenes = len(self.servers.library.scenes)
        median = statistics.median(arrived)
        return Result(f"save to Plex, {what}", median, "s", len(arrived), scenes, target, note=note)

    # the cases

    def worker_running(self, rounds: int) -> Result:
        """Measure a save while the worker runs."""
        return self.row("worker running", [self._single() for _ in range(rounds)], 0.3)

    def worker_not_running(self, rounds: int) -> Result:
        """Measure a save that has to start the worker."""
        times = []
        for _ in range(rounds):
            self.servers.stop_worker()
            time.sleep(0.1)
            times.append(self._single())
        return self.row("worker not running", times, 0.8)

    def simultaneous_saves(self, rounds: int, count: int = 5) -> Result:
        """Measure several saves at the same time; the last one to arrive counts."""
        times = []
        for _ in range(rounds):
            chosen = self.next_scenes(count)
            began = time.monotonic()
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(self.save, chosen))
            times.append(_last(self.watcher.seconds_until_each_shown(chosen, began)))
        return self.row(f"last of {count} at once", times)

    def bulk_edit(self, rounds: int, count: int = 20) -> Result:
        """Measure one bulk edit; its last scene counts."""
        times, answers = [], []
        for turn in range(rounds):
            chosen = self.next_scenes(count)
            began = time.monotonic()
            change = {"ids": [str(number) for number in chosen], "rating100": 10 + turn}
            self.servers.stash.gql(_BULK_EDIT, {"input": change})
            answers.append(time.monotonic() - began)
            times.append(_last(self.watcher.seconds_until_each_shown(chosen, began)))
        answer = seconds(statistics.median(answers))
        return self.row(f"last of a bulk edit of {count}", times, note=f"Stash answers after {answer}")

    def save_during_bulk(self, rounds: int) -> Result:
        """Measure a save while thousands of bulk rows are waiting."""
        run_task(self.servers, "Sync All Scenes")
        # From the end, which the bulk has not reached yet.
        self.scenes.reverse()
        before = self._waiting()
        times = [self._single() for _ in range(rounds)]
        after = self._waiting()
        if not after:
            raise RuntimeError("the bulk ended before the saves: use a larger library")
        return self.row("during a bulk sync", times, note=f"{before} rows waiting before, {after} after")

    def saves_in_a_row(self, count: int) -> Result:
        """Measure many saves without a pause between them."""
        chosen = self.next_scenes(count)
        began, most = [], 0
        for scene_id in chosen:
            began.append(self.save(scene_id))
            most = max(most, self._waiting())
        took = time.monotonic() - began[0]
        pairs = zip(chosen, began, strict=True)
        times = [self.watcher.seconds_until_shown(scene_id, since, TIMEOUT_S * 4) for scene_id, since in pairs]
        log = (self.servers.data_dir / "stash2plex.log").read_text()
        workers = len(re.findall(r" The worker starts: ", log))
        note = f"saved in {took:.1f} s, at most {most} rows waiting, workers started: {workers}"
        return self.row(f"{count} saves in a row", times, note=note)

    def _single(self) -> float | None:
        (scene_id,) = self.next_scenes(1)
        return self.watcher.seconds_until_shown(scene_id, self.save(scene_id))

    def _waiting(self) -> int:
        return get_stats(str(self.servers.data_dir / "queue"))["waiting"]


def _last(times: Sequence[float | None]) -> float | None:
    arrived = [value for value in times if value is not None]
    return max(arrived) if len(arrived) == len(times) else None


def measure(full: bool) -> Iterator[Result]:
    """Measure all cases; the two with a target come first."""
    count, bulk = (1000, 5000) if full else (100, 2000)
    yield from _run_cases(
        200,
        lambda bench: bench.worker_not_running(15),
        lambda bench: bench.worker_running(30),
        lambda bench: bench.simultaneous_saves(10),
        lambda bench: bench.bulk_edit(5),
    )
    yield from _run_cases(count + count // 10, lambda bench: bench.saves_in_a_row(count))
    yield from _run_cases(bulk + bulk // 20, lambda bench: bench.save_during_bulk(10))


def _run_cases(scenes: int, *cases: Callable[[LatencyBenchmark], Result]) -> Iterator[Result]:
    with DemoServers(scenes) as servers:
        bench = LatencyBenchmark(servers)
        for case in cases:
            yield case(bench)


if __name__ == "__main__":
    main(measure, __doc__)

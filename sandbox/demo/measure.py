"""Watching and timing: an edit on its way, a task at work, a hook process against bare Python, requests."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.demo import truth
from sandbox.demo.stage import Stage
from sandbox.plex import Item
from sandbox.stash import Job, PluginProcess

PATIENCE = 15.0
_RUN = 'mutation Run($task: String!) { runPluginTask(plugin_id: "Stash2Plex", task_name: $task) }'
_OURS = {"sceneUpdate", "bulkSceneUpdate", "runPluginTask"}


class Watch:
    """Notes the moment of the last write to each item of Plex."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._written = threading.Condition()
        self._last: dict[int, float] = {}
        stage.plex.on_write = self._note

    def _note(self, item: Item) -> None:
        with self._written:
            self._last[item.rating_key] = time.monotonic()
            self._written.notify_all()

    def arrival(self, scene_id: int, since: float, patience: float | None = None) -> float | None:
        """Seconds from ``since`` (monotonic) until Plex showed the scene as Stash has it; None where it did not."""
        stash, plex = self._stage.stash, self._stage.plex
        end = time.monotonic() + (PATIENCE if patience is None else patience)
        while truth.different(stash, plex, scene_id):
            with self._written:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._written.wait(min(left, 0.05))
        keys = [item.rating_key for item in truth.items_of(stash, plex, scene_id)]
        with self._written:
            last = max((self._last.get(key, 0.0) for key in keys), default=0.0)
        return max(0.0, last - since) if last else None

    def arrivals(self, scene_ids: Iterable[int], since: float, patience: float | None = None) -> list[float | None]:
        """:meth:`arrival` of several scenes."""
        return [self.arrival(number, since, patience) for number in scene_ids]


def run_task(stage: Stage, task: str, progress: Callable[[float], None] = lambda _: None, patience: float = 120) -> Job:
    """Start a task as Stash's page does and follow it to its end. Raises TimeoutError."""
    job = stage.stash.job(stage.stash.gql(_RUN, {"task": task})["runPluginTask"])
    if job is None:
        raise LookupError(f"Stash knows nothing of the task {task}")
    end = time.monotonic() + patience
    while not job.done.wait(0.05):
        progress(job.progress)
        if time.monotonic() > end:
            raise TimeoutError(f"the task {task} is {job.status} after {patience:.0f} s")
    return job


@dataclass(frozen=True)
class Traffic:
    """Requests: to Plex by kind, to Stash those that we did not send ourselves, and reloads nobody asked for."""

    get: int
    put: int
    uploads: int
    other: int
    stash: int
    hidden: int


def reset_traffic(stage: Stage) -> None:
    """Begin to count anew."""
    stage.plex.reset_counters()
    stage.stash.reset_counters()


def traffic(stage: Stage) -> Traffic:
    """What was asked since the last reset."""
    counts = stage.plex.counters
    get = sum(number for kind, number in counts.items() if kind.startswith("GET "))
    put = sum(number for kind, number in counts.items() if kind.startswith("PUT "))
    post = sum(number for kind, number in counts.items() if kind.startswith("POST "))
    stash = sum(not _OURS.intersection(seen.fields) for seen in list(stage.stash.requests))
    return Traffic(get, put, post, sum(counts.values()) - get - put - post, stash, stage.plex.hidden_reloads)


@dataclass(frozen=True)
class Comparison:
    """Medians in seconds, of processes that ran turn by turn; ``typical`` is the median of the pairs' ratios."""

    hook: float
    bare: float
    typical: float

    @property
    def ratio(self) -> float:
        """How many times as long a hook takes."""
        return self.hook / self.bare


def last_hook(stage: Stage) -> PluginProcess:
    """The hook process that Stash started last."""
    return next(process for process in reversed(stage.stash.processes) if process.kind == "hook")


def hook_against_bare(stage: Stage, rounds: int, before_each: Callable[[], None] = lambda: None) -> Comparison:
    """The last hook's process once more, with the same input and surroundings, turn by turn with a Python that does
    nothing."""
    hook = last_hook(stage)
    folder = stage.home / "stash"
    env = {**os.environ, "STASH_PLUGIN_DATA": "", "PYTHONPATH": str(folder / "plugins")}
    hooks, bares = [], []
    for turn in range(rounds + 2):
        before_each()
        hook_time = _timed(hook.argv, hook.stdin, str(folder), env)
        bare_time = _timed([sys.executable, "-c", "pass"], b"", str(folder), env)
        if turn >= 2:  # the first ones only warm the caches
            hooks.append(hook_time)
            bares.append(bare_time)
    typical = statistics.median(hook / bare for hook, bare in zip(hooks, bares, strict=True))
    return Comparison(statistics.median(hooks), statistics.median(bares), typical)


def _timed(argv: list[str], stdin: bytes, folder: str, env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    took = time.perf_counter() - began
    if done.returncode or b'"error"' in done.stdout:
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return took

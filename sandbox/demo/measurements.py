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

from sandbox.demo import expectations
from sandbox.demo.servers import DemoServers
from sandbox.plex import Item
from sandbox.stash import Job, PluginProcess

TIMEOUT_S = 15.0
_RUN = 'mutation Run($task: String!) { runPluginTask(plugin_id: "Stash2Plex", task_name: $task) }'
_OURS = {"sceneUpdate", "bulkSceneUpdate", "runPluginTask"}


class PlexWatcher:
    """Notes the moment of the last write to each item of Plex."""

    def __init__(self, servers: DemoServers) -> None:
        self._stage = servers
        self._written = threading.Condition()
        self._last: dict[int, float] = {}
        servers.plex.on_write = self._note

    def _note(self, item: Item) -> None:
        with self._written:
            self._last[item.rating_key] = time.monotonic()
            self._written.notify_all()

    def seconds_until_shown(self, scene_id: int, since: float, patience: float | None = None) -> float | None:
        """Seconds from ``since`` (monotonic) until Plex showed the scene as Stash has it; None where it did not."""
        stash, plex = self._stage.stash, self._stage.plex
        end = time.monotonic() + (TIMEOUT_S if patience is None else patience)
        while expectations.differing_fields(stash, plex, scene_id):
            with self._written:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._written.wait(min(left, 0.05))
        keys = [item.rating_key for item in expectations.items_of(stash, plex, scene_id)]
        with self._written:
            last = max((self._last.get(key, 0.0) for key in keys), default=0.0)
        return max(0.0, last - since) if last else None

    def seconds_until_shown_each(
        self, scene_ids: Iterable[int], since: float, patience: float | None = None
    ) -> list[float | None]:
        """:meth:`arrival` of several scenes."""
        return [self.seconds_until_shown(number, since, patience) for number in scene_ids]


def run_task(
    servers: DemoServers, task: str, progress: Callable[[float], None] = lambda _: None, patience: float = 120
) -> Job:
    """Start a task as Stash's page does and follow it to its end. Raises TimeoutError."""
    job = servers.stash.job(servers.stash.gql(_RUN, {"task": task})["runPluginTask"])
    if job is None:
        raise LookupError(f"Stash knows nothing of the task {task}")
    end = time.monotonic() + patience
    while not job.done.wait(0.05):
        progress(job.progress)
        if time.monotonic() > end:
            raise TimeoutError(f"the task {task} is {job.status} after {patience:.0f} s")
    return job


@dataclass(frozen=True)
class RequestCounts:
    """Requests: to Plex by kind, to Stash those that we did not send ourselves, and reloads nobody asked for."""

    get: int
    put: int
    uploads: int
    other: int
    stash: int
    hidden: int


def reset_request_counts(servers: DemoServers) -> None:
    """Begin to count anew."""
    servers.plex.reset_counters()
    servers.stash.reset_counters()


def request_counts(servers: DemoServers) -> RequestCounts:
    """What was asked since the last reset."""
    counts = servers.plex.counters
    get = sum(number for kind, number in counts.items() if kind.startswith("GET "))
    put = sum(number for kind, number in counts.items() if kind.startswith("PUT "))
    post = sum(number for kind, number in counts.items() if kind.startswith("POST "))
    stash = sum(not _OURS.intersection(seen.fields) for seen in list(servers.stash.requests))
    return RequestCounts(get, put, post, sum(counts.values()) - get - put - post, stash, servers.plex.hidden_reloads)


@dataclass(frozen=True)
class HookTiming:
    """Medians in seconds, of processes that ran turn by turn; ``typical`` is the median of the pairs' ratios."""

    hook: float
    bare: float
    typical: float

    @property
    def ratio(self) -> float:
        """How many times as long a hook takes."""
        return self.hook / self.bare


def last_hook(servers: DemoServers) -> PluginProcess:
    """The hook process that Stash started last."""
    return next(process for process in reversed(servers.stash.processes) if process.kind == "hook")


def time_hook_and_bare_python(
    servers: DemoServers, rounds: int, before_each: Callable[[], None] = lambda: None
) -> HookTiming:
    """The last hook's process once more, with the same input and surroundings, turn by turn with a Python that does
    nothing."""
    hook = last_hook(servers)
    folder = servers.home / "stash"
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
    return HookTiming(statistics.median(hooks), statistics.median(bares), typical)


def _timed(argv: list[str], stdin: bytes, folder: str, env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    took = time.perf_counter() - began
    if done.returncode or b'"error"' in done.stdout:
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return took

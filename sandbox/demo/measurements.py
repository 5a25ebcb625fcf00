"""Measure how long edits and tasks take, what a hook process costs, and how many requests are sent."""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.demo import expectations
from sandbox.demo.servers import DemoServers
from sandbox.plex import Item
from sandbox.stash import Job, PluginProcess
from sandbox.timed_process import timed

TIMEOUT_S = 15.0
_RUN = 'mutation Run($task: String!) { runPluginTask(plugin_id: "Stash2Plex", task_name: $task) }'
_SENT_BY_DEMO = {"sceneUpdate", "bulkSceneUpdate", "runPluginTask"}


class PlexWatcher:
    """Record the time of the last write to each Plex item."""

    def __init__(self, servers: DemoServers) -> None:
        self._servers = servers
        self._written = threading.Condition()
        self._last: dict[int, float] = {}
        servers.plex.on_write = self._note

    def _note(self, item: Item) -> None:
        with self._written:
            self._last[item.rating_key] = time.monotonic()
            self._written.notify_all()

    def seconds_until_shown(self, scene_id: int, since: float, timeout_s: float | None = None) -> float | None:
        """Return the seconds from ``since`` (monotonic) until Plex equalled Stash; None after the timeout."""
        stash, plex = self._servers.stash, self._servers.plex
        end = time.monotonic() + (TIMEOUT_S if timeout_s is None else timeout_s)
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

    def seconds_until_each_shown(
        self, scene_ids: Iterable[int], since: float, timeout_s: float | None = None
    ) -> list[float | None]:
        """Return :meth:`seconds_until_shown` of several scenes."""
        return [self.seconds_until_shown(number, since, timeout_s) for number in scene_ids]


def run_task(
    servers: DemoServers, task: str, progress: Callable[[float], None] = lambda _: None, timeout_s: float = 120
) -> Job:
    """Start a task as Stash's page does and wait for its end. Raise TimeoutError."""
    job = servers.stash.job(servers.stash.gql(_RUN, {"task": task})["runPluginTask"])
    if job is None:
        raise LookupError(f"Stash has no task {task}")
    end = time.monotonic() + timeout_s
    while not job.done.wait(0.05):
        progress(job.progress)
        if time.monotonic() > end:
            raise TimeoutError(f"the task {task} is {job.status} after {timeout_s:.0f} s")
    return job


@dataclass(frozen=True)
class RequestCounts:
    """Requests to Plex by kind, requests of the plugin to Stash, and reloads that plexapi makes on its own."""

    get: int
    put: int
    uploads: int
    other: int
    stash: int
    reloads: int


def reset_request_counts(servers: DemoServers) -> None:
    """Restart the request counts."""
    servers.plex.reset_counters()
    servers.stash.reset_counters()


def request_counts(servers: DemoServers) -> RequestCounts:
    """Return the request counts since the last reset."""
    counts = servers.plex.counters
    get = sum(number for kind, number in counts.items() if kind.startswith("GET "))
    put = sum(number for kind, number in counts.items() if kind.startswith("PUT "))
    post = sum(number for kind, number in counts.items() if kind.startswith("POST "))
    stash = sum(not _SENT_BY_DEMO.intersection(request.fields) for request in list(servers.stash.requests))
    return RequestCounts(get, put, post, sum(counts.values()) - get - put - post, stash, servers.plex.hidden_reloads)


@dataclass(frozen=True)
class HookTiming:
    """Medians in seconds of processes that ran alternately; ``typical`` is the median ratio of the pairs."""

    hook: float
    bare: float
    typical: float

    @property
    def ratio(self) -> float:
        """How many times as long as bare Python a hook takes."""
        return self.hook / self.bare


def last_hook(servers: DemoServers) -> PluginProcess:
    """Return the hook process that Stash started last."""
    return next(process for process in reversed(servers.stash.processes) if process.kind == "hook")


def time_hook_and_bare_python(
    servers: DemoServers, rounds: int, before_each: Callable[[], None] = lambda: None
) -> HookTiming:
    """Run the last hook process again with the same input and environment, alternately with an empty Python."""
    hook = last_hook(servers)
    folder = servers.home / "stash"
    env = {**os.environ, "STASH_PLUGIN_DATA": "", "PYTHONPATH": str(folder / "plugins")}
    hooks, bares = [], []
    for turn in range(rounds + 2):
        before_each()
        hook_time = timed(hook.argv, hook.stdin, folder, env)
        bare_time = timed([sys.executable, "-c", "pass"], b"", folder, env)
        if turn >= 2:  # the first rounds only warm the caches
            hooks.append(hook_time)
            bares.append(bare_time)
    typical = statistics.median(hook / bare for hook, bare in zip(hooks, bares, strict=True))
    return HookTiming(statistics.median(hooks), statistics.median(bares), typical)

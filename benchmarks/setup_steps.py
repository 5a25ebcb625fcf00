"""Steps that several benchmarks share: a first save, many queued rows, a worker that processes them all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from common.detached_process import ensure_worker
from common.job_rows import PRIORITY_BULK, scene_key, scene_row
from sandbox.demo import expectations
from sandbox.demo.edits import Edit
from sandbox.demo.measurements import PlexWatcher
from sandbox.demo.servers import DemoServers
from sandbox.stash import PluginProcess, Scene
from sync_queue.operations import get_stats
from sync_queue.setup import open_writer

_BATCH_SIZE = 500


def first_save(servers: DemoServers) -> None:
    """Save one scene: afterwards the queue exists, the worker runs, and the code is compiled."""
    scene = next(s for s in servers.library.scenes if s.files and s.studio_id)
    began = time.monotonic()
    Edit("title", scene.id, {"title": "The hook that is measured"}).save(servers.stash)
    if PlexWatcher(servers).seconds_until_shown(scene.id, began) is None and servers.worker_pid() is None:
        raise RuntimeError("the first save did not reach Plex")
    time.sleep(0.5)  # the worker compiles the hooks' modules when it is idle


def without_covers(servers: DemoServers) -> None:
    """Remove every cover, so that nothing is uploaded."""
    for scene in servers.stash.scenes:
        if scene.cover is not None:
            servers.stash.store.scenes.change(scene.id, _remove_cover)


def _remove_cover(scene: Scene) -> None:
    scene.cover = None


def written_scenes(servers: DemoServers) -> list[int]:
    """Return the scenes that belong in Plex."""
    return [scene.id for scene in servers.stash.scenes if expectations.why_not_in_plex(servers.stash, scene) is None]


def change(servers: DemoServers, scene_ids: Iterable[int], words: str) -> None:
    """Change the details of each scene without a hook, as an import does."""
    store = servers.stash.store

    def edit(scene: Scene) -> None:
        scene.details = f"{words}, of scene {scene.id}"
        scene.updated_at = store.clock.seconds()

    with store.lock:
        for scene_id in scene_ids:
            store.scenes.change(scene_id, edit)


def enqueue(data_dir: Path, scene_ids: Iterable[int]) -> None:
    """Queue scenes with bulk priority, as a reconciliation does."""
    rows = [
        (scene_row(scene_id, priority=PRIORITY_BULK, now=time.time()), scene_key(scene_id)) for scene_id in scene_ids
    ]
    with closing(open_writer(str(data_dir))) as writer:
        for start in range(0, len(rows), _BATCH_SIZE):
            writer.fold_all(rows[start : start + _BATCH_SIZE])


def last_process(servers: DemoServers) -> PluginProcess:
    """Return the plugin process that Stash started last."""
    return servers.stash.processes[-1]


def start_worker(servers: DemoServers) -> None:
    """Start a worker with the connection that Stash passed last, without a request to Stash."""
    connection = json.dumps(last_process(servers).input["server_connection"])
    # A worker that ends releases its lock a moment after its last status.
    while not ensure_worker(str(servers.data_dir), str(servers.plugin_dir), connection):
        time.sleep(0.02)


def wait_until_queue_empty(servers: DemoServers, timeout_s: float = 1800.0) -> None:
    """Wait until no row is waiting or in flight. Raise TimeoutError."""
    end = time.monotonic() + timeout_s
    while True:
        stats = get_stats(str(servers.data_dir / "queue"))
        if not stats["waiting"] + stats["in_flight"]:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{stats['waiting']} rows are still waiting after {timeout_s:.0f} s")
        time.sleep(0.05)


def process_environment(servers: DemoServers) -> tuple[Path, dict[str, str]]:
    """Return the working directory and environment of the plugin's processes."""
    folder = servers.home / "stash"
    return folder, {**os.environ, "STASH_PLUGIN_DATA": "", "PYTHONPATH": str(folder / "plugins")}

"""What the measurements do with a stage over and over: a first save, many rows at once, a drainer to the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from common.detached_process import ensure_worker
from common.jobs import PRIORITY_BULK, scene_key, scene_row
from sandbox.demo import expectations
from sandbox.demo.edits import Edit
from sandbox.demo.measurements import PlexWatcher
from sandbox.demo.servers import DemoServers
from sandbox.stash import PluginProcess, Scene
from sync_queue.operations import get_stats
from sync_queue.setup import open_writer

_AT_ONCE = 500


def first_save(servers: DemoServers) -> None:
    """Save one scene: after it the queue is there, the drainer has started, and code is compiled."""
    scene = next(s for s in servers.library.scenes if s.files and s.studio_id)
    began = time.monotonic()
    Edit("title", scene.id, {"title": "The hook that is measured"}).save(servers.stash)
    if PlexWatcher(servers).seconds_until_shown(scene.id, began) is None and servers.worker_pid() is None:
        raise RuntimeError("the first save did not reach Plex")
    time.sleep(0.5)  # it compiles for the hooks when it is at rest


def without_covers(servers: DemoServers) -> None:
    """Take every cover away: nothing is uploaded then."""
    for scene in servers.stash.scenes:
        if scene.cover is not None:
            servers.stash.store.scenes.change(scene.id, _bare)


def _bare(scene: Scene) -> None:
    scene.cover = None


def written_scenes(servers: DemoServers) -> list[int]:
    """The scenes that are meant to be in Plex."""
    return [scene.id for scene in servers.stash.scenes if expectations.why_not_in_plex(servers.stash, scene) is None]


def change(servers: DemoServers, scene_ids: Iterable[int], words: str) -> None:
    """Give each scene other details, without a hook: as an import does."""
    store = servers.stash.store

    def edit(scene: Scene) -> None:
        scene.details = f"{words}, of scene {scene.id}"
        scene.updated_at = store.clock.seconds()

    with store.lock:
        for scene_id in scene_ids:
            store.scenes.change(scene_id, edit)


def enqueue(data_dir: Path, scene_ids: Iterable[int]) -> None:
    """Queue scenes as bulk, as a reconciliation does."""
    rows = [(scene_row(one, priority=PRIORITY_BULK, now=time.time()), scene_key(one)) for one in scene_ids]
    with closing(open_writer(str(data_dir))) as writer:
        for start in range(0, len(rows), _AT_ONCE):
            writer.fold_all(rows[start : start + _AT_ONCE])


def last_process(servers: DemoServers) -> PluginProcess:
    """The plugin's process that Stash started last."""
    return servers.stash.processes[-1]


def start_drainer(servers: DemoServers) -> None:
    """Start a drainer with the connection that Stash gave out last, and no request of our own."""
    connection = json.dumps(last_process(servers).input["server_connection"])
    # One that has said its last words lets go of its lock a moment later.
    while not ensure_worker(str(servers.data_dir), str(servers.plugin_dir), connection):
        time.sleep(0.02)


def drained(servers: DemoServers, patience: float = 1800.0) -> None:
    """Wait until nothing waits or is in flight. Raises TimeoutError."""
    end = time.monotonic() + patience
    while True:
        stats = get_stats(str(servers.data_dir / "queue"))
        if not stats["waiting"] + stats["in_flight"]:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{stats['waiting']} rows wait still after {patience:.0f} s")
        time.sleep(0.05)


def surroundings(servers: DemoServers) -> tuple[Path, dict[str, str]]:
    """Folder and environment of the plugin's processes."""
    folder = servers.home / "stash"
    return folder, {**os.environ, "STASH_PLUGIN_DATA": "", "PYTHONPATH": str(folder / "plugins")}

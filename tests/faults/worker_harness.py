"""The real worker in the test's own process, on a simulated clock, over real HTTP between both simulators."""

from __future__ import annotations

import functools
import json
import signal
import types
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.file_locks import try_lock
from common.job_rows import PRIORITY_BULK, PRIORITY_SAVE, scene_key, scene_row
from sandbox.library import Library, generate
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from stash import client as stash_client
from state import timestamps
from sync_queue.dlq import DeadLetterQueue
from sync_queue.operations import get_stats
from sync_queue.setup import open_writer
from tests.faults import invariants
from tests.installation import PLUGIN, SAVE, files_of
from tests.worker.support import Clock
from worker import plugin_files, service, stash_source, status_files
from worker.exit_reason import ExitReason
from worker.factory import WorkerEnvironment
from worker.stash_log_relay import StashLogRelay
from worker.status_files import read_wait

LOCK = "worker.lock"


class WorkerHarness:
    """A worker, both simulators, and a clock that jumps over every pause.

    ``log_lines`` are the lines sent to Stash's log. ``exits`` are the reasons for which workers ended,
    ``premature_exits`` only those of workers that still had something to do.
    """

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        library: Library | None = None,
        settings: dict[str, Any] | None = None,
        plex: PlexSim | None = None,
        **stash_options: Any,
    ) -> None:
        self.clock = Clock()
        self.library = library or generate(1, 24)
        self.plex = plex or PlexSim(clock=self.clock)
        self.plex.faults.clock = self.clock
        self.stash = StashSim(folder / "stash", library=self.library, **stash_options)
        self.stash.faults.clock = self.clock
        self.data = folder / "data"
        self.plugin_dir = folder / "plugin"
        self.plugin_dir.mkdir()
        (self.plugin_dir / f"{PLUGIN}.yml").write_text("name: only its modification time matters\n")
        self.settings: dict[str, Any] = {"read_timeout": 0.2, "connect_timeout": 0.2, **(settings or {})}
        self.log_lines: list[tuple[str, str]] = []
        self.premature_exits: list[ExitReason] = []
        self.exits: list[ExitReason] = []
        # The seconds by which the user or an NTP server has moved the clock.
        self.clock_offset = 0.0
        self._end = 0.0
        self._scheduled: list[tuple[float, Callable[[], None]]] = []
        self._stop: Callable[[], None] = lambda: None
        self._patch(monkeypatch)

    def __enter__(self) -> WorkerHarness:
        self.plex.start()
        section = self.plex.add_section("Scenes", ["/data"])
        self.plex.load(section, files_of(self.library))
        self.stash.start()
        self.configure()
        self.data.mkdir(mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        self.plex.faults.clear()
        self.stash.faults.clear()
        self.stash.stop()
        self.plex.stop()

    def configure(self, **settings: Any) -> None:
        """Store the plugin's settings in Stash."""
        stored = {"plex_url": self.plex.url, "plex_token": self.plex.token, **self.settings, **settings}
        self.stash.configure(PLUGIN, stored)

    def _patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks, clock = self.clock, self.wall_clock
        ticking = types.SimpleNamespace(time=clock, monotonic=ticks, sleep=self._sleep)
        for module in (service, plugin_files, stash_source, status_files, stash_client):
            monkeypatch.setattr(module, "time", ticking)
        monkeypatch.setattr(
            service,
            "WorkerEnvironment",
            functools.partial(WorkerEnvironment, clock=clock, ticks=ticks, sleep=self._sleep),
        )
        monkeypatch.setattr(service, "compile_for_hooks", lambda folder: None)
        # Tests may run in a thread, and must leave no signal handler behind.
        fake_signal = types.SimpleNamespace(SIGTERM=signal.SIGTERM, SIGINT=signal.SIGINT, signal=self._signal)
        monkeypatch.setattr(service, "signal", fake_signal)
        # A request to Stash that hangs ends soon in real time.
        monkeypatch.setattr(stash_client, "READ_TIMEOUT_S", 0.3)
        stash_client_class = stash_client.StashClient
        monkeypatch.setattr(service, "StashClient", functools.partial(stash_client_class, timeout=(0.3, 0.3)))
        monkeypatch.setattr(StashLogRelay, "notify", lambda relay, level, text: self.log_lines.append((level, text)))
        run = service.WorkerService.run

        def run_and_record(worker: service.WorkerService) -> ExitReason:
            reason = run(worker)
            self.exits.append(reason)
            if reason not in (ExitReason.STOPPED, ExitReason.IDLE):
                self.premature_exits.append(reason)
            return reason

        monkeypatch.setattr(service.WorkerService, "run", run_and_record)

    def _signal(self, number: int, handler: Any) -> None:
        self._stop = lambda: handler(number, None)

    def refuse_stash_after_writes(self, writes: int) -> None:
        """Close Stash's port at the write to Plex with this number, and keep it closed."""
        left = [writes]

        def count(item: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                self.stash.faults.refuse()

        self.plex.on_write = count

    def schedule(self, seconds: float, action: Callable[[], None]) -> None:
        """Run an action after so much simulated time, while a worker runs."""
        self._scheduled.append((self.clock() + seconds, action))

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        for due_at, action in [entry for entry in self._scheduled if entry[0] <= self.clock()]:
            self._scheduled.remove((due_at, action))
            action()
        if self.clock() >= self._end:
            self._stop()

    def wall_clock(self) -> float:
        """Return the time of day that the product sees."""
        return self.clock() + self.clock_offset

    # edits in Stash

    def enqueue(self, *scene_ids: int, priority: int = PRIORITY_BULK) -> None:
        """Queue scenes as a hook or a reconciliation does."""
        with closing(open_writer(str(self.data))) as writer:
            now = self.wall_clock()
            writer.fold_all((scene_row(number, priority=priority, now=now), scene_key(number)) for number in scene_ids)

    def edit_all_scenes(self, number: int) -> list[int]:
        """Edit and queue every scene. Return their ids."""
        scenes = [int(scene.id) for scene in self.library.scenes]
        for scene_id in scenes:
            scene = self.stash.scene(scene_id)
            scene.title, scene.details = f"{number} {scene_id}", f"Ünï {number}"
        self.enqueue(*scenes)
        return scenes

    def save_scene(self, scene_id: int, **fields: Any) -> None:
        """Save a scene in Stash and queue it, as a user's save does."""
        self.stash.gql(SAVE, {"i": {"id": str(scene_id), **fields}}, through_faults=True)
        self.enqueue(scene_id, priority=PRIORITY_SAVE)

    def synced_scenes(self, count: int) -> list[int]:
        """Return the ids of so many scenes, each with one file of its own, after a worker has synced them."""
        paths = [file.path for scene in self.library.scenes for file in scene.files]
        chosen = [
            int(scene.id)
            for scene in self.library.scenes
            if scene.studio_id is not None and len(scene.files) == 1 and paths.count(scene.files[0].path) == 1
        ][:count]
        assert len(chosen) == count
        self.enqueue(*chosen)
        self.run_worker(10)
        assert self.problems(chosen) == []
        return chosen

    # the worker

    def stash_connection(self) -> dict[str, Any]:
        """Return the ``server_connection`` that Stash would pass to a hook now."""
        sessions = self.stash.core.sessions
        cookie = {"Name": "session", "Value": sessions.issue(sessions.username)}
        return {"Scheme": "http", "Host": "127.0.0.1", "Port": self.stash.port, "SessionCookie": cookie}

    def run_worker(self, seconds: float) -> None:
        """Start a worker and let so much simulated time pass. If it ends by itself, no other is started."""
        self._end = self.clock() + seconds
        self._sleep(max(0.0, read_wait(str(self.data))[0] - self.wall_clock()))
        lock = try_lock(str(self.data / LOCK))
        assert lock is not None
        service.serve(str(self.plugin_dir), str(self.data), self.stash_connection(), lock)
        while self.clock() < self._end:
            self._sleep(min(1.0, self._end - self.clock()))

    # results

    def queue_counts(self) -> dict[str, int]:
        """Return the number of queue rows by state."""
        return get_stats(str(self.data / "queue"))

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return the dead letters."""
        return DeadLetterQueue(str(self.data)).entries()

    def status(self) -> dict[str, Any]:
        """Return the worker's status file."""
        status: dict[str, Any] = json.loads((self.data / "worker_status.json").read_text())
        return status

    def attention(self) -> str | None:
        """Return the sentence that says why edits are waiting, or None."""
        path = self.data / "attention"
        return path.read_text() if path.exists() else None

    def sync_timestamps(self) -> dict[int, float]:
        """Return the sync timestamps by scene."""
        return timestamps.load(str(self.data))

    def problems(self, scene_ids: list[int]) -> list[str]:
        """Return what is unfinished: rows in the queue, dead letters, differences, violated invariants, attention."""
        found = invariants.violations(self.stash, self.plex, self.data, scene_ids)
        found += [f"{count} rows {state}" for state, count in self.queue_counts().items() if count]
        found += [
            f"dead letter {dead_letter['job_key']}: {dead_letter['message']}" for dead_letter in self.dead_letters()
        ]
        found += [
            f"scene {scene_id}: {field}"
            for scene_id in scene_ids
            for field in invariants.differing_fields(self.stash, self.plex, scene_id)
        ]
        if self.attention():
            found.append(f"attention: {self.attention()}")
        return found

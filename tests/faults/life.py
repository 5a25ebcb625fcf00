"""A drainer's whole life on a clock that jumps: the real one, over real HTTP, between both simulators."""

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
from common.jobs import PRIORITY_BULK, PRIORITY_SAVE, scene_key, scene_row
from sandbox.library import Library, generate
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from stash import client as stash_client
from state import timestamps
from sync_queue.dlq import DeadLetterQueue
from sync_queue.operations import get_stats
from sync_queue.setup import open_writer
from tests.faults import invariant
from tests.installation import PLUGIN, SAVE, files_of
from tests.worker.support import Clock
from worker import service, status_files
from worker.dispatcher import Dispatcher
from worker.processor import SyncWorker
from worker.stash_log_relay import StashLogRelay
from worker.status_files import read_wait

LOCK = "worker.lock"


class Life:
    """``told`` is what went to Stash's log; ``ends`` why drainers ended, ``left`` why those did
    that had something to do still."""

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
        (self.plugin_dir / f"{PLUGIN}.yml").write_text("name: for its time only\n")
        self.settings: dict[str, Any] = {"read_timeout": 0.2, "connect_timeout": 0.2, **(settings or {})}
        self.told: list[tuple[str, str]] = []
        self.left: list[service.ExitReason] = []
        self.ends: list[service.ExitReason] = []
        # What a person, or an NTP server, has set the clock forward by.
        self.set_forward = 0.0
        self._end = 0.0
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._stop: Callable[[], None] = lambda: None
        self._patch(monkeypatch)

    def __enter__(self) -> Life:
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
        """The plugin's settings in Stash."""
        known = {"plex_url": self.plex.url, "plex_token": self.plex.token, **self.settings, **settings}
        self.stash.configure(PLUGIN, known)

    def _patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks, clock = self.clock, self.wall
        ticking = types.SimpleNamespace(time=clock, monotonic=ticks, sleep=self._sleep)
        for module in (service, status_files, stash_client):
            monkeypatch.setattr(module, "time", ticking)
        monkeypatch.setattr(service, "Dispatcher", functools.partial(Dispatcher, clock=clock, sleep=self._sleep))
        monkeypatch.setattr(service, "SyncWorker", functools.partial(SyncWorker, clock=clock, ticks=ticks))
        monkeypatch.setattr(service, "compile_for_hooks", lambda folder: None)
        # For tests that run in a thread, and so that no handler is left behind.
        quiet = types.SimpleNamespace(SIGTERM=signal.SIGTERM, SIGINT=signal.SIGINT, signal=self._signal)
        monkeypatch.setattr(service, "signal", quiet)
        # A request to Stash that hangs ends soon, in real time.
        monkeypatch.setattr(stash_client, "READ_TIMEOUT_S", 0.3)
        made = stash_client.StashClient
        monkeypatch.setattr(service, "StashClient", functools.partial(made, timeout=(0.3, 0.3)))
        monkeypatch.setattr(StashLogRelay, "tell", lambda speaker, level, text: self.told.append((level, text)))
        run = service.WorkerService.run

        def run_and_tell(resident: service.WorkerService) -> service.ExitReason:
            why = run(resident)
            self.ends.append(why)
            if why not in (service.ExitReason.STOPPED, service.ExitReason.IDLE):
                self.left.append(why)
            return why

        monkeypatch.setattr(service.WorkerService, "run", run_and_tell)

    def _signal(self, number: int, handler: Any) -> None:
        self._stop = lambda: handler(number, None)

    def refuse_stash_after(self, writes: int) -> None:
        """Stash's port closes at so many-th write to Plex, and stays closed."""
        left = [writes]

        def count(item: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                self.stash.faults.refuse()

        self.plex.on_write = count

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Something happens when so much time has gone by while a drainer lives."""
        self._later.append((self.clock() + seconds, what))

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        for moment, what in [one for one in self._later if one[0] <= self.clock()]:
            self._later.remove((moment, what))
            what()
        if self.clock() >= self._end:
            self._stop()

    def wall(self) -> float:
        """The clock on the wall."""
        return self.clock() + self.set_forward

    # what people do

    def queue(self, *scene_ids: int, priority: int = PRIORITY_BULK) -> None:
        """What a hook or a comparison writes."""
        with closing(open_writer(str(self.data))) as writer:
            writer.fold_all((scene_row(one, priority=priority, now=self.wall()), scene_key(one)) for one in scene_ids)

    def edit_all(self, number: int) -> list[int]:
        """Every scene is edited, and queued."""
        scenes = [int(scene.id) for scene in self.library.scenes]
        for scene_id in scenes:
            scene = self.stash.scene(scene_id)
            scene.title, scene.details = f"{number} {scene_id}", f"Ünï {number}"
        self.queue(*scenes)
        return scenes

    def save(self, scene_id: int, **fields: Any) -> None:
        """A person's save: in Stash, and its row."""
        self.stash.gql(SAVE, {"i": {"id": str(scene_id), **fields}}, through_faults=True)
        self.queue(scene_id, priority=PRIORITY_SAVE)

    def settled(self, count: int) -> list[int]:
        """So many scenes with one file each, in Plex as they are in Stash, and a drainer's first life behind them."""
        seen = [file.path for scene in self.library.scenes for file in scene.files]
        chosen = [
            int(scene.id)
            for scene in self.library.scenes
            if scene.studio_id is not None and len(scene.files) == 1 and seen.count(scene.files[0].path) == 1
        ][:count]
        assert len(chosen) == count
        self.queue(*chosen)
        self.live(10)
        assert self.unfinished(chosen) == []
        return chosen

    # the drainer

    def connection(self) -> dict[str, Any]:
        """What Stash hands to a hook now."""
        sessions = self.stash.core.sessions
        cookie = {"Name": "session", "Value": sessions.issue(sessions.username)}
        return {"Scheme": "http", "Host": "127.0.0.1", "Port": self.stash.port, "SessionCookie": cookie}

    def live(self, seconds: float) -> None:
        """Somebody invokes the plugin, and so much time goes by. When the drainer leaves by itself, nobody starts the
        next."""
        self._end = self.clock() + seconds
        self._sleep(max(0.0, read_wait(str(self.data))[0] - self.wall()))
        lock = try_lock(str(self.data / LOCK))
        assert lock is not None
        service.reside(str(self.plugin_dir), str(self.data), self.connection(), lock)
        while self.clock() < self._end:
            self._sleep(min(1.0, self._end - self.clock()))

    # looking

    def rows(self) -> dict[str, int]:
        """The queue's rows by state."""
        return get_stats(str(self.data / "queue"))

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters."""
        return DeadLetterQueue(str(self.data)).entries()

    def status(self) -> dict[str, Any]:
        """What the drainer says of itself."""
        found: dict[str, Any] = json.loads((self.data / "drainer.json").read_text())
        return found

    def attention(self) -> str | None:
        """What a person should know."""
        path = self.data / "attention"
        return path.read_text() if path.exists() else None

    def timestamps(self) -> dict[int, float]:
        """The sync timestamps."""
        return timestamps.load(str(self.data))

    def unfinished(self, scene_ids: list[int]) -> list[str]:
        """What is not as it should be when everything is done: rows that are left, dead letters, and the invariants."""
        found = invariant.violations(self.stash, self.plex, self.data, scene_ids)
        found += [f"{count} rows {state}" for state, count in self.rows().items() if count]
        found += [f"dead letter {letter['job_key']}: {letter['message']}" for letter in self.letters()]
        found += [
            f"scene {scene_id}: {field}"
            for scene_id in scene_ids
            for field in invariant.astray(self.stash, self.plex, scene_id)
        ]
        if self.attention():
            found.append(f"attention: {self.attention()}")
        return found

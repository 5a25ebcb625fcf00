"""A workbench: a composed worker over a real queue, a real state.db and a real Plex over HTTP, with its own clock.

Nothing waits in real time: sleeping moves the clock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from common.job_rows import PRIORITY_BULK, PRIORITY_SAVE, new_job
from common.scene import SceneData, SceneFile
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from settings.config import Stash2PlexConfig
from stash.scenes import Scene
from state import database
from state.ledger import Ledger, LedgerRow
from sync_queue.dlq import DeadLetterQueue
from sync_queue.operations import load_sync_timestamps
from sync_queue.setup import set_up
from sync_queue.store import JobStore
from sync_queue.writer import QueueWriter, queue_dir
from worker.circuit_breaker import BreakerState
from worker.factory import WorkerEnvironment, compose_worker
from worker.stash_source import SourceAnswer

START = 1_700_000_000.0


class Clock:
    """Epoch seconds that only the test and sleeping move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def scene(scene_id: int, path: str | None = None, updated_at: float | None = START - 60, **data: Any) -> Scene:
    """Return a scene as read from Stash. What is not given is empty."""
    path = path or f"/data/{scene_id}.mp4"
    full: dict[str, Any] = {
        "path": path,
        "title": f"Title {scene_id}",
        "details": "",
        "date": None,
        "rating100": None,
        "studio": "Studio",
        "performers": [],
        "tags": [],
        **data,
    }
    return Scene(scene_id, cast(SceneData, full), [SceneFile(path, 1, 1.0)], updated_at)


class Bench:
    """``scenes`` is what Stash has; ``told`` what went to Stash's log; ``reads`` the batches that were asked for."""

    def __init__(self, folder: Path, plex: PlexSim, clock: Clock, **settings: Any) -> None:
        self.data_dir = str(folder)
        self.plex = plex
        self.clock = clock
        self.section = plex.sections[0] if plex.sections else plex.add_section("Scenes", ["/data"])
        self.scenes: dict[int, Scene] = {}
        self.reads: list[list[int]] = []
        self.told: list[tuple[str, str]] = []
        self.stopped = False
        self.on_read: Callable[[list[int]], None] = lambda scene_ids: None
        set_up(self.data_dir)
        self.config = self.settings(**settings)
        self.dlq = DeadLetterQueue(self.data_dir)
        self.store = JobStore(queue_dir(self.data_dir))
        self.db = database.connect(self.data_dir)
        environment = WorkerEnvironment(
            self.data_dir, notify=self._notify, clock=clock, ticks=clock, sleep=clock.sleep, share=lambda: 1.0
        )
        parts = compose_worker(environment, self.store, self.db, self, dlq=self.dlq, config=self.config)
        self.pipeline = parts.pipeline
        self.outcomes = parts.outcomes
        self.health = parts.health
        self.status = parts.status
        self.entities = parts.entities
        self.dispatcher = parts.dispatcher

    def close(self) -> None:
        """Close everything that is open."""
        self.pipeline.close()
        self.store.close()
        self.db.close()

    def configure(self, config: Stash2PlexConfig) -> None:
        """Put other settings in force."""
        self.config = config
        self.pipeline.configure(config)

    def pause(self) -> None:
        """Turn the setting Enabled off."""
        self.config = self.settings(enabled=False)

    def settings(self, **settings: Any) -> Stash2PlexConfig:
        """Return settings that reach this Plex."""
        return Stash2PlexConfig.from_settings(
            {"plex_url": self.plex.url, "plex_token": self.plex.token, "read_timeout": 5, **settings}
        )

    def _notify(self, level: str, text: str) -> None:
        self.told.append((level, text))

    # the source of scenes and settings

    def ask(self, scene_ids: Sequence[int]) -> SourceAnswer:
        """Answer with the scenes and settings of the test."""
        self.reads.append(list(scene_ids))
        found = self.read_scenes(scene_ids)
        self.on_read(list(scene_ids))
        return SourceAnswer(found, self.config)

    def read_scenes(self, scene_ids: Sequence[int]) -> dict[int, Scene] | None:
        """Return the scenes of the test; None lets the data of the jobs count."""
        return {one: self.scenes.get(one, Scene(one, gone=True)) for one in scene_ids}

    def discard_tag_descendants(self) -> None:
        """Do nothing: there are none."""

    # filling

    def item(self, scene_id: int) -> Item:
        """Add an item with the scene's file to Plex."""
        return self.plex.add_item(self.section, [(f"/data/{scene_id}.mp4", 1, 1.0)])

    def stock(self, *scene_ids: int, **data: Any) -> list[Item]:
        """Add scenes and their items in Plex."""
        for scene_id in scene_ids:
            self.scenes[scene_id] = scene(scene_id, **data)
        return [self.item(scene_id) for scene_id in scene_ids]

    def enqueue(self, *scene_ids: int, priority: int = PRIORITY_BULK, data: dict[str, Any] | None = None) -> None:
        """Queue scenes as another process does."""
        with closing(QueueWriter(queue_dir(self.data_dir))) as writer:
            for scene_id in scene_ids:
                job = new_job(scene_id, "metadata", data or {}, priority=priority, now=self.clock())
                writer.fold(json.dumps(job), job["job_key"])

    def save(self, *scene_ids: int) -> None:
        """Queue scenes as a save does."""
        self.enqueue(*scene_ids, priority=PRIORITY_SAVE)

    # running

    def work(self) -> bool:
        """Process what is due now."""
        return self.dispatcher.process_due_jobs(lambda: self.stopped)

    def live(self, seconds: float) -> None:
        """Work and wait as the worker does, for so many seconds of the clock."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.work()
            self.dispatcher.wait(min(60.0, end - self.clock()), lambda: self.stopped)

    # looking

    def rows(self) -> dict[int, tuple[int, dict[str, Any]]]:
        """Return the rows that are left: (status, job) by scene, the newest of each scene."""
        with closing(sqlite3.connect(f"{queue_dir(self.data_dir)}/data.db")) as db:
            found = db.execute("SELECT status, data FROM ack_queue_default ORDER BY _id").fetchall()
        jobs = [(status, json.loads(data)) for status, data in found]
        return {job["scene_id"]: (status, job) for status, job in jobs}

    def breaker_state(self) -> BreakerState:
        """Return what the breaker allows now."""
        return self.health.breaker.state

    def job(self, scene_id: int) -> dict[str, Any]:
        """Return the waiting job of a scene."""
        status, job = self.rows()[scene_id]
        assert status < 2
        return job

    def entry(self, scene_id: int) -> LedgerRow:
        """Return the scene's row of the ledger."""
        found = Ledger(self.db).get(scene_id)
        assert found is not None
        return found

    def timestamps(self) -> dict[int, float]:
        """Return the sync timestamps as other processes see them."""
        return load_sync_timestamps(self.data_dir)

    def dead_letters(self) -> dict[int, dict[str, Any]]:
        """Return the dead letters by scene."""
        return {dead_letter["scene_id"]: dead_letter for dead_letter in self.dlq.entries()}

    def attention(self) -> str | None:
        """Return the attention sentence, or None."""
        path = Path(self.data_dir, "attention")
        return path.read_text(encoding="utf-8") if path.exists() else None

    def titles_written(self) -> list[str]:
        """Return the titles of all edits that Plex carried out, in order."""
        return [value for write in self.plex.writes for name, value in write.params if name == "title.value"]

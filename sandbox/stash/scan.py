"""Scan, clean, autotag and the cover generator: events without a mutation (stash 4.2).

Each runs as a job of the server's queue, with the hooks and the ``updated_at`` recorded from a real server.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from posixpath import basename, dirname

from ..library import LibraryFile
from . import hook_payloads
from .core import Core
from .images import generated_cover
from .jobs import Job
from .model import Scene, VideoFile
from .plugins import Caller

JOB_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class NewFile:
    """A file that a scan finds. ``size`` in bytes, ``duration`` in seconds."""

    path: str
    size: int = 1_000_000
    duration: float = 60.0
    oshash: str = ""


class Scanner:
    """Runs these events; every method waits until its job has ended (TimeoutError after a minute)."""

    def __init__(self, core: Core) -> None:
        self._core, self._store = core, core.store
        self._random = random.Random(7)

    def new_files(self, files: Iterable[NewFile]) -> list[int]:
        """Add files as scenes (or to the scene with the same oshash), ``parallel_tasks`` at a time."""
        found: list[int] = []

        def work(caller: Caller) -> None:
            workers = max(1, self._core.options.parallel_tasks)
            with ThreadPoolExecutor(workers, "stash scan") as pool:
                found.extend(pool.map(lambda file: self._new_file(file, caller), files))

        self._job("Scanning...", work)
        return found

    def _new_file(self, file: NewFile, caller: Caller) -> int:
        store = self._store
        oshash = file.oshash or f"{self._random.getrandbits(64):016x}"
        with store.lock:
            known = next((scene for scene in store.scenes if self._has_print(scene, oshash)), None)
            seconds = store.clock.seconds()
            row = store.add_file(LibraryFile(file.path, file.size, file.duration, 0, {"oshash": oshash}))
            store.files.change(row.id, lambda new: setattr(new, "mod_time", seconds))
            if known is None:
                scene = store.scenes.add(Scene(store.scenes.new_id(), seconds, seconds, file_ids=[row.id]))
            else:
                scene = store.scenes.change(known.id, lambda old: _join(old, row.id, seconds))
        # the cover is set after this hook, without a hook of its own
        trigger = "Scene.Create.Post" if known is None else "Scene.Update.Post"
        self._core.plugins.run_hooks(caller, trigger, scene.id, None)
        return scene.id

    def _has_print(self, scene: Scene, oshash: str) -> bool:
        return any(file.fingerprint("oshash") == oshash for file in self._store.files_of(scene))

    def file_renamed(self, scene_id: int, new_path: str) -> None:
        """Move the primary file: one Scene.Update hook, ``updated_at`` stays."""

        def move(file: VideoFile) -> None:
            file.folder_id = self._store.folder(dirname(new_path)).id
            file.basename = basename(new_path)
            file.updated_at = self._store.clock.seconds()

        self._file_event(scene_id, move)

    def file_touched(self, scene_id: int) -> None:
        """Change the primary file's time: one Scene.Update hook, ``updated_at`` stays."""

        def touch(file: VideoFile) -> None:
            file.mod_time = file.updated_at = self._store.clock.seconds()

        self._file_event(scene_id, touch)

    def _file_event(self, scene_id: int, change: Callable[[VideoFile], None]) -> None:
        def work(caller: Caller) -> None:
            with self._store.lock:
                self._store.files.change(self._store.scenes[scene_id].file_ids[0], change)
            self._core.plugins.run_hooks(caller, "Scene.Update.Post", scene_id, None)

        self._job("Scanning...", work)

    def copy_of_a_file(self, scene_id: int, path: str) -> None:
        """Add a file with the fingerprint of the scene's to it: one Scene.Update hook, ``updated_at`` moves."""
        original = self._store.files_of(self._store.scenes[scene_id])[0]
        oshash = original.fingerprint("oshash") or ""
        self.new_files([NewFile(path, original.size, original.duration, oshash)])

    def folder_renamed(self, old: str, new: str) -> None:
        """Change the paths below a folder; nothing else happens."""
        self._job("Scanning...", lambda _: self._store.rename_folder(old, new))

    def clean_last_file(self, scene_id: int) -> None:
        """Remove a scene whose only file is gone from disk: one Scene.Destroy hook with ``id: ""``."""
        store = self._store

        def work(caller: Caller) -> None:
            with store.lock:
                scene = store.scenes[scene_id]
                path, oshash = next(iter(store.paths_of(scene)), ""), store.oshash_of(scene)
                store.scenes.remove(scene_id)
                for number in scene.file_ids:
                    store.files.remove(number)
            payload = hook_payloads.destroy_payload({"id": ""}, "id delete_file delete_generated", oshash, path)
            self._core.plugins.run_hooks(caller, "Scene.Destroy.Post", scene_id, payload)

        self._job("Cleaning...", work)

    def clean_one_of_two_files(self, scene_id: int) -> None:
        """Remove the primary of several files: the next takes its place, ``updated_at`` moves, no hook."""
        store = self._store

        def work(_: Caller) -> None:
            with store.lock:
                first, *rest = store.scenes[scene_id].file_ids
                if not rest:
                    raise ValueError(f"scene {scene_id} has no other file")
                store.scenes.change(scene_id, lambda scene: _set_files(scene, rest, store.clock.seconds()))
                store.files.remove(first)

        self._job("Cleaning...", work)

    def autotag(
        self,
        scene_id: int,
        performer_ids: Iterable[int] = (),
        tag_ids: Iterable[int] = (),
        studio_id: int | None = None,
    ) -> None:
        """Add what a path names to a scene that is not organized: ``updated_at`` moves, no hook."""
        performers, tags = list(performer_ids), list(tag_ids)

        def change(scene: Scene) -> None:
            scene.performer_ids = sorted({*scene.performer_ids, *performers})
            scene.tag_ids = list(dict.fromkeys([*scene.tag_ids, *tags]))
            scene.studio_id = scene.studio_id if scene.studio_id is not None else studio_id
            scene.updated_at = self._store.clock.seconds()

        def work(_: Caller) -> None:
            with self._store.lock:
                if not self._store.scenes[scene_id].organized:
                    self._store.scenes.change(scene_id, change)

        self._job("Auto-tagging...", work)

    def generate_cover(self, scene_id: int, cover: bytes | None = None) -> None:
        """Give the scene a cover (``cover``, or a generated one): ``updated_at`` moves, no hook."""

        def change(scene: Scene) -> None:
            scene.cover = cover if cover is not None else generated_cover(scene_id, 0.0)
            scene.updated_at = self._store.clock.seconds()

        def work(_: Caller) -> None:
            with self._store.lock:
                self._store.scenes.change(scene_id, change)

        self._job("Generating...", work)

    def _job(self, title: str, work: Callable[[Caller], None]) -> None:
        def run(job: Job) -> None:
            work(self._core.job_caller(job, Caller(self._core.sessions.username)))

        job = self._core.jobs.add(title, run)
        if not job.done.wait(JOB_TIMEOUT_S):
            raise TimeoutError(f"{title} did not end")
        if job.error is not None:
            raise ValueError(job.error)


def _join(scene: Scene, file_id: int, now: str) -> None:
    _set_files(scene, [*scene.file_ids, file_id], now)


def _set_files(scene: Scene, file_ids: list[int], now: str) -> None:
    scene.file_ids = list(file_ids)
    scene.updated_at = now

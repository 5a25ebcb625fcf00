"""A Stash and a Plex over real HTTP, engine and worker between them, and a clock that only tests and waiting move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.scene_reader import read_scenes
from reconciliation.engine import GapDetectionEngine
from reconciliation.result import GapDetectionResult
from sandbox.library import Library, LibraryScene
from sandbox.plex import PlexSim
from sandbox.stash import StashSim
from stash.client import StashClient, stash_interface
from stash.scenes import Scene
from sync_queue.batch_writer import BatchWriter
from sync_queue.writer import queue_dir
from tests.installation import SAVE, SCENE, differences, files_of
from tests.stash.test_client import connection
from tests.worker.support import Bench, Clock

# Longer than anything waits for its file.
HOURS = 3 * 3600.0
NOTHING_LEFT: dict[str, Any] = {"details": "", "date": None, "studio_id": None, "performer_ids": [], "tag_ids": []}


class ServerPair(Bench):
    """A workbench whose scenes are those of a Stash."""

    def __init__(self, folder: Path, stash: StashSim, plex: PlexSim, clock: Clock, **settings: Any) -> None:
        self.stash = stash
        self.client = StashClient(connection(stash))
        super().__init__(folder, plex, clock, **settings)

    def close(self) -> None:
        super().close()
        self.client.close()

    def read_scenes(self, scene_ids: Sequence[int]) -> dict[int, Scene] | None:
        return read_scenes(self.client, scene_ids)

    def engine(self, **more: Any) -> GapDetectionEngine:
        """An engine without a queue."""
        given = {"clock": self.clock, **more}
        return GapDetectionEngine(stash_interface(self.client), self.config, self.data_dir, **given)

    def reconcile(self, scope: str = "all", **more: Any) -> GapDetectionResult:
        """One run that queues."""
        writer = BatchWriter(queue_dir(self.data_dir))
        try:
            return self.engine(queue=writer, **more).run(scope)
        finally:
            writer.close()

    def process_queue(self) -> None:
        """Process the queue until it is empty, up to hours later."""
        self.work()
        if self.store.undone_count():
            self.live(HOURS)
        assert self.store.undone_count() == 0
        self.clock.now += 10.0

    def save(self, *scene_ids: int, **fields: Any) -> None:
        """Save scenes in Stash; no hook is told."""
        for scene_id in scene_ids:
            self.stash.gql(SAVE, {"i": {"id": str(scene_id), **fields}})

    def not_equal(self, scene_ids: Iterable[int]) -> list[str]:
        """Return how Plex differs from Stash, without using the plugin's code."""
        found = []
        for scene_id in scene_ids:
            scene = self.stash.gql(SCENE, {"i": str(scene_id)})["findScene"]
            found += [] if scene is None else differences(scene, self.plex)
        return found

    def lose(self, *scene_ids: int) -> None:
        """Plex loses the items of these scenes, all of them."""
        for path in [path for scene_id in scene_ids for path in self.stash.paths(scene_id)]:
            found = self.plex.find(path)
            if found is not None:
                self.plex.remove_item(found.rating_key)

    def reset_plex(self) -> None:
        """A library rebuilt from its files: new items that say nothing."""
        kept = [[(p.file, p.size, p.duration / 1000) for p in item.parts()] for item in self.plex.items]
        for item in list(self.plex.items):
            self.plex.remove_item(item.rating_key)
        for parts in kept:
            self.plex.add_item(self.section, parts)


def has_metadata(scene: LibraryScene) -> bool:
    """Whether a scene passes the gate."""
    return bool(scene.studio_id or scene.performer_ids or scene.tag_ids or scene.details or scene.date)


def ordinary_scenes(library: Library, but_tag: int | None = None) -> list[int]:
    """Scenes without an oddity: one file under a name of its own, and something to say; none with this tag."""
    return [
        scene.id
        for scene in library.scenes
        if (scene.id - 1) % 97 >= 24
        and len(scene.files) == 1
        and scene.studio_id
        and has_metadata(scene)
        and but_tag not in scene.tag_ids
    ]


def portions(ids: Sequence[int], *sizes: int) -> list[list[int]]:
    """Consecutive portions of so many ids each."""
    found, start = [], 0
    for size in sizes:
        found.append(list(ids[start : start + size]))
        start += size
    assert start <= len(ids), "the library is too small"
    return found


def all_files(library: Library, but: Iterable[int] = ()) -> list[tuple[str, int, float]]:
    """Every file of a library but those of some scenes."""
    left_out = {file.path for scene in library.scenes if scene.id in set(but) for file in scene.files}
    return [file for file in files_of(library) if file[0] not in left_out]

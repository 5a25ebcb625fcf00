"""Queue the scenes with gaps, each once; all of a page in one transaction where the queue is our own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack

from common.protocols import JobSink
from common.scene import SceneData
from reconciliation.detector import GapResult
from reconciliation.result import GapDetectionResult
from sync_queue import operations
from sync_queue.batch_writer import BatchWriter, in_pages
from sync_queue.writer import QueueWriter


class GapQueue:
    """Counts in ``result`` what it queued. Raises sqlite3.Error, OSError."""

    def __init__(self, queue: JobSink | QueueWriter, stack: ExitStack, result: GapDetectionResult) -> None:
        self._queue = in_pages(queue, stack)
        self._result = result

    def enqueue_page(
        self,
        scenes: Iterable[tuple[Mapping[str, object], list[GapResult]]],
        job_data: Callable[[Mapping[str, object]], SceneData | None],
    ) -> None:
        """Queue scenes with their gaps. One that cannot be queued becomes an error of the result."""
        for scene, gaps in scenes:
            if self._enqueue(gaps[0].scene_id, scene, job_data):
                self._result.count_enqueued(gaps)
        self._write()

    def enqueue_gone(self, scene_ids: Iterable[int], queued: Collection[int]) -> None:
        """Queue scenes that are no longer in Stash, but for those ``queued`` already: the worker forgets them."""
        for scene_id in scene_ids:
            if scene_id not in queued:
                operations.enqueue(self._queue, scene_id, "metadata", {})
        self._write()

    def _enqueue(
        self,
        scene_id: int,
        scene: Mapping[str, object],
        job_data: Callable[[Mapping[str, object]], SceneData | None],
    ) -> bool:
        try:
            data = job_data(scene)
            if data is None:
                return False
            operations.enqueue(self._queue, scene_id, "metadata", data)
        except (sqlite3.Error, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - of one scene, or of a queue that is not ours; the others go on
            self._result.errors.append(f"Scene {scene_id} was not queued: {type(error).__name__}: {error}")
            return False
        return True

    def _write(self) -> None:
        if isinstance(self._queue, BatchWriter):
            self._queue.write()

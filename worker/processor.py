"""The published face of the worker: one job at a time, or a queue worked off in a thread of this process."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any, cast

from common.errors import PermanentError
from common.scene import SceneData, SceneFile
from common.verdicts import SYNCED
from hooks.handlers import unmark_scene_pending
from pipeline.batch import BatchPipeline
from pipeline.scene_reader import read_scenes
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.client import PlexClient
from plex.exceptions import PlexNotFound
from plex.items import read_items
from settings.config import Stash2PlexConfig
from stash.client import StashClient
from stash.scene_source import StashReader
from stash.scenes import Scene
from state import database
from sync_queue.dlq import DeadLetterQueue
from sync_queue.job import Job
from sync_queue.operations import save_sync_timestamp

__all__ = ["PermanentError", "SceneSync", "SyncWorker"]


class SyncWorker:
    """Processes jobs of ``queue``, a SQLiteAckQueue; those that fail for good go to ``dlq``.

    With ``stash`` scenes are read again before they are written; without, the data of the job counts. ``data_dir``
    holds the index of Plex and the timestamps.
    """

    def __init__(
        self,
        queue: object,
        dlq: DeadLetterQueue | None,
        config: Stash2PlexConfig,
        data_dir: str | None = None,
        max_retries: int = 5,
        stash: StashClient | StashReader | None = None,
    ) -> None:
        self.queue = queue
        self.dlq = dlq
        self.config = config
        self.data_dir = data_dir
        self.max_retries = max_retries
        self.stash = stash
        self._pipeline: BatchPipeline | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Work off the queue in a thread, unless another worker holds the lock. Does nothing without ``data_dir``."""
        if self._thread is not None or self.data_dir is None:
            return
        from worker.thread import LibraryUse, run

        program = LibraryUse(self.data_dir, self._current_config, self.stash, self.dlq)
        self._stop.clear()
        self._thread = threading.Thread(target=run, args=(program, self._stop), daemon=True, name="Stash2Plex worker")
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the current write; the remaining jobs stay queued."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self.close()

    def close(self) -> None:
        """Close the connection to Plex and the index."""
        if self._pipeline is not None:
            self._pipeline.close()

    def configure(self, config: Stash2PlexConfig) -> bool:
        """Apply settings from the next job on. Return True if they name another Plex or view it differently."""
        self.config = config
        self.max_retries = config.max_retries
        return self._pipeline is not None and self._pipeline.configure(config)

    def _current_config(self) -> Stash2PlexConfig:
        return dataclasses.replace(self.config, max_retries=self.max_retries)

    def _get_plex_client(self) -> PlexClient:
        return self._batch_pipeline().sessions.client

    def _process_job(self, job: dict[str, Any]) -> None:
        """Match, write and record one job. Raises PlexError, PermanentError, StashError."""
        work = SceneSync(Job.from_row(job))
        pipeline = self._batch_pipeline()
        try:
            pipeline.prepare([work], None if self.stash is None else read_scenes(self.stash, [work.scene_id]))
            if work.error is None:
                pipeline.write(work)
                pipeline.write_pictures(work)
            if work.error is None and work.wrote:
                pipeline.verify([work])
            if work.error is not None:
                raise work.error
            if work.verdict in SYNCED and self.data_dir is not None:
                save_sync_timestamp(self.data_dir, work.scene_id, work.version)
        finally:
            unmark_scene_pending(work.scene_id)
            pipeline.records.release()

    def _update_metadata(self, plex_item: Any, data: dict[str, Any]) -> bool:
        """Write ``data`` to one item of plexapi without matching it. Return True if something was sent.

        Raises PlexError.
        """
        pipeline = self._batch_pipeline()
        rating_key = int(plex_item.ratingKey)
        item = read_items(pipeline.sessions.client, [rating_key]).get(rating_key)
        if item is None:
            raise PlexNotFound(f"Plex has no item {rating_key} any more")
        path = str(data.get("path") or (item.parts[0].path if item.parts else ""))
        work = SceneSync(
            Job.from_row({"scene_id": 0}), scene=Scene(0, cast(SceneData, data), [SceneFile(path)]), items=[item]
        )
        work.desired = pipeline.writer.desired_state(work, pipeline.tag_descendants)
        pipeline.writer.write(work)
        if work.error is not None:
            raise work.error
        return work.wrote

    def _batch_pipeline(self) -> BatchPipeline:
        """The pipeline of the calling thread; without a data directory its records last as long as this worker."""
        if self._pipeline is None:
            db = database.in_memory() if self.data_dir is None else database.connect(self.data_dir)
            self._pipeline = BatchPipeline(self.config, self.data_dir, SceneRecords(db))
        return self._pipeline

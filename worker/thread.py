"""Draining in a thread of somebody's process, for those who use the worker as a library.

Alone under ``worker.lock``, like any drainer.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import threading
from contextlib import closing

from common.detached_process import LOCK
from common.file_locks import try_lock, unlock
from pipeline.pictures import PictureSync
from pipeline.scene_reader import Scene, read_scenes
from pipeline.scene_records import SceneRecords
from pipeline.write_blockers import in_the_way
from stash.client import StashClient
from stash.covers import fetch_cover
from state import database, timestamps
from sync_queue.setup import set_up
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir
from worker.dispatcher import Dispatcher
from worker.dlq_retry import DlqRetry
from worker.entity_expansion import EntityExpansion
from worker.outcomes import OutcomeRecorder
from worker.pending_files import PendingFiles
from worker.processor import SyncWorker
from worker.status_files import StatusFiles

log = logging.getLogger("Stash2Plex.worker")


def drain(worker: SyncWorker, stop: threading.Event) -> None:
    """Work on the queue of ``worker.data_dir`` until ``stop`` is set; waits while another drainer holds the lock."""
    assert worker.data_dir is not None  # start() asks for it
    set_up(worker.data_dir)
    while not stop.is_set():
        handle = try_lock(os.path.join(worker.data_dir, LOCK))
        if handle is None:
            stop.wait(worker.config.poll_interval)
            continue
        try:
            _drain(worker, worker.data_dir, stop)
        except Exception:
            # A thread has nobody to raise to. Rows in flight come back with the next one.
            log.exception("The worker's thread stumbled and goes on")
            stop.wait(1.0)
        finally:
            unlock(handle)


def _drain(worker: SyncWorker, data_dir: str, stop: threading.Event) -> None:
    with closing(JobStore(queue_dir(data_dir))) as store, closing(database.connect(data_dir)) as db:
        store.resume()
        settlement = OutcomeRecorder(
            db, store, worker.dlq, clock=worker.clock, forget_matches=lambda paths: worker.plex.forget(paths)
        )
        worker.memory = SceneRecords(db, worker.clock)
        if isinstance(worker.stash, StashClient):
            worker.pictures = PictureSync(functools.partial(fetch_cover, worker.stash))

        def read(scene_ids: list[int]) -> dict[int, Scene] | None:
            return None if worker.stash is None else read_scenes(worker.stash, scene_ids)

        awaiting = PendingFiles(db, store, worker, clock=worker.clock, share=random.random)
        entities = EntityExpansion(store, worker.stash, clock=worker.clock)
        loop = Dispatcher(
            worker,
            store,
            settlement,
            StatusFiles(data_dir),
            read,
            awaiting=awaiting,
            revival=DlqRetry(db, store, clock=worker.clock),
            entities=entities,
        )
        loop.block(in_the_way(worker.config))
        while not stop.is_set():
            loop.work_off(stop.is_set)
            timestamps.flush(data_dir, at_least=timestamps.BATCH)
            loop.wait(60.0 if loop.blocked is None else 5.0, stop.is_set)
            if loop.blocked is not None and in_the_way(worker.config) is None:
                loop.probe()
        timestamps.flush(data_dir)
        worker.memory = None

"""Work off the queue in a thread of another program, for those who use the worker as a library.

Alone under ``worker.lock``, as the worker process is.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from common.file_locks import WORKER_LOCK, try_lock, unlock
from settings.config import Stash2PlexConfig
from stash.client import StashClient
from stash.scene_source import StashReader
from state import database, timestamps
from sync_queue.dlq import DeadLetterQueue
from sync_queue.setup import set_up
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir
from worker.factory import WorkerEnvironment, compose_worker
from worker.stash_source import CallerSource

log = logging.getLogger("Stash2Plex.worker")

LONGEST_WAIT_S = 60.0
LONGEST_WAIT_BLOCKED_S = 5.0


@dataclass(frozen=True)
class LibraryUse:
    """What the program that uses the worker as a library brings. ``config`` returns the settings in force."""

    data_dir: str
    config: Callable[[], Stash2PlexConfig]
    stash: StashClient | StashReader | None
    dlq: DeadLetterQueue | None


def run(program: LibraryUse, stop: threading.Event) -> None:
    """Work off the queue of ``program.data_dir`` until ``stop`` is set; wait while another worker holds the lock."""
    set_up(program.data_dir)
    while not stop.is_set():
        handle = try_lock(os.path.join(program.data_dir, WORKER_LOCK))
        if handle is None:
            stop.wait(program.config().poll_interval)
            continue
        try:
            _run_once(program, stop)
        except Exception:
            # A thread cannot raise to anyone. Rows in flight are resumed by the next round.
            log.exception("The worker's thread failed and starts again")
            stop.wait(1.0)
        finally:
            unlock(handle)


def _run_once(program: LibraryUse, stop: threading.Event) -> None:
    data_dir = program.data_dir
    with closing(JobStore(queue_dir(data_dir))) as store, closing(database.connect(data_dir)) as db:
        store.resume()
        source = CallerSource(program.config, program.stash)
        parts = compose_worker(WorkerEnvironment(data_dir), store, db, source, stash=program.stash, dlq=program.dlq)
        dispatcher = parts.dispatcher
        with closing(parts.pipeline):
            dispatcher.refresh_settings()
            while not stop.is_set():
                dispatcher.process_due_jobs(stop.is_set)
                timestamps.flush(data_dir, at_least=timestamps.BATCH)
                is_blocked = parts.health.blocked is not None
                dispatcher.wait(LONGEST_WAIT_BLOCKED_S if is_blocked else LONGEST_WAIT_S, stop.is_set)
                if is_blocked:
                    dispatcher.refresh_settings()
            timestamps.flush(data_dir)

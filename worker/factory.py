"""The one place that composes a worker, for the process, the thread and the tests."""

from __future__ import annotations

import functools
import random
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.batch import BatchPipeline
from pipeline.pictures import PictureSync
from pipeline.scene_records import SceneRecords
from settings.config import Stash2PlexConfig
from stash.client import StashClient
from stash.covers import fetch_cover
from stash.scene_source import StashReader
from sync_queue.dlq import DeadLetterQueue
from sync_queue.store import JobStore
from worker.bulk_progress import BulkProgress
from worker.dispatcher import Dispatcher
from worker.dlq_retry import DlqRetry
from worker.entity_expansion import EntityExpansion
from worker.outcomes import OutcomeRecorder
from worker.pending_files import PendingFiles
from worker.plex_health import PlexHealth
from worker.queue_watch import QueueWatch
from worker.stash_source import SceneSource
from worker.status_files import StatusFiles


def _notify_nobody(level: str, text: str) -> None:
    pass


@dataclass(frozen=True)
class WorkerEnvironment:
    """What differs between process, thread and tests.

    ``notify`` takes (level, sentence) for Stash's own log; ``clock`` is epoch seconds, ``ticks`` monotonic seconds,
    ``share`` a random number from 0 to 1.
    """

    data_dir: str
    notify: Callable[[str, str], None] = _notify_nobody
    clock: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    share: Callable[[], float] = random.random


@dataclass(frozen=True)
class ComposedWorker:
    """The parts that those outside the dispatcher use."""

    pipeline: BatchPipeline
    outcomes: OutcomeRecorder
    health: PlexHealth
    status: StatusFiles
    entities: EntityExpansion
    dispatcher: Dispatcher


def compose_worker(
    environment: WorkerEnvironment,
    store: JobStore,
    db: sqlite3.Connection,
    source: SceneSource,
    *,
    stash: StashClient | StashReader | None = None,
    dlq: DeadLetterQueue | None = None,
    config: Stash2PlexConfig | None = None,
) -> ComposedWorker:
    """Compose a worker over an open queue and state.db. It belongs to the thread that opened them.

    ``stash`` lists the scenes of edited entities and has the pictures. ``config`` counts until the source answers.
    """
    data_dir, notify, clock = environment.data_dir, environment.notify, environment.clock
    pictures = PictureSync(functools.partial(fetch_cover, stash)) if isinstance(stash, StashClient) else None
    pipeline = BatchPipeline(
        config or Stash2PlexConfig(),
        data_dir,
        SceneRecords(db, clock),
        pictures,
        clock=clock,
        ticks=environment.ticks,
    )
    outcomes = OutcomeRecorder(
        db,
        store,
        dlq or DeadLetterQueue(data_dir),
        clock=clock,
        notify=notify,
        share=environment.share,
        forget_matches=lambda paths: pipeline.plex.matcher.forget(paths),
    )
    status = StatusFiles(data_dir)
    dlq_retry = DlqRetry(db, store, clock=clock, notify=notify)
    health = PlexHealth(pipeline.sessions, store, db, status, dlq_retry, clock=clock, notify=notify)
    entities = EntityExpansion(
        store, stash, clock=clock, share=environment.share, notify=notify, tags_edited=source.discard_tag_descendants
    )
    dispatcher = Dispatcher(
        pipeline,
        store,
        source,
        outcomes,
        health,
        status,
        pending_files=PendingFiles(db, store, pipeline, clock=clock, share=environment.share),
        dlq_retry=dlq_retry,
        entities=entities,
        progress=BulkProgress(clock, notify),
        watch=QueueWatch(store, clock=clock, sleep=environment.sleep),
        clock=clock,
    )
    return ComposedWorker(pipeline, outcomes, health, status, entities, dispatcher)

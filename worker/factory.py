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


def _tell_nobody(level: str, text: str) -> None:
    pass


@dataclass(frozen=True)
class Surroundings:
    """What differs between process, thread and tests.

    ``tell`` takes (level, sentence) for Stash's own log; ``clock`` is epoch seconds, ``ticks`` monotonic seconds,
    ``share`` a random number from 0 to 1.
    """

    data_dir: str
    tell: Callable[[str, str], None] = _tell_nobody
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
    surroundings: Surroundings,
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
    data_dir, tell, clock = surroundings.data_dir, surroundings.tell, surroundings.clock
    pictures = PictureSync(functools.partial(fetch_cover, stash)) if isinstance(stash, StashClient) else None
    pipeline = BatchPipeline(
        config or Stash2PlexConfig(),
        data_dir,
        SceneRecords(db, clock),
        pictures,
        clock=clock,
        ticks=surroundings.ticks,
    )
    outcomes = OutcomeRecorder(
        db,
        store,
        dlq or DeadLetterQueue(data_dir),
        clock=clock,
        tell=tell,
        share=surroundings.share,
        forget_matches=lambda paths: pipeline.plex.matcher.forget(paths),
    )
    status = StatusFiles(data_dir)
    dlq_retry = DlqRetry(db, store, clock=clock, tell=tell)
    health = PlexHealth(pipeline.sessions, store, db, status, dlq_retry, clock=clock, tell=tell)
    entities = EntityExpansion(
        store, stash, clock=clock, share=surroundings.share, tell=tell, tags_edited=source.discard_tag_descendants
    )
    dispatcher = Dispatcher(
        pipeline,
        store,
        source,
        outcomes,
        health,
        status,
        pending_files=PendingFiles(db, store, pipeline, clock=clock, share=surroundings.share),
        dlq_retry=dlq_retry,
        entities=entities,
        progress=BulkProgress(clock, tell),
        watch=QueueWatch(store, clock=clock, sleep=surroundings.sleep),
        clock=clock,
    )
    return ComposedWorker(pipeline, outcomes, health, status, entities, dispatcher)

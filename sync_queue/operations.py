"""The published operations on the queue, and on the sync timestamps.

Each takes a SQLiteAckQueue (or anything with ``put``) or a path, so that it serves worker, tasks and tests.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from common.job_rows import PRIORITY_BULK, new_job
from common.sqlite import connect_existing
from state import timestamps
from sync_queue import sql
from sync_queue.batch_writer import ack_queue, path_of
from sync_queue.job import Job
from sync_queue.store import JobStore
from sync_queue.writer import DATABASE, QueueWriter

if TYPE_CHECKING:
    from common.job_rows import JobRow
    from common.protocols import AckQueue, JobSink


def enqueue(
    queue: QueueWriter | JobSink,
    scene_id: int,
    update_type: str,
    data: Mapping[str, object],
    *,
    priority: int = PRIORITY_BULK,
    now: float | None = None,
) -> JobRow:
    """Queue a scene, or fold it into its waiting row; return the job.

    ``queue`` is a SQLiteAckQueue, a QueueWriter, or anything with ``put``. Raise what the queue raises.
    """
    job = new_job(int(scene_id), update_type, data, priority=priority, now=time.time() if now is None else now)
    put_job(queue, job)
    return job


def put_job(queue: QueueWriter | JobSink, job: JobRow) -> bool:
    """Fold ``job`` into ``queue``; return whether a row was inserted."""
    text = json.dumps(job)
    if isinstance(queue, QueueWriter):
        return queue.fold(text, job["job_key"])
    library = ack_queue(queue)
    if library is None:
        queue.put(job)
        return True
    with closing(QueueWriter(library.path)) as writer:
        inserted = writer.fold(text, job["job_key"])
    if inserted:
        # The library counts in memory what it put itself (libraries A2); keep its own view true.
        library.total += 1
        library.put_event.set()
    return inserted


def waits(queue: object, job_key: str) -> bool:
    """Return whether a row of this key waits; True for a queue whose rows cannot be read."""
    if isinstance(queue, QueueWriter):
        return queue.waits(job_key)
    path = path_of(queue)
    if path is None:
        return True
    with closing(QueueWriter(path)) as writer:
        return writer.waits(job_key)


def get_queued_scene_ids(queue_path: str) -> set[int]:
    """Return the scenes whose jobs wait or are in flight. ``queue_path`` is the directory of the queue."""
    keys = [row[0] for row in _read(queue_path, sql.KEYS_UNDONE)]
    return {int(key[6:]) for key in keys if isinstance(key, str) and key.startswith("scene_") and key[6:].isdecimal()}


def get_stats(queue_path: str) -> dict[str, int]:
    """Return the number of rows by state: waiting, in_flight, acknowledged, failed. ``queue_path``: its directory."""
    counts = dict(_read(queue_path, sql.COUNT_BY_STATUS))
    return {
        "waiting": counts.get(0, 0) + counts.get(1, 0),
        "in_flight": counts.get(2, 0),
        "acknowledged": counts.get(5, 0),
        "failed": counts.get(9, 0),
    }


def get_pending(queue: object, timeout: float = 0.0) -> JobRow | None:
    """Take the most urgent due job out of a SQLiteAckQueue; None where none is due within ``timeout`` seconds.

    The job carries its row id as ``pqid``, which :func:`ack_job` and its kin need. One about a performer, studio,
    tag or group has ``entity`` and ``entity_id`` in place of ``scene_id``.
    """
    path = path_of(queue)
    if path is None:
        raise TypeError("get_pending takes a SQLiteAckQueue")
    end = time.monotonic() + timeout
    while True:
        with closing(JobStore(path)) as store:
            claimed = store.claim(1, time.time())
        if claimed:
            return {**claimed[0].job.row, "pqid": claimed[0].row_id}
        if time.monotonic() >= end:
            return None
        time.sleep(0.05)


def ack_job(queue: AckQueue, job: Mapping[str, object]) -> None:
    """Remove a job that is done; its outcome is durable already."""
    queue.ack(id=job["pqid"])


def nack_job(queue: object, job: Mapping[str, object]) -> None:
    """Return a job to the queue with the retry fields it now has."""
    path = path_of(queue)
    if path is None:
        raise TypeError("nack_job takes a SQLiteAckQueue")
    row_id = job["pqid"]
    assert isinstance(row_id, int)
    with closing(JobStore(path)) as store:
        store.retry(row_id, Job.from_row({name: value for name, value in job.items() if name != "pqid"}))


def fail_job(queue: AckQueue, job: Mapping[str, object]) -> None:
    """Mark a job as failed for good; its dead letter is durable already."""
    queue.ack_failed(id=job["pqid"])


def load_sync_timestamps(data_dir: str) -> dict[int, float]:
    """Return, by scene id, the ``updated_at`` (epoch seconds) of the version that Plex has."""
    return timestamps.load(data_dir)


def save_sync_timestamp(data_dir: str, scene_id: int, timestamp: float) -> None:
    """Store the ``updated_at`` of the version of a scene that Plex has.

    :func:`load_sync_timestamps` sees it at once, in any process.
    """
    timestamps.save(data_dir, {int(scene_id): float(timestamp)})


def _read(queue_path: str, statement: str) -> list[tuple[Any, ...]]:
    database = queue_path if os.path.isfile(queue_path) else os.path.join(queue_path, DATABASE)
    if not os.path.exists(database):
        return []
    with closing(connect_existing(database, read_only=True)) as db:
        return db.execute(statement).fetchall()

"""What the tests of the queue share: looking at rows, the library's own queue, processes that start together."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import persistqueue.serializers.json as json_serializer
from persistqueue import SQLiteAckQueue

from common.job_rows import new_job
from sync_queue.job import Job
from sync_queue.writer import queue_dir

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Row(NamedTuple):
    """A row as it lies in the table, with the storage class of each column but the key."""

    row_id: int
    data: bytes
    timestamp: float
    status: int
    kinds: tuple[str, str, str]

    @property
    def job(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found


def database(data_dir: Path | str) -> str:
    """The queue's database file."""
    return str(Path(queue_dir(str(data_dir)), "data.db"))


def rows(data_dir: Path | str) -> list[Row]:
    """Every row, in the order they were put."""
    with closing(sqlite3.connect(database(data_dir))) as db:
        found = db.execute(
            "SELECT _id, data, timestamp, status, typeof(data), typeof(timestamp), typeof(status) "
            "FROM ack_queue_default ORDER BY _id"
        ).fetchall()
    return [Row(row[0], row[1], row[2], row[3], row[4:]) for row in found]


def waiting(data_dir: Path | str) -> list[dict[str, Any]]:
    """The jobs that wait."""
    return [row.job for row in rows(data_dir) if row.status < 2]


@contextlib.contextmanager
def library_queue(data_dir: Path | str, **options: Any) -> Iterator[Any]:
    """The library's queue over a data directory, as the library makes it."""
    queue = SQLiteAckQueue(queue_dir(str(data_dir)), serializer=json_serializer, auto_resume=False, **options)
    try:
        yield queue
    finally:
        queue.close()


def job_text(scene_id: int, priority: int = 0, now: float = 1_000.0, data: dict[str, Any] | None = None) -> str:
    """A job's JSON text."""
    return json.dumps(new_job(scene_id, "metadata", data or {}, priority=priority, now=now))


def together(orders: Sequence[Sequence[str]]) -> list[str]:
    """What each ``python -m tests.sync_queue.child`` printed: one for each order, all let go at the same moment."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.sync_queue.child", *order],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for order in orders
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n", child.communicate()[1]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    ends = [child.communicate(timeout=PATIENCE) for child in children]
    assert [child.returncode for child in children] == [0] * len(children), [end[1] for end in ends]
    return [end[0] for end in ends]


def due_at(job: Job, moment: float) -> Job:
    """Return a job that is tried again at a moment."""
    return job.with_retry(replace(job.retry, next_retry_at=moment))

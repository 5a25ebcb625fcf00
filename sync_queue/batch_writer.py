"""A queue writer that collects jobs, each queued by a call of its own, and writes them in one transaction."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, cast

from sync_queue.writer import DATABASE, QueueWriter

if TYPE_CHECKING:
    from common.protocols import AckQueue, JobSink


class BatchWriter(QueueWriter):
    """Collect jobs as a QueueWriter takes them, and write them on demand. Raise what a QueueWriter raises.

    ``library`` is the SQLiteAckQueue over the same directory, where there is one in this process.
    """

    def __init__(self, queue_dir: str, library: AckQueue | None = None, timeout: float = 30.0) -> None:
        super().__init__(queue_dir, timeout)
        self._library = library
        self._page: dict[str, str] = {}

    def fold(self, job: str, job_key: str) -> bool:
        """Collect a job for the next :meth:`write`; return whether it will insert a row, as far as is known now."""
        new = job_key not in self._page and not self.waits(job_key)
        self._page[job_key] = job
        return new

    def write(self) -> int:
        """Write the collected jobs, all or none; return the number of rows inserted."""
        page, self._page = self._page, {}
        inserted = self.fold_all((job, key) for key, job in page.items()) if page else 0
        if inserted and self._library is not None:
            # persist-queue counts in memory what it put itself (libraries A2).
            self._library.total += inserted
            self._library.put_event.set()
        return inserted


def in_pages(queue: QueueWriter | JobSink, stack: ExitStack) -> QueueWriter | JobSink:
    """Return a BatchWriter over the directory of a SQLiteAckQueue, closed with ``stack``; any other queue as it is."""
    library = ack_queue(queue)
    return queue if library is None else stack.enter_context(closing(BatchWriter(library.path, library)))


def path_of(queue: object) -> str | None:
    """Return the directory of a SQLiteAckQueue; None for anything else."""
    library = ack_queue(queue)
    return None if library is None else library.path


def ack_queue(queue: object) -> AckQueue | None:
    """Return a SQLiteAckQueue whose rows can be read beside it; None for anything else."""
    path = getattr(queue, "path", None)
    if isinstance(path, str) and os.path.exists(os.path.join(path, DATABASE)):
        return cast("AckQueue", queue)
    return None

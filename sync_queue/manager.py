"""persist-queue's queue object over our queue directory, for use within one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync_queue.setup import set_up
from sync_queue.writer import queue_dir

if TYPE_CHECKING:
    from common.protocols import AckQueue


class QueueManager:
    """The durable queue of ``data_dir``, which is set up if it is missing. Raise QueueUnavailable.

    Rows in flight are left alone: only the worker resumes them (libraries A3).
    """

    def __init__(self, data_dir: str) -> None:
        import persistqueue.serializers.json as json_serializer
        from persistqueue import SQLiteAckQueue

        self.data_dir = data_dir
        set_up(data_dir)
        self._queue: AckQueue | None = SQLiteAckQueue(
            queue_dir(data_dir), serializer=json_serializer, auto_resume=False, multithreading=True, timeout=30.0
        )

    def get_queue(self) -> AckQueue:
        """Return the SQLiteAckQueue. Raise RuntimeError after :meth:`shutdown`."""
        if self._queue is None:
            raise RuntimeError("the queue was shut down")
        return self._queue

    def shutdown(self) -> None:
        """Close the queue. Its rows stay."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()

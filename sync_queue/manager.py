"""The library's queue object over our queue directory, for whoever works with it in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync_queue.setup import set_up
from sync_queue.writer import queue_dir

if TYPE_CHECKING:
    from common.protocols import AckQueue


class QueueManager:
    """Opens the durable queue of ``data_dir``, which is set up where it is missing.

    Raises QueueUnavailable. In-flight rows are left alone: only the drainer takes them back (libraries A3).
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
        """The SQLiteAckQueue. Raises RuntimeError after :meth:`shutdown`."""
        if self._queue is None:
            raise RuntimeError("the queue was shut down")
        return self._queue

    def shutdown(self) -> None:
        """Close the queue; nothing is lost, rows stay where they are."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()

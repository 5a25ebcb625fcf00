"""Notice new rows of the queue: within a tenth of a second while jobs come in, at the poll interval otherwise."""

from __future__ import annotations

from collections.abc import Callable

from sync_queue.store import JobStore

BUSY_POLL_S = 0.1
BUSY_FOR_S = 30.0


class QueueWatch:
    """``clock`` is epoch seconds; ``sleep`` waits that many seconds."""

    def __init__(self, store: JobStore, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._version = store.data_version()
        self._changed_at = clock()

    def note_activity(self) -> None:
        """Poll often from now on: a job was claimed."""
        self._changed_at = self._clock()

    def wait(
        self,
        longest: float,
        stop: Callable[[], bool],
        poll_interval: float,
        is_job_due: Callable[[float], bool],
    ) -> bool:
        """Wait for a new row, for a job to fall due, for ``stop``, or for ``longest`` seconds.

        Return True if a row was added or changed by another process.
        """
        end = self._clock() + longest
        while not stop():
            version = self._store.data_version()
            now = self._clock()
            if version != self._version:
                self._version = version
                self._changed_at = now
                return True
            was_set_back = now < end - longest
            if now >= end or was_set_back or is_job_due(now):
                return False
            is_busy = 0 <= now - self._changed_at < BUSY_FOR_S
            self._sleep(min(BUSY_POLL_S if is_busy else poll_interval, max(0.01, end - now)))
        return False

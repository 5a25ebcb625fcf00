"""The job queue: one job at a time for the whole server (stash 2.7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock
from .log import Log

_REMEMBERED = 10

Status = Literal["READY", "RUNNING", "FINISHED", "STOPPING", "CANCELLED", "FAILED"]
Work = Callable[["Job"], None]


@dataclass
class Job:
    """One job; times as the API writes them, ``progress`` 0 to 1."""

    id: int
    description: str
    work: Work = field(repr=False)
    add_time: str
    status: Status = "READY"
    progress: float = 0.0
    start_time: str | None = None
    end_time: str | None = None
    error: str | None = None
    cancel: threading.Event = field(default_factory=threading.Event, repr=False)
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    def set_progress(self, value: float) -> None:
        """Store the progress that the work reports."""
        self.progress = value


class JobQueue:
    """Runs jobs one after the other in its own thread."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock, self._log = clock, log
        self._change = threading.Condition()
        self._queue: list[Job] = []
        self._ended: list[Job] = []
        self._last_id = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, description: str, work: Work) -> Job:
        """Queue a job; it starts when all earlier ones have ended."""
        with self._change:
            self._last_id += 1
            job = Job(self._last_id, description, work, self._clock.precise())
            self._queue.append(job)
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="stash jobs", daemon=True)
                self._thread.start()
            self._change.notify_all()
        return job

    @property
    def last_id(self) -> int:
        """The number of the newest job; they count from 1."""
        return self._last_id

    def waiting(self) -> list[Job]:
        """Return what the ``jobQueue`` query shows: running and waiting jobs in order."""
        with self._change:
            return list(self._queue)

    def find(self, number: int) -> Job | None:
        """Return a queued job or one of the last ten that ended."""
        with self._change:
            return next((job for job in [*self._queue, *self._ended] if job.id == number), None)

    def stop(self, number: int) -> None:
        """Remove a waiting job, or kill the running one; an unknown number does nothing."""
        with self._change:
            for job in [job for job in self._queue if job.id == number]:
                self._stop(job)

    def stop_all(self) -> None:
        """Stop every job there is."""
        with self._change:
            for job in list(self._queue):
                self._stop(job)

    def close(self) -> None:
        """Stop everything and end the thread."""
        with self._change:
            self._closing = True
            for job in list(self._queue):
                self._stop(job)
            self._change.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _stop(self, job: Job) -> None:
        job.cancel.set()
        if job.status == "READY":
            self._end(job, "CANCELLED")
        elif job.status == "RUNNING":
            job.status = "STOPPING"

    def _end(self, job: Job, status: Status) -> None:
        job.status = status
        job.end_time = self._clock.precise()
        self._queue.remove(job)
        self._ended = [*self._ended, job][-_REMEMBERED:]
        job.done.set()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closing or bool(self._queue))
                if self._closing and not self._queue:
                    return
                job = self._queue[0]
                job.status, job.start_time = "RUNNING", self._clock.precise()
            error: str | None = None
            try:
                job.work(job)
            except Exception as problem:  # noqa: BLE001 (any exception is the job's error text)
                error = str(problem)
                self._log.write("Error", f"task failed due to error: {error}")
            with self._change:
                job.error = error
                self._end(job, "CANCELLED" if job.cancel.is_set() else "FAILED" if error is not None else "FINISHED")

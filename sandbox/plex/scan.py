"""Scans of a simulated disk: new files become items; vanished ones go to the trash or are removed (plex 7, 9)."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import Item, Section
from sandbox.plex.paths import within
from sandbox.plex.pictures import video_frame


@dataclass(frozen=True)
class Job:
    """A running scan."""

    uuid: str
    section: Section
    path: str | None


class _Timer(threading.Timer):
    """Delayed work. Running it twice must do no harm: it may be run early while it starts."""

    def __init__(self, seconds: float, work: Callable[[], None], done: Callable[[_Timer], None]) -> None:
        super().__init__(seconds, self._run_and_leave)
        self.daemon = True
        self.work = work
        self._leave = done

    def _run_and_leave(self) -> None:
        try:
            self.work()
        finally:
            self._leave(self)


class Scanner:
    """Scans sections one at a time each, ``delay`` seconds after they were asked for, in a thread of its own.

    ``disk`` maps each file that exists (as the server sees it) to its size in bytes and its duration in seconds; None
    means that there is no disk to look at and scans find nothing new. A new item gets its frame ``analysis_delay``
    seconds after it appeared. With both delays 0 the scan is done before the request is answered.
    """

    def __init__(self, store: MediaStore, auto_empty_trash: Callable[[], bool]) -> None:
        self.disk: dict[str, tuple[int, float]] | None = None
        self.delay = 0.0
        self.analysis_delay = 0.0
        self._store = store
        self._auto_empty_trash = auto_empty_trash
        self._jobs: dict[str, Job] = {}
        self._timers: set[_Timer] = set()
        self._names = itertools.count(1)

    @property
    def jobs(self) -> list[Job]:
        """Requested scans that have not ended."""
        with self._store.lock:
            return list(self._jobs.values())

    def start(self, section: Section, path: str | None) -> None:
        """Request a scan of the section, or of one folder of it. A folder outside its locations changes nothing."""
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"scan{next(self._names)}"))
        job = Job(name, section, path)
        with self._store.lock:
            self._jobs[name] = job
            section.refreshing = True
        self._after(self.delay, lambda: self._run(job))

    def cancel(self, section: Section) -> None:
        """Forget the section's scans that have not begun."""
        with self._store.lock:
            for job in [job for job in self._jobs.values() if job.section is section]:
                self._end(job)

    def finish(self) -> None:
        """Run all delayed work at once in this thread, with its follow-up work."""
        while True:
            with self._store.lock:
                timers = list(self._timers)
            if not timers:
                return
            for timer in timers:
                self._drop(timer)
                timer.work()

    def stop(self) -> None:
        """Cancel everything and wait for the threads to end."""
        with self._store.lock:
            timers = list(self._timers)
            for job in list(self._jobs.values()):
                self._end(job)
        for timer in timers:
            self._drop(timer)

    def empty_trash(self, section: Section) -> None:
        """Remove the items that are marked as deleted."""
        with self._store.lock:
            for item in list(self._store.members(section)):
                for media in list(item.media):
                    media.parts = [part for part in media.parts if part.deleted_at is None]
                item.media = [media for media in item.media if media.parts]
                if item.deleted_at is not None:
                    self._store.remove_item(item)

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        if seconds <= 0:
            work()
            return
        timer = _Timer(seconds, work, self._done)
        with self._store.lock:
            self._timers.add(timer)
        timer.start()

    def _done(self, timer: _Timer) -> None:
        with self._store.lock:
            self._timers.discard(timer)

    def _drop(self, timer: _Timer) -> None:
        timer.cancel()
        timer.join()
        self._done(timer)

    def _run(self, job: Job) -> None:
        with self._store.lock:
            if job.uuid not in self._jobs:
                return
            if self.disk is not None:
                fresh = self._compare(job.section, job.path, self.disk)
                if fresh:
                    self._after(self.analysis_delay, lambda: self._analyze(fresh))
            self._end(job)

    def _end(self, job: Job) -> None:
        self._jobs.pop(job.uuid, None)
        job.section.refreshing = any(other.section is job.section for other in self._jobs.values())
        job.section.scanned_at = self._store.now()

    def _compare(self, section: Section, path: str | None, disk: dict[str, tuple[int, float]]) -> list[Item]:
        def concerned(file: str) -> bool:
            return any(within(file, root) for root in section.locations) and (path is None or within(file, path))

        known: set[str] = set()
        for item in list(self._store.members(section)):
            for part in item.parts():
                known.add(part.file)
                if part.file in disk:
                    part.deleted_at = None
                    part.size = disk[part.file][0]
                elif concerned(part.file) and part.deleted_at is None:
                    part.deleted_at = self._store.now()
            gone = bool(item.media) and all(part.deleted_at for part in item.parts())
            if gone != (item.deleted_at is not None):
                item.deleted_at = self._store.now() if gone else None
                self._store.touch(item)
        fresh = []
        for file, (size, seconds) in disk.items():
            if file not in known and concerned(file):
                item = self._store.add_item(section, [(file, size, seconds)])
                item.analyzed = self.analysis_delay <= 0
                fresh.append(item)
        if self._auto_empty_trash():
            self.empty_trash(section)
        return fresh

    def _analyze(self, items: list[Item]) -> None:
        with self._store.lock:
            for item in items:
                analyze(self._store, item)


def analyze(store: MediaStore, item: Item) -> None:
    """Create the frame of an item without one. A picture uploaded meanwhile stays selected (plex 5)."""
    if not item.analyzed:
        item.analyzed = True
        for place, slot in item.images.items():
            own = video_frame(item.rating_key, place)
            slot.pictures.insert(0, own)
            if slot.selected is None and place not in item.locks:
                slot.select(own, store.now())
        store.touch(item)

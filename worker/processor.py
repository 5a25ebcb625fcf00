"""The SyncWorker: a claimed job becomes a write to Plex, or the reason why not. It alone writes to Plex."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hooks.handlers import unmark_scene_pending
from metadata.desired import Desired, desired_state
from metadata.diff import Actual, Change, Diff, difference
from metadata.edit import queries
from metadata.gate import has_meaningful_metadata
from plex.client import PlexClient
from plex.exceptions import PlexError, PlexNotFound
from plex.item import FullItem, read_full
from plex.ranking import Match, MatchConfidence, SceneFile
from stash.scenes import stem
from sync_queue.jobs import PRIORITY_BULK
from sync_queue.ledger import Verdict
from sync_queue.operations import save_sync_timestamp
from worker.doubt import LowConfidence
from worker.plexside import PlexSide
from worker.source import PermanentError, Scene, from_job, read_scenes

__all__ = ["PermanentError", "SyncWorker", "Work"]

log = logging.getLogger("Stash2Plex.worker")

# Plex is asked for single files by name while fewer jobs than this are due (design 4).
FEW = 20


@dataclass
class Work:
    """One job on its way: filled in step by step, ending with a verdict or an error. ``few``: not many others are due,
    so that Plex may be asked for this one alone."""

    job: dict[str, Any]
    scene: Scene | None = None
    match: Match | None = None
    evidence: str = ""
    few: bool = False
    items: list[FullItem] = field(default_factory=list)
    started_at: float = 0.0
    wrote: bool = False
    rating: Change | None = None
    verdict: Verdict | None = None
    reason: str = ""
    error: BaseException | None = None

    @property
    def scene_id(self) -> int:
        """The scene the job is about."""
        return int(self.job["scene_id"])

    @property
    def open(self) -> bool:
        """Whether nothing has decided on it yet."""
        return self.verdict is None and self.error is None and not (self.scene and self.scene.gone)

    @property
    def version(self) -> float:
        """What becomes the sync timestamp: the ``updated_at`` that was read, else the time before the write."""
        known = self.scene.updated_at if self.scene else None
        return self.started_at if known is None else known


class SyncWorker:
    """Processes jobs, one batch at a time.

    ``queue`` is a SQLiteAckQueue, ``dlq`` a DeadLetterQueue, ``config`` a Stash2PlexConfig. With ``stash`` scenes are
    re-read before they are written; without, the job's own data counts. ``data_dir`` holds index and timestamps.
    """

    def __init__(
        self,
        queue: Any,
        dlq: Any,
        config: Any,
        data_dir: str | None = None,
        max_retries: int = 5,
        stash: Any = None,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        our_rating: Callable[[int], float | None] = lambda scene_id: None,
        holder: Callable[[int, int, str, int], int | None] = lambda rating_key, section, file, but: None,
    ) -> None:
        self.queue = queue
        self.dlq = dlq
        self.config = config
        self.data_dir = data_dir
        self.max_retries = max_retries
        self.stash = stash
        self.clock = clock
        self._ticks = ticks
        self.our_rating = our_rating
        self.holder = holder
        # How often a connection to Plex was left: what was read over an earlier one is not written over a later.
        self.left = 0
        self._plex: PlexSide | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    # running in this process

    def start(self) -> None:
        """Drain the queue in a thread of this process, unless another drainer holds the lock. Needs ``data_dir``."""
        if self._thread is not None or self.data_dir is None:
            return
        from worker.inprocess import drain

        self._stop.clear()
        self._thread = threading.Thread(target=drain, args=(self, self._stop), daemon=True, name="Stash2Plex drainer")
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the write it is at; what is left stays queued."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self.close()

    def close(self) -> None:
        """Close the connection to Plex and the index."""
        plex, self._plex = self._plex, None
        if plex is not None:
            self.left += 1
            plex.close()

    def configure(self, config: Any) -> bool:
        """Take over settings; they count from the next job on. True where they name another Plex, or another
        view of it: what was found in the old one is left."""
        old, self.config = self.config, config
        self.max_retries = config.max_retries
        names = ("plex_url", "plex_token", "plex_library", "path_map", "connect_timeout", "read_timeout")
        changed = any(getattr(old, name) != getattr(config, name) for name in names)
        if changed:
            self.close()
        return changed

    def unused_rules(self) -> list[str]:
        """Rules of the path map that have concerned no file since the settings were read."""
        return self._plex.unused_rules() if self._plex is not None else []

    def take_news(self) -> bool:
        """Whether the index has changed since this was asked last."""
        plex = self._plex
        if plex is None or not plex.news:
            return False
        plex.news = False
        return True

    @property
    def plex(self) -> PlexSide:
        """The server the settings name."""
        if self._plex is None:
            if self.data_dir is None:
                raise ValueError("the worker needs a data directory to keep the library's index in")
            self._plex = PlexSide(self.config, self.data_dir, self._ticks)
        return self._plex

    def _get_plex_client(self) -> PlexClient:
        return self.plex.client

    # one job, from start to end

    def _process_job(self, job: dict[str, Any]) -> None:
        """Match, write and record one job. Raises PlexError, PermanentError, StashError."""
        work = Work(job)
        try:
            self.prepare([work])
            if work.error is None:
                self.write(work)
            if work.error is None and work.wrote:
                self.verify([work])
            if work.error is not None:
                raise work.error
            if work.verdict in (Verdict.PUSHED, Verdict.NOTHING_TO_CHANGE) and self.data_dir is not None:
                save_sync_timestamp(self.data_dir, work.scene_id, work.version)
        finally:
            unmark_scene_pending(work.scene_id)

    # the steps of a batch

    def prepare(self, batch: list[Work], scenes: Mapping[int, Scene] | None = None) -> None:
        """Read, judge and match: after it each work is decided or has proven items. ``scenes`` are those read already.

        Raises StashError; what goes wrong with Plex goes into the works it concerns.
        """
        for work in batch:
            unmark_scene_pending(work.scene_id)
            work.started_at = self.clock()
            work.few = len(batch) < FEW
        if scenes is None and self.stash is not None:
            scenes = read_scenes(self.stash, [work.scene_id for work in batch])
        for work in batch:
            self._judge(work, scenes)
        self._each(batch, self._locate)
        located = [work for work in batch if work.open]
        if not located:
            return
        try:
            items = self.plex.read(key for work in located for key in _keys(work))
        except Exception as error:  # noqa: BLE001 - every job of the batch ends with it, classified where it is settled
            for work in located:
                work.error = error
            return
        for work in located:
            self._prove(work, items)

    def _judge(self, work: Work, scenes: Mapping[int, Scene] | None) -> None:
        try:
            scene = from_job(work.job) if scenes is None else scenes[work.scene_id]
        except PermanentError as error:
            work.error = error
            return
        work.scene = scene
        if scene.gone:
            return
        if scene.data is None:
            work.verdict, work.reason = Verdict.GATED, "the scene has no file"
        elif not has_meaningful_metadata(scene.data):
            work.verdict, work.reason = Verdict.GATED, "the scene has none of studio, performers, tags, details, date"

    def _each(self, batch: Iterable[Work], step: Callable[[Work], None]) -> None:
        shared: Exception | None = None
        for work in batch:
            if not work.open:
                continue
            try:
                if shared is not None:
                    raise shared
                step(work)
            except Exception as error:  # noqa: BLE001 - the job ends with it, classified where it is settled
                work.error = error
                if isinstance(error, PlexError) and not isinstance(error, PlexNotFound):
                    # The server or the settings, not this job: the others need not knock at the same door.
                    shared = error

    def _locate(self, work: Work, refuted: bool = False) -> None:
        scene = _scene(work)
        files = _files(scene)
        again = bool(work.job.get("tries") or work.job.get("retry_count"))
        patient = again or work.job.get("priority") == PRIORITY_BULK
        work.match = self.plex.match(files, patient=patient, refuted=refuted, ask=work.few and not again)
        work.evidence = self.plex.evidence(files)
        if work.match is None or not work.match.chosen:
            if self.config.trigger_plex_scan:
                self._ask_for_scan(scene.paths[0])
            reason = f"Plex has no item with the file {scene.paths[0]}; its libraries lie in {self.plex.folders()}"
            if not self.config.skip_not_found:
                raise PlexNotFound(reason)
            work.verdict, work.reason = Verdict.NOT_IN_PLEX, reason
        elif work.match.confidence is MatchConfidence.LOW:
            doubt = LowConfidence(work.scene_id, scene.paths[0], work.match)
            if self.config.strict_matching:
                raise doubt
            log.warning("%s", doubt.synced())

    def _ask_for_scan(self, path: str) -> None:
        folder = self.plex.ask_for_scan(path)
        if folder is not None:
            log.info("Plex is asked to scan %s", folder)

    def _prove(self, work: Work, items: Mapping[int, FullItem]) -> None:
        scene = _scene(work)
        files = _files(scene)
        if work.match is not None:
            work.items = self.plex.proven(work.match, dict(items), files)
        if work.items:
            self._leave_to_others(work)
            return
        # The index was behind: it has forgotten what was wrong. Once more, alone.
        try:
            self._locate(work, refuted=True)
            if work.open and work.match is not None:
                work.items = self.plex.proven(work.match, self.plex.read(_keys(work)), files)
                if not work.items:
                    raise PlexNotFound(f"Plex has no item with the file {scene.paths[0]} any more")
                self._leave_to_others(work)
        except Exception as error:  # noqa: BLE001 - as in _each
            work.error = error

    def _leave_to_others(self, work: Work) -> None:
        """An item that several scenes are proven to hold belongs to the scene of its first file (the first scene, where
        several have that)."""
        kept = []
        for item in work.items:
            first = item.parts[0]
            other = None
            if len(item.parts) > 1 or self.plex.holds(first, _files(_scene(work))):
                other = self.holder(item.rating_key, item.section, first.path, work.scene_id)
            if other is None or (other > work.scene_id and self.plex.holds(first, _files(_scene(work)))):
                kept.append(item)
            else:
                work.reason = f"item {item.rating_key} belongs to scene {other}, which has its first file"
        work.items = kept
        if not kept:
            work.verdict = Verdict.SHARED

    def write(self, work: Work) -> None:
        """Send what differs, one PUT an item; what goes wrong ends in ``work.error``."""
        if not work.open:
            return
        try:
            for item in work.items:
                work.wrote |= self._send(work, item)
        except Exception as error:  # noqa: BLE001 - as in _each
            work.error = error
            return
        work.verdict = Verdict.PUSHED if work.wrote else Verdict.NOTHING_TO_CHANGE

    def verify(self, batch: list[Work]) -> None:
        """Read what was written, all of it in one request. What differs is written once more; what differs still is
        said and not taken as pushed."""
        written = [work for work in batch if work.wrote and work.error is None]
        for last in (False, True):
            if not written:
                return
            try:
                items = read_full(self._get_plex_client(), {item.rating_key for work in written for item in work.items})
            except Exception as error:  # noqa: BLE001 - as in _each
                for work in written:
                    work.error = error
                return
            for work in written:
                gone = [item.rating_key for item in work.items if item.rating_key not in items]
                if gone:
                    work.error = PlexNotFound(f"Plex lost item {gone[0]} while it was written")
                work.items = [items[item.rating_key] for item in work.items if item.rating_key in items]
            written = [w for w in written if w.error is None and any(self._diff(w, item) for item in w.items)]
            for work in written:
                if last:
                    fields = sorted({c.field for item in work.items for c in self._diff(work, item).changes})
                    work.verdict, work.reason = Verdict.FAILED, f"Plex did not keep {', '.join(fields)}"
                    log.warning("Scene %s: %s", work.scene_id, work.reason)
                else:
                    work.verdict = None  # open again
                    self.write(work)

    # one item

    def _send(self, work: Work, item: FullItem) -> bool:
        diff = self._diff(work, item)
        if not diff:
            log.debug("Scene %s: nothing to change on item %s", work.scene_id, item.rating_key)
            return False
        log.debug("Scene %s, item %s: %s", work.scene_id, item.rating_key, diff)
        for query in queries(diff):
            self._get_plex_client().edit(item.section, item.rating_key, query)
        if diff.rating is not None:
            work.rating = diff.rating
        mode = "preserved" if self.config.preserve_plex_edits else "overwrite"
        log.info("Updated metadata (%s mode): %s", mode, self._wish(work).scalars.get("title") or item.title)
        return True

    def _diff(self, work: Work, item: FullItem) -> Diff:
        ours = self.our_rating(work.scene_id)
        return difference(
            Actual(item.scalars, item.tags, item.rating),
            self._wish(work),
            preserve=self.config.preserve_plex_edits,
            rating_is_ours=ours is not None and item.rating is not None and abs(ours - item.rating) < 0.05,
        )

    def _wish(self, work: Work) -> Desired:
        scene = _scene(work)
        return desired_state(scene.data or {}, self.config, stem(scene.paths[0]))

    def _update_metadata(self, plex_item: Any, data: dict[str, Any]) -> bool:
        """Write ``data`` to one item of plexapi, whatever matched it. True when sent. Raises PlexError."""
        rating_key = int(plex_item.ratingKey)
        item = read_full(self._get_plex_client(), [rating_key]).get(rating_key)
        if item is None:
            raise PlexNotFound(f"Plex has no item {rating_key} any more")
        path = str(data.get("path") or (item.parts[0].path if item.parts else ""))
        work = Work({"scene_id": 0}, Scene(0, dict(data), [{"path": path}]))
        return self._send(work, item)


def _keys(work: Work) -> list[int]:
    return [ranked.candidate.rating_key for ranked in work.match.chosen] if work.match is not None else []


def _files(scene: Scene) -> list[SceneFile]:
    return [SceneFile(file["path"], file.get("size"), file.get("duration")) for file in scene.files]


def _scene(work: Work) -> Scene:
    if work.scene is None:
        raise PermanentError(f"Scene {work.scene_id} was never read")
    return work.scene

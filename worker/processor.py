"""The SyncWorker: a claimed job becomes a write to Plex, or the reason why not. It alone writes to Plex."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, cast

from common.errors import PermanentError
from common.jobs import PRIORITY_BULK
from common.scene import SceneData, SceneFile
from hooks.handlers import unmark_scene_pending
from matching import manual_match
from matching.low_confidence import LowConfidence
from matching.ranking import Match, MatchConfidence
from metadata.filters import filter_reason
from metadata.quality_gate import has_meaningful_metadata
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants
from pipeline.item_writer import ItemWriter
from pipeline.pictures import PictureOutcome, PictureSync, PictureTarget
from pipeline.plex_session import PlexSession
from pipeline.restore import REASON, give_back, is_give_back
from pipeline.scene_reader import Scene, from_job, read_scenes
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.client import Library, PlexClient
from plex.exceptions import PlexError, PlexNotFound
from plex.items import FullItem, read_items
from state import database, last_known
from state.ledger import IN_STEP, Verdict
from state.manual_matches import ManualMatch
from sync_queue.operations import save_sync_timestamp

__all__ = ["PermanentError", "SceneSync", "SyncWorker"]

log = logging.getLogger("Stash2Plex.worker")

# Plex is asked for single files by name while fewer jobs than this are due (design 4).
FEW = 20
REFUSED = "none of the items that Plex has for it is the scene's, a person has said"


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
        memory: SceneRecords | None = None,
        pictures: PictureSync | None = None,
    ) -> None:
        self.queue = queue
        self.dlq = dlq
        self.config = config
        self.data_dir = data_dir
        self.max_retries = max_retries
        self.stash = stash
        self.clock = clock
        self._ticks = ticks
        self.pictures = pictures
        # The tags that rules ending in /* mean; whoever can ask Stash sets it.
        self.descendants: TagDescendants = NO_DESCENDANTS
        self._memory = memory
        self._writer = ItemWriter(self._get_plex_client, lambda: self.config, lambda: self.memory)
        # How often a connection to Plex was left: what was read over an earlier one is not written over a later.
        self.left = 0
        self._plex: PlexSession | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    # running in this process

    def start(self) -> None:
        """Drain the queue in a thread of this process, unless another drainer holds the lock. Needs ``data_dir``."""
        if self._thread is not None or self.data_dir is None:
            return
        from worker.thread import drain

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
        return self._plex is not None and self._plex.take_news()

    @property
    def plex(self) -> PlexSession:
        """The server the settings name."""
        if self._plex is None:
            if self.data_dir is None:
                raise ValueError("the worker needs a data directory to keep the library's index in")
            self._plex = PlexSession(self.config, self.data_dir, self._ticks, self._heard)
        return self._plex

    def _heard(self, client: PlexClient, there: list[Library], chosen: list[Library]) -> None:
        """Keep which server this is, and its libraries, for the page; nothing depends on it."""
        name, version = (getattr(client.server, what, None) for what in ("friendlyName", "version"))
        keys = {section.key for section in chosen}
        libraries = [{"key": one.key, "title": one.title, "type": one.type, "chosen": one.key in keys} for one in there]
        with contextlib.suppress(sqlite3.Error):
            self.memory.know(
                last_known.SERVER, {"name": name, "version": version, "machine": client.machine_identifier}
            )
            self.memory.know(last_known.SECTIONS, libraries)

    @property
    def writer(self) -> ItemWriter:
        """What makes items what they should be."""
        return self._writer

    @property
    def memory(self) -> SceneRecords:
        """What is remembered of scenes and items; without a data directory, for as long as this worker lives."""
        if self._memory is None:
            db = database.in_memory() if self.data_dir is None else database.connect(self.data_dir)
            self._memory = SceneRecords(db, self.clock)
        return self._memory

    @memory.setter
    def memory(self, memory: SceneRecords | None) -> None:
        self._memory = memory

    def _get_plex_client(self) -> PlexClient:
        return self.plex.client

    # one job, from start to end

    def _process_job(self, job: dict[str, Any]) -> None:
        """Match, write and record one job. Raises PlexError, PermanentError, StashError."""
        work = SceneSync(job)
        try:
            self.prepare([work])
            if work.error is None:
                self.write(work)
                self.give_pictures(work)
            if work.error is None and work.wrote:
                self.verify([work])
            if work.error is not None:
                raise work.error
            if work.verdict in (Verdict.PUSHED, Verdict.NOTHING_TO_CHANGE) and self.data_dir is not None:
                save_sync_timestamp(self.data_dir, work.scene_id, work.version)
        finally:
            unmark_scene_pending(work.scene_id)
            self.memory.release()

    # the steps of a batch

    def ask_ahead(self, jobs: Iterable[Mapping[str, Any]]) -> None:
        """Ask Plex for the items that the scenes of a batch were in step with: they are there, as a rule, when they are
        wanted. Not where most scenes are new: their items would be a second question. An error comes with
        :meth:`prepare`."""
        if self._plex is not None:
            ids = [int(job["scene_id"]) for job in jobs if not is_give_back(job)]
            self._plex.ask_ahead(self.memory.items_of(ids))

    def prepare(self, batch: list[SceneSync], scenes: Mapping[int, Scene] | None = None) -> None:
        """Read, judge and match: after it each work is decided or has proven items. ``scenes`` are those read already.

        Raises StashError; what goes wrong with Plex goes into the works it concerns.
        """
        for work in batch:
            unmark_scene_pending(work.scene_id)
            work.started_at = self.clock()
            work.few = len(batch) < FEW
        self.memory.recall(work.scene_id for work in batch)
        batch = [work for work in batch if not is_give_back(work.job)]
        if scenes is None and self.stash is not None:
            scenes = read_scenes(self.stash, [work.scene_id for work in batch])
        for work in batch:
            self._judge(work, scenes)
        self._each(batch, self._locate)
        located = [work for work in batch if work.open]
        if not located:
            return
        try:
            items = self.plex.read(key for work in located for key in work.keys)
        except Exception as error:  # noqa: BLE001 - every job of the batch ends with it, classified where it is settled
            for work in located:
                work.error = error
            return
        self.memory.recall_items(items)
        for work in located:
            self._prove(work, items)
        self._share_out([work for work in located if work.open])

    def _judge(self, work: SceneSync, scenes: Mapping[int, Scene] | None) -> None:
        try:
            scene = from_job(work.job) if scenes is None else scenes[work.scene_id]
        except PermanentError as error:
            work.error = error
            return
        work.scene = scene
        if scene.gone:
            return
        left_out = None if scene.data is None else filter_reason(scene.data, self.config, self.descendants)
        if self._was_given_back(work):
            # Before everything else: a verdict in its place would be forgetting it.
            work.verdict, work.reason = Verdict.GIVEN_BACK, REASON
        elif scene.data is None:
            work.verdict, work.reason = Verdict.GATED, "the scene has no file"
        elif not has_meaningful_metadata(scene.data):
            work.verdict, work.reason = Verdict.GATED, "the scene has none of studio, performers, tags, details, date"
        elif left_out is not None:
            work.verdict, work.reason = Verdict.FILTERED, f"the scene {left_out}"
        else:
            work.wish = self._writer.wish(work, self.descendants)

    def _was_given_back(self, work: SceneSync) -> bool:
        if work.job.get("by_hand"):
            return False
        entry = self.memory.entry(work.scene_id)
        return entry is not None and entry.verdict is Verdict.GIVEN_BACK

    def _each(self, batch: Iterable[SceneSync], step: Callable[[SceneSync], None]) -> None:
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

    def _locate(self, work: SceneSync, refuted: bool = False) -> None:
        path = work.known_scene.paths[0]
        again = bool(work.job.get("tries") or work.job.get("retry_count"))
        patient = again or work.job.get("priority") == PRIORITY_BULK
        chosen = self.memory.binding(work.scene_id)
        if chosen is not None and self.plex.stands(chosen):
            work.evidence = self.evidence(work.scene_id, work.files)
            work.bound, work.match = chosen, manual_match.match_of(chosen, work.files[0])
            return
        refused = self.memory.refused(work.scene_id)
        work.match, work.evidence = self.plex.match(
            work.files, patient=patient, refuted=refuted, ask=work.few and not again, refused=refused
        )
        if chosen is not None:
            work.evidence = self.evidence(work.scene_id, work.files)
        log.debug("Scene %s: %s", work.scene_id, work.match.reason if work.match else "Plex has nothing of its name")
        if refused and (work.match is None or not work.match.chosen):
            # Nobody waits for it: whatever comes new under its files' names has it looked at again.
            work.verdict, work.reason = Verdict.NOT_IN_PLEX, REFUSED
        elif work.match is None or not work.match.chosen:
            if self.config.trigger_plex_scan:
                self._ask_for_scan(path)
            reason = f"Plex has no item with the file {path}; its libraries lie in {self.plex.folders()}"
            if not self.config.skip_not_found:
                raise PlexNotFound(reason)
            work.verdict, work.reason = Verdict.NOT_IN_PLEX, reason
        elif work.match.confidence is MatchConfidence.LOW:
            doubt = LowConfidence(work.scene_id, path, work.match)
            if self.config.strict_matching:
                raise doubt
            log.warning("%s", doubt.synced())

    def evidence(self, scene_id: int, files: Iterable[SceneFile]) -> str:
        """What the index knows under the names of a scene's files, and of those of the item chosen for it by hand."""
        chosen = self.memory.binding(scene_id)
        return self.plex.evidence([*files, *(manual_match.as_scene_files(chosen) if chosen is not None else ())])

    def _ask_for_scan(self, path: str) -> None:
        folder = self.plex.ask_for_scan(path)
        if folder is not None:
            log.info("Plex is asked to scan %s", folder)

    def _prove(self, work: SceneSync, items: Mapping[int, FullItem]) -> None:
        if work.bound is not None:
            try:
                self._prove_by_hand(work, work.bound, items)
            except Exception as error:  # noqa: BLE001 - as in _each
                work.error = error
            return
        if work.match is not None:
            work.items = self.plex.proven(work.match, dict(items), work.files)
        if work.items:
            self.leave_to_others(work)
            return
        # The index was behind: it has forgotten what was wrong. Once more, alone.
        try:
            self._locate(work, refuted=True)
            if work.open and work.match is not None:
                work.items = self.plex.proven(work.match, self.plex.read(work.keys), work.files)
                if not work.items:
                    # The index knows of none now; when it does again, that is something new.
                    work.match, work.evidence = None, self.evidence(work.scene_id, work.files)
                    raise PlexNotFound(f"Plex has no item with the file {work.known_scene.paths[0]} any more")
                self.leave_to_others(work)
        except Exception as error:  # noqa: BLE001 - as in _each
            work.error = error

    def _prove_by_hand(self, work: SceneSync, chosen: ManualMatch, items: Mapping[int, FullItem]) -> None:
        """The item that a person has chosen, if it is that still; else the one that has its file now. Raises
        LowConfidence, PlexError."""
        item = items.get(chosen.rating_key)
        if item is None or not manual_match.holds(chosen, item):
            item = manual_match.found_again(chosen, self.plex.holding(chosen))
            if item is None:
                self._doubt_again(work)
            chosen = work.rebound = manual_match.renewed(chosen, item)
        work.match = manual_match.match_of(chosen, work.files[0], item)
        work.items = [item]

    def _doubt_again(self, work: SceneSync) -> NoReturn:
        """What was chosen by hand is not there: the choice is a person's once more, whatever else there is."""
        others, _ = self.plex.match(work.files, refused=self.memory.refused(work.scene_id))
        ranked = others.ranked if others is not None else ()
        doubt = Match(MatchConfidence.LOW, (), ranked, manual_match.LOST)
        raise LowConfidence(work.scene_id, work.known_scene.paths[0], doubt)

    def leave_to_others(self, work: SceneSync) -> None:
        """An item that several scenes are proven to hold belongs to the scene of its first file (the first scene, where
        several have that); one that was given to a scene by hand belongs to that one."""
        if work.bound is not None:
            return
        kept = []
        for item in work.items:
            given = self.memory.given_by_hand(item, self._get_plex_client().machine, work.scene_id)
            if given is not None:
                work.reason = f"item {item.rating_key} was given to scene {given} by hand"
                continue
            first = item.parts[0]
            other = self.memory.holder(item.rating_key, item.section, first.path, work.scene_id)
            # Mostly there is none: then nothing has to be proven.
            ours = other is None or self.plex.holds(first, work.files)
            if other is None or (other > work.scene_id if ours else len(item.parts) == 1):
                kept.append(item)
            else:
                work.reason = f"item {item.rating_key} belongs to scene {other}, which has its first file"
        work.items = kept
        if not kept:
            work.verdict = Verdict.SHARED

    def _share_out(self, works: list[SceneSync]) -> None:
        """The same among the scenes of one batch, of which the ledger does not know yet."""
        claims: dict[int, list[SceneSync]] = {}
        for work in works:
            for item in work.items:
                claims.setdefault(item.rating_key, []).append(work)
        for rating_key, rivals in claims.items():
            if len(rivals) < 2:
                continue
            [first] = [item.parts[0] for item in rivals[0].items if item.rating_key == rating_key]
            owner = min(
                rivals, key=lambda work: (work.bound is None, not self.plex.holds(first, work.files), work.scene_id)
            )
            for work in rivals:
                if work is not owner:
                    work.items = [item for item in work.items if item.rating_key != rating_key]
                    work.reason = f"item {rating_key} belongs to scene {owner.scene_id}, which has its first file"
                    if not work.items:
                        work.verdict = Verdict.SHARED

    def write(self, work: SceneSync) -> None:
        """Send what differs, one PUT an item; what goes wrong ends in ``work.error``."""
        if is_give_back(work.job):
            give_back(work, self._get_plex_client, self.memory)
        else:
            self._writer.write(work)

    def verify(self, batch: list[SceneSync]) -> None:
        """Read what was written, all of it in one request; see :meth:`pipeline.item_writer.ItemWriter.verify`."""
        self._writer.verify(batch)

    def give_pictures(self, work: SceneSync) -> None:
        """Give the items their pictures, after the text: that one stands, whatever becomes of them. What went wrong
        ends in ``work.pictures_error``, an item that is gone in ``work.error``."""
        if self.pictures is None or work.scene is None or work.error is not None or work.verdict not in IN_STEP:
            return
        outcome = self.sync_pictures(work, self.pictures)
        for note in outcome.notes:
            log.warning("Scene %s: %s", work.scene_id, note)
            work.remarks.append(f"Scene {work.scene_id}: {note}")
        if isinstance(outcome.error, PlexNotFound):
            work.error = outcome.error
        else:
            work.pictures_error = outcome.error

    def sync_pictures(self, work: SceneSync, pictures: PictureSync, *, dry: bool = False) -> PictureOutcome:
        """Bring the pictures of a work's items in step, and remember them; ``dry`` only says what would be done."""
        client = self._get_plex_client()
        by_key = {str(item.rating_key): item for item in work.items}
        pictures.before = lambda key, place, shown: self.memory.before_picture(
            work, by_key[str(key)], client.machine, place, shown
        )
        scene = work.known_scene
        outcome = pictures.sync(
            client,
            scene.data or {},
            scene.updated_at,
            [PictureTarget(item.rating_key, item.section, item.locked, item.pictures) for item in work.items],
            {key: self.memory.pictures(item, client.machine) for key, item in by_key.items()},
            self.config,
            dry=dry,
        )
        for key, places in outcome.ours.items():
            self.memory.after_pictures(work, by_key[key], client.machine, places)
        return outcome

    def _update_metadata(self, plex_item: Any, data: dict[str, Any]) -> bool:
        """Write ``data`` to one item of plexapi, whatever matched it. True when sent. Raises PlexError."""
        rating_key = int(plex_item.ratingKey)
        item = read_items(self._get_plex_client(), [rating_key]).get(rating_key)
        if item is None:
            raise PlexNotFound(f"Plex has no item {rating_key} any more")
        path = str(data.get("path") or (item.parts[0].path if item.parts else ""))
        work = SceneSync({"scene_id": 0}, scene=Scene(0, cast(SceneData, data), [SceneFile(path)]), items=[item])
        work.wish = self._writer.wish(work, self.descendants)
        self._writer.write(work)
        if work.error is not None:
            raise work.error
        return work.wrote

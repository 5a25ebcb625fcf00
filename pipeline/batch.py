"""One batch of scenes: read, judge, match, write, pictures, verify. It alone writes to Plex."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

from common.errors import PermanentError
from common.jobs import PRIORITY_BULK
from common.scene import SceneFile
from common.verdicts import SYNCED, Verdict
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
from pipeline.scene_reader import Scene, from_job
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from pipeline.session_holder import SessionHolder
from plex.client import Library, PlexClient
from plex.exceptions import PlexError, PlexNotFound
from plex.items import FullItem
from settings.config import Stash2PlexConfig
from state import last_known
from state.manual_matches import ManualMatch

log = logging.getLogger("Stash2Plex.worker")

# In batches smaller than this, Plex is asked for single files by name.
SMALL_BATCH_SIZE = 20
REFUSED = "none of the items that Plex has for it is the scene's, a person has said"


class BatchPipeline:
    """Carries out the steps of a batch with the settings in force. Belongs to the thread of ``records``' connection.

    ``data_dir`` holds the index of Plex. ``clock`` is epoch seconds, ``ticks`` monotonic seconds.
    """

    def __init__(
        self,
        config: Stash2PlexConfig,
        data_dir: str | None,
        records: SceneRecords,
        pictures: PictureSync | None = None,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sessions = SessionHolder(config, data_dir, ticks, self._record_server)
        self.records = records
        self.pictures = pictures
        # The tags that rules ending in /* include.
        self.tag_descendants: TagDescendants = NO_DESCENDANTS
        self.writer = ItemWriter(lambda: self.sessions.client, lambda: self.config, records)
        self._clock = clock

    @property
    def config(self) -> Stash2PlexConfig:
        """The settings in force."""
        return self.sessions.config

    @property
    def plex(self) -> PlexSession:
        """The session with the server that the settings name."""
        return self.sessions.session

    def configure(self, config: Stash2PlexConfig) -> bool:
        """Apply settings from the next job on. Return True if they name another server or view it differently."""
        return self.sessions.configure(config)

    def close(self) -> None:
        """Close the connection to Plex and the index; the next use opens them again."""
        self.sessions.close()

    def unused_path_rules(self) -> list[str]:
        """Return the rules of the path map that have applied to no file since the settings were read."""
        session = self.sessions.open_session
        return session.unused_rules() if session is not None else []

    def take_index_changes(self) -> bool:
        """Return whether the index has changed since the last call."""
        session = self.sessions.open_session
        return session is not None and session.take_news()

    def prefetch(self, jobs: Iterable[Mapping[str, object]]) -> None:
        """Request the items that the jobs' scenes were synced to last time, without waiting for them.

        Does nothing if most scenes are new: their items need a second request anyway. Errors surface in
        :meth:`prepare`.
        """
        session = self.sessions.open_session
        if session is not None:
            ids = [int(str(job["scene_id"])) for job in jobs if not is_give_back(job)]
            session.prefetch(self.records.items_of(ids))

    def prepare(self, batch: list[SceneSync], scenes: Mapping[int, Scene] | None = None) -> None:
        """Judge and match scenes: afterwards each work is decided or has proven items.

        ``scenes`` are the scenes as read from Stash; without them the data of the jobs counts. Errors of Plex end up in
        the works that they concern.
        """
        for work in batch:
            work.started_at = self._clock()
            work.few = len(batch) < SMALL_BATCH_SIZE
        self.records.recall(work.scene_id for work in batch)
        batch = [work for work in batch if not is_give_back(work.job)]
        for work in batch:
            self._judge(work, scenes)
        self._each(batch, self._locate)
        located = [work for work in batch if work.open]
        if not located:
            return
        try:
            items = self.plex.read(key for work in located for key in work.keys)
        except Exception as error:  # noqa: BLE001 - every job of the batch ends with it, classified when it is recorded
            for work in located:
                work.error = error
            return
        self.records.recall_items(items)
        for work in located:
            self._prove(work, items)
        self._share_out([work for work in located if work.open])

    def write(self, work: SceneSync) -> None:
        """Send what differs, one PUT for each item; errors end up in ``work.error``."""
        if is_give_back(work.job):
            give_back(work, lambda: self.sessions.client, self.records)
        else:
            self.writer.write(work)

    def verify(self, batch: list[SceneSync]) -> None:
        """Read what was written back in one request; see :meth:`pipeline.item_writer.ItemWriter.verify`."""
        self.writer.verify(batch)

    def write_pictures(self, work: SceneSync) -> None:
        """Bring the pictures of written items in step. The text stands, whatever happens to them.

        Errors end up in ``work.pictures_error``, an item that is gone in ``work.error``.
        """
        if self.pictures is None or work.scene is None or work.error is not None or work.verdict not in SYNCED:
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
        """Bring the pictures of a work's items in step and record them; ``dry`` only counts what would be sent."""
        client = self.sessions.client
        by_key = {str(item.rating_key): item for item in work.items}
        pictures.before = lambda key, place, shown: self.records.before_picture(
            work, by_key[str(key)], client.machine, place, shown
        )
        scene = work.known_scene
        outcome = pictures.sync(
            client,
            scene.data or {},
            scene.updated_at,
            [PictureTarget(item.rating_key, item.section, item.locked, item.pictures) for item in work.items],
            {key: self.records.pictures(item, client.machine) for key, item in by_key.items()},
            self.config,
            dry=dry,
        )
        for key, places in outcome.ours.items():
            self.records.after_pictures(work, by_key[key], client.machine, places)
        return outcome

    def _judge(self, work: SceneSync, scenes: Mapping[int, Scene] | None) -> None:
        try:
            scene = from_job(work.job) if scenes is None else scenes[work.scene_id]
        except PermanentError as error:
            work.error = error
            return
        work.scene = scene
        if scene.gone:
            return
        left_out = None if scene.data is None else filter_reason(scene.data, self.config, self.tag_descendants)
        if self._was_restored(work):
            # Checked first: any other verdict would overwrite this one in the ledger.
            work.verdict, work.reason = Verdict.RESTORED, REASON
        elif scene.data is None:
            work.verdict, work.reason = Verdict.GATED, "the scene has no file"
        elif not has_meaningful_metadata(scene.data):
            work.verdict, work.reason = Verdict.GATED, "the scene has none of studio, performers, tags, details, date"
        elif left_out is not None:
            work.verdict, work.reason = Verdict.FILTERED, f"the scene {left_out}"
        else:
            work.wish = self.writer.wish(work, self.tag_descendants)

    def _was_restored(self, work: SceneSync) -> bool:
        if work.job.get("by_hand"):
            return False
        entry = self.records.entry(work.scene_id)
        return entry is not None and entry.verdict is Verdict.RESTORED

    def _record_server(self, client: PlexClient, libraries: list[Library], chosen: list[Library]) -> None:
        """Record which server this is, and its libraries, for the page; nothing depends on it."""
        name, version = (getattr(client.server, attribute, None) for attribute in ("friendlyName", "version"))
        keys = {library.key for library in chosen}
        listed = [
            {"key": library.key, "title": library.title, "type": library.type, "chosen": library.key in keys}
            for library in libraries
        ]
        with contextlib.suppress(sqlite3.Error):
            self.records.know(
                last_known.SERVER, {"name": name, "version": version, "machine": client.machine_identifier}
            )
            self.records.know(last_known.SECTIONS, listed)

    def _each(self, batch: Iterable[SceneSync], step: Callable[[SceneSync], None]) -> None:
        shared: Exception | None = None
        for work in batch:
            if not work.open:
                continue
            try:
                if shared is not None:
                    raise shared
                step(work)
            except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
                work.error = error
                if isinstance(error, PlexError) and not isinstance(error, PlexNotFound):
                    # The server or the settings are at fault, not this job: the others would fail the same way.
                    shared = error

    def _locate(self, work: SceneSync, refuted: bool = False) -> None:
        path = work.known_scene.paths[0]
        again = bool(work.job.get("tries") or work.job.get("retry_count"))
        patient = again or work.job.get("priority") == PRIORITY_BULK
        chosen = self.records.binding(work.scene_id)
        if chosen is not None and self.plex.stands(chosen):
            work.evidence = self.evidence(work.scene_id, work.files)
            work.bound, work.match = chosen, manual_match.match_of(chosen, work.files[0])
            return
        refused = self.records.refused(work.scene_id)
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
        chosen = self.records.binding(scene_id)
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
        others, _ = self.plex.match(work.files, refused=self.records.refused(work.scene_id))
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
            given = self.records.given_by_hand(item, self.sessions.client.machine, work.scene_id)
            if given is not None:
                work.reason = f"item {item.rating_key} was given to scene {given} by hand"
                continue
            first = item.parts[0]
            other = self.records.holder(item.rating_key, item.section, first.path, work.scene_id)
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

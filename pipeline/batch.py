"""One batch of scenes: read, judge, match, write, pictures, verify. It alone writes to Plex."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping

from common.errors import PermanentError
from common.scene import SceneFile
from common.verdicts import SYNCED, Verdict
from metadata.filters import filter_reason
from metadata.quality_gate import has_meaningful_metadata
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants
from pipeline.item_writer import ItemWriter
from pipeline.match_step import MatchStep
from pipeline.pictures import PictureOutcome, PictureSync, PictureTarget
from pipeline.plex_session import PlexSession, SessionHolder
from pipeline.restore import REASON, restore_items
from pipeline.scene_reader import from_job
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.client import Library, PlexClient
from plex.exceptions import PlexNotFound
from settings.config import Stash2PlexConfig
from stash.scenes import Scene
from state import last_known
from sync_queue.job import Job

log = logging.getLogger("Stash2Plex.worker")


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
        self._match_step = MatchStep(lambda: self.plex, lambda: self.config, records)
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
        return session.matcher.unused_path_rules() if session is not None else []

    def take_index_changes(self) -> bool:
        """Return whether the index has changed since the last call."""
        session = self.sessions.open_session
        return session is not None and session.index.pop_changed()

    def prefetch(self, jobs: Iterable[Job]) -> None:
        """Request the items that the jobs' scenes were synced to last time, without waiting for them.

        Does nothing if most scenes are new: their items need a second request anyway. Errors surface in
        :meth:`prepare`.
        """
        session = self.sessions.open_session
        if session is not None:
            ids = [job.scene_id for job in jobs if job.scene_id is not None and not job.is_restore]
            session.prefetch(self.records.synced_items(ids))

    def prepare(self, batch: list[SceneSync], scenes: Mapping[int, Scene] | None = None) -> None:
        """Judge and match scenes: afterwards each work is decided or has proven items.

        ``scenes`` are the scenes as read from Stash; without them the data of the jobs counts. Errors of Plex end up in
        the works that they concern.
        """
        for work in batch:
            work.started_at = self._clock()
        self.records.load_batch(work.scene_id for work in batch)
        batch = [work for work in batch if not work.job.is_restore]
        for work in batch:
            self._judge(work, scenes)
        self._match_step.run(batch)

    def evidence(self, scene_id: int, files: Iterable[SceneFile]) -> str:
        """Return the checksum of what the index has for a scene: its verdict stands until that changes."""
        return self._match_step.evidence(scene_id, files)

    def write(self, work: SceneSync) -> None:
        """Send what differs, one PUT for each item; errors end up in ``work.error``."""
        if work.job.is_restore:
            restore_items(work, lambda: self.sessions.client, self.records)
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
        pictures.before = lambda key, place, shown: self.records.items.before_picture(
            work, by_key[str(key)], client.machine, place, shown
        )
        scene = work.known_scene
        outcome = pictures.sync(
            client,
            scene.data or {},
            scene.updated_at,
            [PictureTarget(item.rating_key, item.section, item.locked, item.pictures) for item in work.items],
            {key: self.records.items.pictures(item, client.machine) for key, item in by_key.items()},
            self.config,
            dry=dry,
        )
        for key, places in outcome.ours.items():
            self.records.items.after_pictures(work, by_key[key], client.machine, places)
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
            work.desired = self.writer.desired_state(work, self.tag_descendants)

    def _was_restored(self, work: SceneSync) -> bool:
        if work.job.by_hand:
            return False
        entry = self.records.ledger_row(work.scene_id)
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
            self.records.record_last_known(
                last_known.SERVER, {"name": name, "version": version, "machine": client.machine_identifier}
            )
            self.records.record_last_known(last_known.SECTIONS, listed)

"""Preview what a sync would change: the steps of the real sync, over a pipeline that cannot write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import UserFacingError
from common.job_rows import PRIORITY_BULK, new_job
from common.sqlite import connect_existing
from common.verdicts import Verdict
from matching import index_store
from matching.low_confidence import LowConfidence
from matching.ownership import Claimant
from matching.ranking import MatchConfidence
from metadata.change_text import change_as_dict
from metadata.diff import Change, FieldValue
from pipeline.batch import BatchPipeline
from pipeline.match_step import claimant_of
from pipeline.pictures import PictureOutcome, PictureSync
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from pipeline.write_blockers import NEEDS_USER
from plex.client import IDENTIFIER_FILE, client_identifier
from plex.exceptions import PlexNotFound, PlexTemporaryError
from plex.items import FullItem
from settings.config import Stash2PlexConfig
from stash.scenes import Scene, file_stem
from state import database
from state.manual_matches import ManualMatch
from sync_queue.job import Job


@dataclass(frozen=True)
class ItemPreview:
    """One item and what would be written to it; no changes if it is equal."""

    rating_key: int
    title: str
    changes: list[Change[FieldValue]]


@dataclass
class ScenePreview:
    """What a sync of one scene would do. ``verdict`` is what the ledger would record, ``reason`` why the scene would be
    left alone; ``candidates`` are the items of an ambiguous scene, best first."""

    scene_id: int
    title: str = ""
    path: str = ""
    verdict: str = ""
    reason: str = ""
    items: list[ItemPreview] = field(default_factory=list)
    pictures: PictureOutcome = field(default_factory=PictureOutcome)
    candidates: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[Change[FieldValue]]:
        """All changes of all items."""
        return [change for item in self.items for change in item.changes]

    @property
    def writes(self) -> bool:
        """Whether anything would be sent to Plex."""
        pictures = self.pictures
        return bool(self.changes or pictures.uploads or pictures.selected or pictures.removed)

    @property
    def left_alone(self) -> bool:
        """Whether it would not even be compared."""
        return not self.items

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, for a page."""
        pictures = self.pictures
        return {
            "scene_id": self.scene_id,
            "title": self.title,
            "path": self.path,
            "verdict": self.verdict,
            "reason": self.reason,
            "items": [
                {
                    "rating_key": item.rating_key,
                    "title": item.title,
                    "changes": [change_as_dict(change) for change in item.changes],
                }
                for item in self.items
            ],
            "pictures": {
                "uploads": pictures.uploads,
                "bytes": pictures.size,
                "selected": pictures.selected,
                "removed": pictures.removed,
            },
            "candidates": self.candidates,
            "notes": self.notes,
        }


class PreviewRecords(SceneRecords):
    """Records that also hold which items the scenes of this preview would be synced to, as a sync would by then."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, time.time)
        self._foreseen: dict[int, dict[int, Claimant]] = {}

    def foresee(self, work: SceneSync) -> None:
        """Treat a scene as synced to its items from now on."""
        for item in work.items:
            self._foreseen.setdefault(item.rating_key, {})[work.scene_id] = claimant_of(work)

    def record_last_known(self, key: str, value: object) -> None:
        """Record nothing."""

    def rivals(
        self, item: FullItem, machine: str, but: int, is_in_force: Callable[[ManualMatch], bool]
    ) -> list[Claimant]:
        """Return the scenes that may claim an item, those of earlier pages of this preview included."""
        known = super().rivals(item, machine, but, is_in_force)
        claimants = {claimant.scene_id: claimant for claimant in known} | self._foreseen.get(item.rating_key, {})
        return [claimant for scene_id, claimant in sorted(claimants.items()) if scene_id != but]


@contextmanager
def preview_pipeline(config: Stash2PlexConfig, data_dir: str, pictures: PictureSync | None) -> Iterator[BatchPipeline]:
    """Open a pipeline that changes nothing.

    Its ledger is read-only, and its index a copy that is deleted afterwards: the worker has to notice for itself what
    is new in Plex, since jobs may wait for it. Plex is never asked to scan. Raise OSError, sqlite3.Error.
    """
    with tempfile.TemporaryDirectory(prefix="stash2plex-") as folder, closing(_ledger(data_dir)) as db:
        _copy_index(data_dir, folder)
        pipeline = BatchPipeline(replace(config, trigger_plex_scan=False), folder, PreviewRecords(db), pictures)
        try:
            yield pipeline
        finally:
            pipeline.close()


def preview(
    pipeline: BatchPipeline, scene_ids: Sequence[int], scenes: Mapping[int, Scene] | None = None
) -> list[ScenePreview]:
    """Return what a sync of these scenes would do, in their order. ``scenes`` are the scenes as read from Stash.

    Raise PlexError if Plex or the settings are at fault and not one of the scenes.
    """
    works = [
        SceneSync(Job.from_row(new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=time.time())))
        for scene_id in scene_ids
    ]
    pipeline.prepare(works, scenes)
    records = pipeline.records
    if isinstance(records, PreviewRecords):
        for work in works:
            if work.is_open:
                records.foresee(work)
    return [_preview_scene(pipeline, work) for work in works]


def _preview_scene(pipeline: BatchPipeline, work: SceneSync) -> ScenePreview:
    preview = ScenePreview(work.scene_id)
    scene = work.scene
    if scene is not None and scene.data is not None:
        preview.path = scene.paths[0]
        preview.title = str(scene.data.get("title") or "") or file_stem(preview.path)
    if scene is not None and scene.gone:
        preview.verdict, preview.reason = "gone", "Stash has no such scene"
    elif work.error is not None:
        _set_reason(preview, work.error)
    elif work.verdict is not None:
        preview.verdict, preview.reason = work.verdict.value, work.reason
    else:
        _compare(pipeline, work, preview)
    return preview


def _compare(pipeline: BatchPipeline, work: SceneSync, preview: ScenePreview) -> None:
    for item in work.items:
        changes = pipeline.writer.first_diff(work, item).changes
        preview.items.append(ItemPreview(item.rating_key, item.title, changes))
    preview.verdict = (Verdict.WRITTEN if preview.changes else Verdict.UNCHANGED).value
    if work.desired is not None:
        preview.notes += work.desired.notes
    if work.match is not None and work.match.confidence is MatchConfidence.LOW:
        preview.notes.append(f"the match is doubtful: {work.match.reason}")
    if pipeline.pictures is not None:
        preview.pictures = pipeline.sync_pictures(work, pipeline.pictures, dry=True)
        preview.notes += preview.pictures.notes
        if preview.pictures.error is not None:
            preview.notes.append(f"the pictures could not be compared: {preview.pictures.error}")


def _set_reason(preview: ScenePreview, error: BaseException) -> None:
    if isinstance(error, NEEDS_USER) or (isinstance(error, PlexTemporaryError) and not isinstance(error, PlexNotFound)):
        raise error
    verdict = Verdict.FAILED
    if isinstance(error, LowConfidence):
        verdict, preview.candidates = Verdict.AMBIGUOUS, error.candidates()
    elif isinstance(error, PlexNotFound):
        verdict = Verdict.NOT_IN_PLEX
    elif not isinstance(error, UserFacingError):
        raise error  # a bug, or a full disk
    preview.verdict, preview.reason = verdict.value, str(error)


def _ledger(data_dir: str) -> sqlite3.Connection:
    if not os.path.exists(os.path.join(data_dir, database.FILE)):
        return database.in_memory()
    db = database.connect(data_dir)
    db.execute("PRAGMA query_only=ON")
    return db


def _copy_index(data_dir: str, folder: str) -> None:
    client_identifier(data_dir)
    # Under another identifier it would be one more device in Plex's list.
    shutil.copy(os.path.join(data_dir, IDENTIFIER_FILE), folder)
    original = os.path.join(data_dir, index_store.FILE)
    if not os.path.exists(original):
        return
    copy = os.path.join(folder, index_store.FILE)
    try:
        with (
            closing(connect_existing(original, timeout=30, read_only=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.DatabaseError:
        # Damaged: the worker moves it aside when it opens it. Here it counts as missing.
        with suppress(FileNotFoundError):
            os.unlink(copy)

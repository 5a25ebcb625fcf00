"""Compare every scene of Stash with what Plex shows, and queue what differs.

Scenes are read page by page, so that memory does not grow with the library. ``detector``, ``decisions`` and
``page_gaps`` decide, without I/O; this module is the way through the pages.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from common.iso_time import parse_instant
from common.protocols import JobSink
from common.scene import SceneData, StashScene
from matching.index_store import all_items
from matching.plex_presence import Metadata, PlexData
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants
from plex.client import PlexClient
from plex.exceptions import PlexError
from plex.plexapi_types import PlexApiVideo
from reconciliation import plex_access
from reconciliation.decisions import Decision, SceneFacts, decide
from reconciliation.detector import MISSING, GapDetector, GapResult, id_of, paths_of
from reconciliation.findings import FindingListener, GapFinding
from reconciliation.gap_queue import GapQueue
from reconciliation.page_gaps import find_gaps
from reconciliation.plexapi_metadata import metadata_of
from reconciliation.published_config import as_settings
from reconciliation.result import GapDetectionResult
from reconciliation.scene_facts import SceneFactsReader
from reconciliation.scene_pages import scene_pages
from reconciliation.scopes import Scope, parse_scope
from stash.scene_source import ScenePager
from stash.scenes import job_data
from state import database
from sync_queue import operations
from sync_queue.batch_writer import path_of
from sync_queue.writer import QueueWriter, queue_dir

__all__ = ["GapDetectionEngine", "GapDetectionResult", "GapFinding"]

log = logging.getLogger("Stash2Plex.reconciliation")

# Higher than any scene id.
_MAX_SCENE_ID = 2**62


@dataclass
class _EngineRun:
    """What is open while a run lasts. ``queued`` are the scenes that wait in the queue already."""

    scope: Scope
    queue: GapQueue | None = None
    queued: Collection[int] = ()
    facts: SceneFactsReader | None = None
    result: GapDetectionResult = field(default_factory=GapDetectionResult)
    detector: GapDetector = field(default_factory=GapDetector)


class GapDetectionEngine:
    """Finds the gaps, and queues them.

    ``config`` is a Stash2PlexConfig; of any other object only the settings that it has are used. ``queue`` is a
    SQLiteAckQueue, a QueueWriter or anything with ``put``; with None nothing is queued. ``descendants`` are the tags
    that rules ending in ``/*`` mean.

    ``report`` takes what is found; ``progress`` takes the result so far, after each page and while scenes are matched
    one by one.
    """

    def __init__(
        self,
        stash: ScenePager,
        config: object,
        data_dir: str,
        queue: JobSink | QueueWriter | None = None,
        *,
        descendants: TagDescendants = NO_DESCENDANTS,
        report: FindingListener | None = None,
        progress: Callable[[GapDetectionResult], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.stash = stash
        self.config = as_settings(config)
        self.data_dir = data_dir
        self.queue = queue
        self._descendants = descendants
        self._report = report
        self._progress = progress
        self._clock = clock
        self._plex: plex_access.PlexAccess | None = None
        self._run = _EngineRun(Scope("all"))

    def detect_gaps(self, scope: str = "all") -> GapDetectionResult:
        """Find the gaps, queue nothing. Raise BadScope."""
        return self._run_over(scope, None)

    def run(self, scope: str = "all") -> GapDetectionResult:
        """Find the gaps and queue them. Raise BadScope.

        A run stops early if Stash or Plex goes down: ``errors`` says so, and what was found until then stands.
        """
        return self._run_over(scope, self.queue)

    def _run_over(self, scope_text: str, queue: JobSink | QueueWriter | None) -> GapDetectionResult:
        began = self._clock()
        scope = parse_scope(scope_text, began)
        with contextlib.ExitStack() as stack:
            stack.callback(self._close_plex)
            timestamps = operations.load_sync_timestamps(self.data_dir)
            self._run = run = _EngineRun(scope)
            run.queue = None if queue is None else GapQueue(queue, stack, run.result)
            run.queued = operations.get_queued_scene_ids(path_of(self.queue) or queue_dir(self.data_dir))
            run.facts = SceneFactsReader(self.config, self._descendants, self._open_state(stack), began)
            run.result.scope = scope.name
            self._process_pages(timestamps)
            self._report_items()
        run.result.malformed_count = run.detector.skipped
        if run.result.settings_changed_count:
            log.info("%d scenes are stale because the settings have changed", run.result.settings_changed_count)
        log.info("%d scenes checked. %s", run.result.scenes_checked, run.result.by_type())
        return run.result

    def _open_state(self, stack: contextlib.ExitStack) -> sqlite3.Connection | None:
        if not os.path.exists(os.path.join(self.data_dir, database.FILE)):
            return None
        return stack.enter_context(contextlib.closing(database.connect(self.data_dir)))

    def _process_pages(self, timestamps: Mapping[int, float]) -> None:
        pages = scene_pages(self.stash, self._run.scope)
        last_id = 0
        while True:
            try:
                page = next(pages, None)
            except Exception as error:  # noqa: BLE001 - whatever Stash's client raises ends the reading
                self._stop_early(f"Stash could not be read to the end: {error or type(error).__name__}")
                return
            try:
                last_id = self._process_gone_scenes(last_id, page)
                if page is None or not self._process_scene_batch(page, timestamps):
                    return
            except (sqlite3.Error, OSError) as error:
                self._stop_early(f"Stash2Plex's own files cannot be used: {error}")
                return
            self._report_progress()

    def _process_gone_scenes(self, after: int, page: Sequence[Mapping[str, object]] | None) -> int:
        """Queue the scenes of the ledger that this page should have had; return the page's highest id.

        Merges and deletions leave no other trace (stash 4.2). ``page`` None is behind the last one.
        """
        run = self._run
        present = {scene_id for scene in page or () if (scene_id := id_of(scene)) is not None}
        last_id = max(present, default=after)
        if run.facts is None or not run.scope.is_all:
            return last_id
        gone = run.facts.gone(after, _MAX_SCENE_ID if page is None else last_id, present)
        run.result.gone_count += len(gone)
        if run.queue is not None:
            run.queue.enqueue_gone(gone, run.queued)
        return last_id

    def _stop_early(self, sentence: str) -> None:
        self._run.result.errors.append(sentence)
        self._run.result.complete = False

    def _report_progress(self) -> None:
        if self._progress is not None:
            self._progress(self._run.result)

    def _process_scene_batch(
        self, scenes: Sequence[Mapping[str, object]], sync_timestamps: Mapping[int, float]
    ) -> bool:
        """Find and queue the gaps of one page. Return False if Plex is down, which ends the run.

        The gaps that need no Plex are found all the same.
        """
        in_scope = self._scenes_in_scope(scenes)
        data: PlexData | tuple[dict[str, Metadata], set[str]] | None
        try:
            data = self._build_plex_data(list(in_scope.values()), sync_timestamps)
        except PlexError as error:
            self._stop_early(str(error))
            data = None
        reader = self._run.facts or SceneFactsReader(self.config, self._descendants, None, self._clock())
        presences = getattr(data, "presences", {})
        matcher = self._plex.matcher if self._plex is not None else None
        facts, failed = reader.facts(in_scope, sync_timestamps, self._run.queued, presences, matcher)
        self._run.result.errors += failed.values()
        compared = [in_scope[scene_id] for scene_id in facts if not facts[scene_id].filtered]
        gaps = find_gaps(self._run.detector, compared, facts, data, self._run.result)
        self._process_decisions(in_scope, facts, gaps)
        return data is not None

    def _scenes_in_scope(self, scenes: Sequence[Mapping[str, object]]) -> dict[int, Mapping[str, object]]:
        """Return the scenes of the scope that have files, by id, and count those of the scope."""
        run = self._run
        in_scope: dict[int, Mapping[str, object]] = {}
        for scene in scenes:
            scene_id = id_of(scene)
            if scene_id is None:
                run.detector.detect_stale_syncs([scene], {})  # counts it as unreadable
            elif scene_id not in in_scope and run.scope.contains(parse_instant(scene.get("updated_at"))):
                run.result.scenes_checked += 1
                if paths_of(scene):
                    in_scope[scene_id] = scene
        return in_scope

    def _process_decisions(
        self,
        scenes: Mapping[int, Mapping[str, object]],
        facts: Mapping[int, SceneFacts],
        gaps: Mapping[int, list[GapResult]],
    ) -> None:
        """Decide what becomes of each scene; count, report and queue accordingly."""
        run = self._run
        to_queue: list[tuple[Mapping[str, object], list[GapResult]]] = []
        for scene_id, scene_facts in facts.items():
            scene_gaps = gaps.get(scene_id, [])
            run.result.count_scene(scene_facts.gated, scene_facts.filtered, scene_facts.doubtful)
            self._report_scene(scene_facts, {gap.gap_type for gap in scene_gaps})
            if not scene_gaps and not (
                scene_facts.doubtful and scene_facts.strict and not scene_facts.gated and not scene_facts.filtered
            ):
                continue
            decision = decide(scene_facts, {gap.gap_type for gap in scene_gaps}, self.config.reconcile_missing)
            run.result.count_decision(decision)
            if decision is Decision.ENQUEUE:
                to_queue.append((scenes[scene_id], scene_gaps))
            if self._report is not None:
                finding = GapFinding(scene_id, scenes[scene_id], tuple(scene_gaps), decision, scene_facts.presence)
                self._report.finding(finding)
        if run.queue is not None:
            run.queue.enqueue_page(to_queue, self._build_job_data)

    def _report_scene(self, scene_facts: SceneFacts, gap_types: Collection[str]) -> None:
        matcher = self._plex.matcher if self._plex is not None else None
        if self._report is not None and matcher is not None and not scene_facts.filtered:
            path, missing = scene_facts.paths[0], MISSING in gap_types
            self._report.scene(path, missing, missing and matcher.is_in_library_folder(path))

    def _report_items(self) -> None:
        """Report whether Stash knows each item of Plex. Only a complete run over all scenes can tell."""
        report, run = self._report, self._run
        matcher = self._plex.matcher if self._plex is not None else None
        if report is None or not report.both_ways or matcher is None or not run.scope.is_all or not run.result.complete:
            return
        for rating_key, title, path in all_items(matcher.cache):
            report.item(rating_key, title, path, rating_key in matcher.concerned)

    def _build_job_data(self, scene: Mapping[str, object]) -> SceneData | None:
        """Return a job's data; None for a scene without files."""
        return job_data(cast(StashScene, scene))

    def _connect_to_plex(self) -> PlexClient:
        """Return a client that has reached its server. Raise PlexServerDown."""
        return plex_access.connect(self.config, self.data_dir)

    def _build_plex_data(
        self, scenes: Sequence[Mapping[str, object]], sync_timestamps: Mapping[int, float]
    ) -> PlexData:
        """Return what Plex shows of scenes: metadata by Stash path, and the Stash paths it has. Raise PlexError."""
        if self._plex is None:
            client = self._connect_to_plex()
            full = self._run.scope.is_all
            self._plex = plex_access.PlexAccess(client, self.config, self.data_dir, full=full)
        by_id = {scene_id: scene for scene in scenes if (scene_id := id_of(scene)) is not None}
        errors = self._run.result.errors
        return self._plex.match_page(by_id, sync_timestamps, self._extract_plex_metadata, errors, self._report_progress)

    def _extract_plex_metadata(self, plex_item: PlexApiVideo) -> Metadata:
        """Return what a video of plexapi shows: studio, performers, tags, details, date. No further request."""
        return metadata_of(plex_item)

    def _close_plex(self) -> None:
        plex, self._plex = self._plex, None
        if plex is not None:
            plex.close()

"""Reconciliation: every scene of Stash held against what Plex shows, and what does not agree queued (specification 4).

One page of scenes after the other, so that memory does not grow with the library. What is decided is decided by the
detector and by ``verdicts``; here is only the way there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, cast

from common import damaged_files
from common.iso_time import parse_instant
from common.scene import StashScene
from matching.bulk_matcher import BulkMatcher
from matching.index import PlexCache, all_items
from matching.library_index import LibraryIndex
from matching.matcher import Matcher
from matching.path_map import parse_path_map
from matching.plex_connection import PlexConnection
from matching.presence import Metadata, PlexData, PlexPresence
from matching.refresh_policy import Refresh
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants
from plex.exceptions import PlexError, PlexServerDown, translate_plex_exception
from reconciliation import decisions, plexapi_lookup
from reconciliation.decisions import Decision, SceneFacts
from reconciliation.detector import MISSING, STALE, GapDetector, GapResult, id_of, paths_of
from reconciliation.result import GapDetectionResult
from reconciliation.scene_facts import SceneFactsReader
from reconciliation.scene_pages import pages
from reconciliation.scopes import Scope, parse_scope
from settings.config import Stash2PlexConfig
from stash.scenes import job_data
from state import database
from state.manual_matches import decisions as manual_decisions
from sync_queue import operations
from sync_queue.page_writer import PageWriter, in_pages, path_of
from sync_queue.writer import queue_dir

__all__ = ["GapDetectionEngine", "GapDetectionResult", "GapFinding"]

log = logging.getLogger("Stash2Plex.reconciliation")

# No scene has an id as high as this.
_BEYOND = 2**62


@dataclass(frozen=True)
class GapFinding:
    """A scene that is worth a line in a report: its gaps (none for one that is only doubtful) and their fate."""

    scene_id: int
    scene: Mapping[str, Any]
    gaps: tuple[GapResult, ...]
    fate: Decision
    presence: PlexPresence | None

    @property
    def reason(self) -> str:
        """Why, in words."""
        said = [gap.reason for gap in self.gaps]
        if self.fate is Decision.DOUBTFUL and self.presence is not None and self.presence.match is not None:
            said.append(self.presence.match.reason)
        return "; ".join(said)


class Listener(Protocol):
    """Who wants to know more than numbers."""

    # Whether every item of Plex is to be told too, after a run over everything.
    both_ways: bool

    def finding(self, finding: GapFinding) -> None:
        """A scene with a gap, or in doubt."""

    def scene(self, path: str, missing: bool, in_library: bool) -> None:
        """Where a scene's first file lies, whether it is missing, and whether a library of Plex has that folder."""

    def item(self, rating_key: int, title: str, path: str, known: bool) -> None:
        """An item of Plex, and whether any scene has to do with it."""


@dataclass
class _Run:
    """What is open while a run lasts."""

    scope: Scope
    queue: Any = None
    waiting: Collection[int] = ()
    judge: SceneFactsReader | None = None
    result: GapDetectionResult = field(default_factory=GapDetectionResult)
    detector: GapDetector = field(default_factory=GapDetector)


class GapDetectionEngine:
    """Finds the gaps, and queues them.

    ``stash`` is a StashInterface or anything with its ``find_scenes``, ``config`` a Stash2PlexConfig (of anything else
    only what is there is used). ``queue`` is a SQLiteAckQueue, a QueueWriter or anything with ``put``; None: nothing is
    queued. ``descendants`` are the tags that rules ending in ``/*`` mean.

    ``report`` gets what is found, and where things lie; ``progress`` the result so far, after each page and while
    scenes are matched one by one.
    """

    def __init__(
        self,
        stash: Any,
        config: Any,
        data_dir: str,
        queue: Any = None,
        *,
        descendants: TagDescendants = NO_DESCENDANTS,
        report: Listener | None = None,
        progress: Callable[[GapDetectionResult], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.stash = stash
        self.config = config
        self.data_dir = data_dir
        self.queue = queue
        self._descendants = descendants
        self._report = report
        self._progress = progress
        self._clock = clock
        self._client: Any = None
        self._view: BulkMatcher | None = None
        self._libraries: list[Any] | None = None
        self._run = _Run(Scope("all"))

    # the two ways to run it

    def detect_gaps(self, scope: str = "all") -> GapDetectionResult:
        """Find the gaps, queue nothing. Raises BadScope."""
        return self._walk(scope, None)

    def run(self, scope: str = "all") -> GapDetectionResult:
        """Find the gaps and queue them. Raises BadScope.

        Stops early where Stash or Plex goes away: ``errors`` says so, and what was found until then stands.
        """
        return self._walk(scope, self.queue)

    def _walk(self, text: str, queue: Any) -> GapDetectionResult:
        began = self._clock()
        scope = parse_scope(text, began)
        with contextlib.ExitStack() as stack:
            stack.callback(self._leave_plex)
            timestamps = operations.load_sync_timestamps(self.data_dir)
            self._run = run = _Run(
                scope,
                in_pages(queue, stack),
                operations.get_queued_scene_ids(path_of(self.queue) or queue_dir(self.data_dir)),
                SceneFactsReader(self.config, self._descendants, self._open_state(stack), began),
            )
            run.result.scope = scope.name
            self._pages(timestamps)
            self._look_back()
        run.result.malformed_count = run.detector.skipped
        if run.result.settings_changed_count:
            log.info("%d scenes are stale because the settings have changed", run.result.settings_changed_count)
        log.info("%d scenes checked. %s", run.result.scenes_checked, run.result.by_type())
        return run.result

    def _open_state(self, stack: contextlib.ExitStack) -> sqlite3.Connection | None:
        if not os.path.exists(os.path.join(self.data_dir, database.FILE)):
            return None
        return stack.enter_context(contextlib.closing(database.connect(self.data_dir)))

    def _pages(self, timestamps: Mapping[int, float]) -> None:
        reader = pages(self.stash, self._run.scope)
        last = 0
        while True:
            try:
                page = next(reader, None)
            except Exception as error:  # noqa: BLE001 - whatever Stash's client raises ends the reading
                self._stop_early(f"Stash could not be read to the end: {error or type(error).__name__}")
                return
            try:
                last = self._look_for_gone(last, page)
                if page is None or not self._process_scene_batch(page, timestamps):
                    return
            except (sqlite3.Error, OSError) as error:
                self._stop_early(f"Stash2Plex's own files cannot be used: {error}")
                return
            self._say_progress()

    def _look_for_gone(self, after: int, page: list[dict[str, Any]] | None) -> int:
        """Queue the scenes that a page should have held and did not: the drainer finds them gone, and forgets them.

        Merges and deletions leave no other trace (stash 4.2). ``page`` None is what comes behind the last one. Gives
        the highest id.
        """
        run = self._run
        present = {scene_id for scene in page or () if (scene_id := id_of(scene)) is not None}
        last = max(present, default=after)
        if run.judge is None or not run.scope.is_all:
            return last
        gone = run.judge.gone(after, _BEYOND if page is None else last, present)
        run.result.gone_count += len(gone)
        if run.queue is not None:
            for scene_id in gone:
                if scene_id not in run.waiting:
                    operations.enqueue(run.queue, scene_id, "metadata", {})
            if isinstance(run.queue, PageWriter):
                run.queue.write()
        return last

    def _stop_early(self, sentence: str) -> None:
        self._run.result.errors.append(sentence)
        self._run.result.complete = False

    def _say_progress(self, number: int = 0) -> None:
        if self._progress is not None:
            self._progress(self._run.result)

    # one page

    def _process_scene_batch(self, scenes: list[dict[str, Any]], sync_timestamps: Mapping[int, float]) -> bool:
        """Find and queue the gaps of one page. False where the run is to end: Plex is away, and what was found of this
        page is what needs no Plex."""
        chosen = self._of_scope(scenes)
        data: PlexData | tuple[dict[str, Metadata], set[str]] | None
        try:
            data = self._build_plex_data(list(chosen.values()), sync_timestamps)
        except PlexError as error:
            self._stop_early(str(error))
            data = None
        judge = self._run.judge or SceneFactsReader(self.config, self._descendants, None, self._clock())
        presences = getattr(data, "presences", {})
        facts, failed = judge.facts(chosen, sync_timestamps, self._run.waiting, presences, self._view)
        self._run.result.errors += failed.values()
        gaps = self._gaps([chosen[one] for one in facts if not facts[one].filtered], facts, data)
        self._settle(chosen, facts, gaps)
        return data is not None

    def _of_scope(self, scenes: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """The scenes to look at, by id: those of the scope that have files."""
        run = self._run
        chosen: dict[int, dict[str, Any]] = {}
        for scene in scenes:
            scene_id = id_of(scene)
            if scene_id is None:
                run.detector.detect_stale_syncs([scene], {})  # counts it
            elif scene_id not in chosen and run.scope.holds(parse_instant(scene.get("updated_at"))):
                run.result.scenes_checked += 1
                if paths_of(scene):
                    chosen[scene_id] = scene
        return chosen

    def _gaps(
        self,
        scenes: list[dict[str, Any]],
        facts: Mapping[int, SceneFacts],
        data: tuple[dict[str, Metadata], set[str]] | None,
    ) -> dict[int, list[GapResult]]:
        """All gaps of a page by scene."""
        detector, result = self._run.detector, self._run.result
        synced = {
            one: known.synced_at
            for one, known in facts.items()
            if known.synced_at is not None and not decisions.is_gone(known)
        }
        found: list[GapResult] = []
        if data is not None:
            metadata, matched = data
            trusted = {one: moment for one, moment in synced.items() if decisions.meant_to_be_empty(facts[one])}
            found += detector.detect_empty_metadata(scenes, metadata, trusted)
        found += detector.detect_stale_syncs(scenes, synced)
        if data is not None:
            found += detector.detect_missing(scenes, synced, matched)
        gaps: dict[int, list[GapResult]] = {}
        for gap in found:
            gaps.setdefault(gap.scene_id, []).append(gap)
        for scene in scenes:
            scene_id = int(scene["id"])
            behind = None if scene_id in gaps else decisions.behind(facts[scene_id])
            if behind is not None:
                result.settings_changed_count += behind.by_settings
                gaps[scene_id] = [GapResult(scene_id, STALE, scene, behind.reason)]
        for gap in (gap for some in gaps.values() for gap in some):
            result.count_gap(gap.gap_type)
        return gaps

    def _settle(
        self,
        scenes: Mapping[int, dict[str, Any]],
        facts: Mapping[int, SceneFacts],
        gaps: Mapping[int, list[GapResult]],
    ) -> None:
        """Decide what becomes of each scene, and queue those that are to be queued."""
        result = self._run.result
        wanted = bool(getattr(self.config, "reconcile_missing", True))
        to_queue: list[tuple[int, list[GapResult]]] = []
        for scene_id, known in facts.items():
            result.gated_count += known.gated
            result.filtered_count += known.filtered
            doubtful = known.doubtful and not known.gated and not known.filtered
            result.low_confidence_count += doubtful
            some = gaps.get(scene_id, [])
            if self._report is not None and self._view is not None and not known.filtered:
                missing = any(gap.gap_type == MISSING for gap in some)
                self._report.scene(known.paths[0], missing, missing and self._view.is_in_library_folder(known.paths[0]))
            if not some and not (doubtful and known.strict):
                continue
            fate = decisions.fate(known, {gap.gap_type for gap in some}, wanted)
            result.skipped_already_queued += fate is Decision.QUEUED
            result.known_count += fate is Decision.KNOWN
            result.left_missing_count += fate is Decision.LEFT
            if fate is Decision.ENQUEUE:
                to_queue.append((scene_id, some))
            if self._report is not None:
                self._report.finding(GapFinding(scene_id, scenes[scene_id], tuple(some), fate, known.presence))
        if self._run.queue is not None:
            self._queue(to_queue, scenes)

    def _queue(self, to_queue: Iterable[tuple[int, list[GapResult]]], scenes: Mapping[int, dict[str, Any]]) -> None:
        """Queue the scenes, each once; all of a page in one transaction where the queue is our own."""
        queue, result = self._run.queue, self._run.result
        queued: list[list[GapResult]] = []
        for scene_id, gaps in to_queue:
            if self._enqueue(queue, scene_id, scenes[scene_id]):
                queued.append(gaps)
        if isinstance(queue, PageWriter):
            queue.write()
        result.enqueued_count += len(queued)
        for gap in (gap for gaps in queued for gap in gaps):
            result.enqueued_by_type[gap.gap_type] = result.enqueued_by_type.get(gap.gap_type, 0) + 1

    def _enqueue(self, queue: Any, scene_id: int, scene: Mapping[str, Any]) -> bool:
        try:
            data = self._build_job_data(scene)
            if data is None:
                return False
            operations.enqueue(queue, scene_id, "metadata", data)
        except (sqlite3.Error, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one scene's, or somebody else's queue; the others go on
            self._run.result.errors.append(f"Scene {scene_id} was not queued: {type(error).__name__}: {error}")
            return False
        return True

    def _build_job_data(self, scene: Mapping[str, Any]) -> dict[str, object] | None:
        """A job's data; None for a scene without files."""
        data = job_data(cast(StashScene, scene))
        return None if data is None else dict(data)

    # Plex

    def _connect_to_plex(self) -> Any:
        """A client that has reached its server. Raises PlexServerDown."""
        from plex import client  # by its module: whoever puts another class there means it

        config = self.config
        settings = Stash2PlexConfig(
            plex_url=config.plex_url,
            plex_token=config.plex_token,
            connect_timeout=getattr(config, "connect_timeout", 5.0),
            read_timeout=getattr(config, "read_timeout", 30.0),
        )
        try:
            data_dir = self.data_dir if os.path.isdir(self.data_dir) else None
            if isinstance(client.PlexClient, type) and hasattr(client.PlexClient, "from_config"):
                made = client.PlexClient.from_config(settings, data_dir)
            else:
                # A published edge: tests outside put a function or a double here, which returns a client or raises.
                made = client.PlexClient(
                    settings.plex_url,
                    settings.plex_token,
                    settings.connect_timeout,
                    settings.read_timeout,
                    client.client_identifier(data_dir) if data_dir else None,
                )
            _ = made.server
        except ImportError:
            raise
        except Exception as error:  # of plexapi or a double of it: each becomes ours
            known = translate_plex_exception(error)
            raise known if isinstance(known, PlexServerDown) else PlexServerDown(str(known)) from error
        return made

    def _build_plex_data(self, scenes: list[dict[str, Any]], sync_timestamps: Mapping[int, float]) -> PlexData:
        """What Plex shows of these scenes: metadata by Stash path, and the Stash paths it has. Raises PlexError.

        Out of the library index, read once a run; where there can be none, sync timestamps count as matches and the
        others are matched one by one.
        """
        if self._client is None:
            self._client = self._connect_to_plex()
            self._prepare()
        by_id = {scene_id: scene for scene in scenes if (scene_id := id_of(scene)) is not None}
        if self._view is not None:
            return self._view.match_page(by_id)
        return plexapi_lookup.look(
            by_id,
            sync_timestamps,
            self._libraries or [],
            self._extract_plex_metadata,
            self._run.result.errors,
            self._say_progress,
        )

    def _prepare(self) -> None:
        """Read the library index anew for a run over everything, else only what is new in it. Raises PlexError."""
        client = self._client
        names = _libraries(self.config)
        machine = getattr(client, "machine_identifier", None)
        if not isinstance(machine, str):
            try:
                self._libraries = plexapi_lookup.libraries_of(client, names)
            except Exception as error:  # of plexapi or a double of it: each becomes ours
                raise translate_plex_exception(error) from error
            return
        rules = getattr(self.config, "path_map", "")
        path_map = parse_path_map(rules if isinstance(rules, str) else "")
        cache = PlexCache(self.data_dir, damaged_files.put_aside)
        try:
            index = LibraryIndex(PlexConnection(client, names), cache)
            index.refresh(Refresh.FULL if self._run.scope.is_all else Refresh.CHANGED)
            strict = bool(getattr(self.config, "strict_matching", True))
            decided = manual_decisions(self.data_dir, index.machine, {library.key for library in index.libraries})
            self._view = BulkMatcher(Matcher(index, path_map), strict, decided)
        except BaseException:  # raised again; nobody else could close it
            cache.close()
            raise

    def _look_back(self) -> None:
        """Tell of every item of Plex whether Stash knows it. Only a whole look at Stash can say so."""
        report, view, run = self._report, self._view, self._run
        if report is None or not report.both_ways or view is None or not run.scope.is_all or not run.result.complete:
            return
        for rating_key, title, path in all_items(view.cache):
            report.item(rating_key, title, path, rating_key in view.concerned)

    def _leave_plex(self) -> None:
        client, view = self._client, self._view
        self._client = self._view = self._libraries = None
        if view is not None:
            view.cache.close()
        if client is not None:
            client.close()

    def _extract_plex_metadata(self, plex_item: Any) -> Metadata:
        """What a video of plexapi shows: studio, performers, tags, details, date. Asks nothing further."""
        # Without the switch a listed item asks for itself once more at the first empty attribute (plex 3.6).
        plex_item._autoReload = False
        return {
            "studio": _text(plex_item, "studio"),
            "performers": _tags(plex_item, "actors", "roles"),
            "tags": _tags(plex_item, "genres"),
            "details": _text(plex_item, "summary"),
            "date": _date(plex_item),
        }


def _text(item: Any, name: str) -> str | None:
    value = getattr(item, name, None)
    return value if isinstance(value, str) and value else None


def _tags(item: Any, *names: str) -> list[str]:
    for name in names:
        tags = getattr(item, name, None)
        if isinstance(tags, (list, tuple)):
            return [tag if isinstance(tag, str) else str(tag.tag) for tag in tags]
    return []


def _date(item: Any) -> str | None:
    day = getattr(item, "originallyAvailableAt", None)
    if isinstance(day, datetime):
        return day.date().isoformat()
    if isinstance(day, date):
        return day.isoformat()
    if isinstance(day, str) and day:
        return day
    year = getattr(item, "year", None)
    return str(year) if isinstance(year, (int, str)) and year else None


def _libraries(config: Any) -> list[str]:
    names = getattr(config, "libraries", None)
    if isinstance(names, (list, tuple)):
        return [str(name) for name in names]
    text = getattr(config, "plex_library", "")
    return [name for part in text.split(",") if (name := part.strip())] if isinstance(text, str) else []

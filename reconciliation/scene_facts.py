"""Collect what is known of a page of scenes: from the ledger, the settings and the library index."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import cast

from common.iso_time import parse_instant
from common.scene import StashScene
from common.verdicts import SYNCED
from matching.bulk_matcher import BulkMatcher
from matching.plex_presence import PlexPresence, Presence
from metadata.desired_state import DesiredState, desired_state
from metadata.filters import filter_reason
from metadata.fingerprint import fingerprint
from metadata.quality_gate import has_meaningful_metadata
from metadata.tag_rules import TagDescendants
from reconciliation.decisions import SceneFacts
from reconciliation.detector import paths_of
from settings.config import Stash2PlexConfig
from stash.scenes import file_stem, job_data
from state.ledger import Ledger, LedgerRow

Scene = Mapping[str, object]
# A page whose ids lie further apart than this is read from the ledger scene by scene.
_MAX_IDS_PER_SCENE = 4


class SceneFactsReader:
    """``began`` is when the run began: syncs recorded since then count more than the timestamps, read at that time.
    Without ``db`` there is no ledger."""

    def __init__(
        self, config: Stash2PlexConfig, descendants: TagDescendants, db: sqlite3.Connection | None, began: float
    ) -> None:
        self._config = config
        self._settings = config.fingerprint()
        self._descendants = descendants
        self._db = db
        self._ledger = None if db is None else Ledger(db)
        self._began = began

    def facts(
        self,
        scenes: Mapping[int, Scene],
        timestamps: Mapping[int, object],
        queued: Collection[int],
        presences: Mapping[int, PlexPresence],
        matcher: BulkMatcher | None,
    ) -> tuple[dict[int, SceneFacts], dict[int, str]]:
        """Return facts by scene id, and why some scenes have none, as text."""
        found: dict[int, SceneFacts] = {}
        failed: dict[int, str] = {}
        rows = self._rows(scenes)
        for scene_id, scene in scenes.items():
            row, synced_at = rows.get(scene_id), parse_instant(timestamps.get(scene_id))
            try:
                found[scene_id] = self._facts_of(
                    scene_id, scene, row, synced_at, presences.get(scene_id), scene_id in queued, matcher
                )
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                failed[scene_id] = f"Scene {scene_id} cannot be read: {type(error).__name__}: {error}"
        return found, failed

    def gone(self, after: int, last: int, present: Collection[int]) -> list[int]:
        """Return the scenes of the ledger between two ids (the first excluded) that Stash does not have any more."""
        if self._ledger is None:
            return []
        return sorted(set(self._ledger.rows_between(after + 1, last)).difference(present))

    def _rows(self, scenes: Mapping[int, Scene]) -> dict[int, LedgerRow]:
        if self._ledger is None or not scenes:
            return {}
        first, last = min(scenes), max(scenes)
        if last - first < _MAX_IDS_PER_SCENE * len(scenes):
            return self._ledger.rows_between(first, last)
        rows = ((scene_id, self._ledger.get(scene_id)) for scene_id in scenes)
        return {scene_id: row for scene_id, row in rows if row is not None}

    def _facts_of(
        self,
        scene_id: int,
        scene: Scene,
        row: LedgerRow | None,
        synced_at: float | None,
        presence: PlexPresence | None,
        queued: bool,
        matcher: BulkMatcher | None,
    ) -> SceneFacts:
        filtered, scene_fingerprint, has_metadata = self._compare_desired_state(scene, row)
        if row is not None and row.at >= self._began and row.verdict in SYNCED and row.updated_at is not None:
            synced_at = max(synced_at or 0.0, row.updated_at)
        is_guess = presence is not None and presence.presence is Presence.DOUBTFUL
        facts = SceneFacts(
            scene_id=scene_id,
            paths=tuple(paths_of(scene)),
            updated_at=parse_instant(scene.get("updated_at")),
            synced_at=synced_at,
            row=row,
            presence=presence,
            gated=not has_meaningful_metadata(scene),
            filtered=filtered,
            queued=queued,
            strict=self._config.strict_matching,
            fingerprint=scene_fingerprint,
            has_metadata=has_metadata,
            settings=self._settings,
        )
        if matcher is None:
            return facts
        owned = partial(self._owned_by_others, matcher, scene_id, scene, is_guess)
        return replace(facts, evidence=partial(matcher.evidence, scene), owned_by_others=owned)

    def _compare_desired_state(self, scene: Scene, row: LedgerRow | None) -> tuple[bool, str, bool]:
        """Return whether the filters exclude a scene, the fingerprint of its desired state, and whether that shows more
        than title and rating. The last two are computed only where the ledger has something to compare."""
        if not has_meaningful_metadata(scene):
            return False, "", True
        data = job_data(cast(StashScene, scene)) or {}
        if filter_reason(data, self._config, self._descendants) is not None:
            return True, "", True
        if row is None or not (row.fingerprint or row.says):
            return False, "", True
        desired = desired_state(data, self._config, file_stem(str(data.get("path") or "")), self._descendants)
        return False, fingerprint(desired), _has_metadata(desired)

    def _owned_by_others(
        self, matcher: BulkMatcher, scene_id: int, scene: Scene, is_guess: bool, rating_keys: Collection[int]
    ) -> Collection[int]:
        if self._db is None:
            return ()
        return matcher.owned_by_others(scene_id, scene, rating_keys, is_guess, self._db)


def _has_metadata(desired: DesiredState) -> bool:
    scalars = (desired.scalars.get(name) for name in ("studio", "summary", "originallyAvailableAt"))
    return any(scalars) or any(desired.tags.get(kind) for kind in ("actor", "genre"))

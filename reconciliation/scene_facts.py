"""A page of scenes with everything that is known of them: ledger, settings, index. SceneFacts for ``verdicts``."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, cast

from common.iso_time import parse_instant
from common.scene import StashScene
from common.verdicts import SYNCED
from matching.bulk_matcher import BulkMatcher
from matching.presence import PlexPresence, Presence
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

Scenes = Mapping[int, Mapping[str, Any]]
# A page whose ids lie further apart than this is read from the ledger scene by scene.
_SPARSE = 4


class SceneFactsReader:
    """Collects facts. ``began`` is when the run began: what the drainer settled since is believed over the timestamps,
    which were read then. A ``config`` that is no Stash2PlexConfig filters nothing and has no fingerprint."""

    def __init__(self, config: Any, descendants: TagDescendants, db: sqlite3.Connection | None, began: float) -> None:
        self._settings = config if isinstance(config, Stash2PlexConfig) else None
        self._settings_print = "" if self._settings is None else self._settings.fingerprint()
        self._strict = bool(getattr(config, "strict_matching", True))
        self._descendants = descendants
        self._db = db
        self._ledger = None if db is None else Ledger(db)
        self._began = began

    def facts(
        self,
        scenes: Scenes,
        timestamps: Mapping[int, Any],
        waiting: Collection[int],
        presences: Mapping[int, PlexPresence],
        view: BulkMatcher | None,
    ) -> tuple[dict[int, SceneFacts], dict[int, str]]:
        """Facts by scene id, and what went wrong with the scenes that have none, in words."""
        found: dict[int, SceneFacts] = {}
        failed: dict[int, str] = {}
        entries = self._entries(scenes)
        for scene_id, scene in scenes.items():
            known = (entries.get(scene_id), parse_instant(timestamps.get(scene_id)), presences.get(scene_id))
            facts = self._facts_of(scene_id, scene, *known, scene_id in waiting, view)
            if isinstance(facts, SceneFacts):
                found[scene_id] = facts
            else:
                failed[scene_id] = facts
        return found, failed

    def gone(self, after: int, last: int, present: Collection[int]) -> list[int]:
        """Scenes the ledger knows between two ids (the first not included) that Stash does not have any more."""
        if self._ledger is None:
            return []
        return sorted(set(self._ledger.between(after + 1, last)).difference(present))

    def _entries(self, scenes: Scenes) -> dict[int, LedgerRow]:
        if self._ledger is None or not scenes:
            return {}
        first, last = min(scenes), max(scenes)
        if last - first < _SPARSE * len(scenes):
            return self._ledger.between(first, last)
        rows = ((scene_id, self._ledger.get(scene_id)) for scene_id in scenes)
        return {scene_id: entry for scene_id, entry in rows if entry is not None}

    def _facts_of(
        self,
        scene_id: int,
        scene: Mapping[str, Any],
        entry: LedgerRow | None,
        synced_at: float | None,
        presence: PlexPresence | None,
        queued: bool,
        view: BulkMatcher | None,
    ) -> SceneFacts | str:
        try:
            filtered, mark, speaks = self._wish(scene, entry)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            return f"Scene {scene_id} cannot be read: {type(error).__name__}: {error}"
        if entry is not None and entry.at >= self._began and entry.verdict in SYNCED and entry.updated_at is not None:
            synced_at = max(synced_at or 0.0, entry.updated_at)
        is_guess = presence is not None and presence.presence is Presence.DOUBTFUL
        return SceneFacts(
            scene_id=scene_id,
            paths=tuple(paths_of(scene)),
            updated_at=parse_instant(scene.get("updated_at")),
            synced_at=synced_at,
            entry=entry,
            presence=presence,
            gated=not has_meaningful_metadata(scene),
            filtered=filtered,
            queued=queued,
            strict=self._strict,
            fingerprint=mark,
            speaks=speaks,
            settings=self._settings_print,
            evidence=_nothing if view is None else partial(view.evidence, scene),
            others=_nobody if view is None else partial(self._owned_by_others, view, scene_id, scene, is_guess),
        )

    def _wish(self, scene: Mapping[str, Any], entry: LedgerRow | None) -> tuple[bool, str, bool]:
        """Whether a scene is left out, the fingerprint of what would be pushed, and whether that says something.

        The last two are worked out only where there is something to hold them against.
        """
        if self._settings is None or not has_meaningful_metadata(scene):
            return False, "", True
        data = job_data(cast(StashScene, scene)) or {}
        if filter_reason(data, self._settings, self._descendants) is not None:
            return True, "", True
        if entry is None or not (entry.fingerprint or entry.says):
            return False, "", True
        wish = desired_state(data, self._settings, file_stem(str(data.get("path") or "")), self._descendants)
        return False, fingerprint(wish), _speaks(wish)

    def _owned_by_others(
        self,
        matcher: BulkMatcher,
        scene_id: int,
        scene: Mapping[str, Any],
        is_guess: bool,
        rating_keys: Collection[int],
    ) -> Collection[int]:
        if self._db is None:
            return ()
        return matcher.owned_by_others(scene_id, scene, rating_keys, is_guess, self._db)


def _nothing() -> str:
    return ""


def _nobody(rating_keys: Collection[int]) -> Collection[int]:
    return ()


def _speaks(wish: DesiredState) -> bool:
    """Whether what would be pushed shows in Plex as more than title and rating."""
    scalars = (wish.scalars.get(name) for name in ("studio", "summary", "originallyAvailableAt"))
    return any(scalars) or any(wish.tags.get(kind) for kind in ("actor", "genre"))

"""Find the three kinds of gaps between Stash and Plex in plain data. Pure.

A scene may have several gaps. Values that cannot be read are skipped and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from common.iso_time import parse_instant
from metadata.quality_gate import has_meaningful_metadata

__all__ = ["EMPTY", "MISSING", "STALE", "TYPES", "GapDetector", "GapResult", "has_meaningful_metadata"]

EMPTY = "empty_metadata"
STALE = "stale_sync"
MISSING = "missing"
TYPES = (EMPTY, STALE, MISSING)


@dataclass(frozen=True)
class GapResult:
    """One gap of one scene. ``gap_type`` is one of ``TYPES``, ``scene_data`` the scene as it was passed in."""

    scene_id: int
    gap_type: str
    scene_data: Mapping[str, object]
    reason: str


class GapDetector:
    """Finds gaps. Scenes are as Stash answers them; ``updated_at`` is an ISO string or a number, timestamps are epoch
    seconds by scene id."""

    def __init__(self) -> None:
        self._unreadable: set[tuple[str, str]] = set()

    @property
    def skipped(self) -> int:
        """The number of values that could not be read so far, each counted once."""
        return len(self._unreadable)

    def detect_empty_metadata(
        self,
        scenes: Iterable[Mapping[str, object]],
        plex_metadata: Mapping[str, Mapping[str, object]],
        sync_timestamps: Mapping[int, float] | None = None,
    ) -> list[GapResult]:
        """Return the scenes with metadata of which an item shows none.

        ``plex_metadata`` holds studio, performers, tags, details, date by Stash file path. Not field by field: one of
        them is enough on either side. A scene that was synced since it was updated is empty on purpose.
        """
        gaps = []
        for scene_id, scene in self._readable(scenes):
            empty = [p for p in paths_of(scene) if p in plex_metadata and not has_meaningful_metadata(plex_metadata[p])]
            if not empty or not has_meaningful_metadata(scene):
                continue
            synced = self._synced_at(sync_timestamps, scene_id)
            if synced is not None:
                updated = self._updated_at(scene_id, scene)
                if updated is not None and synced >= updated:
                    continue
            gaps.append(GapResult(scene_id, EMPTY, scene, f"Plex shows no metadata for {empty[0]}"))
        return gaps

    def detect_stale_syncs(
        self, scenes: Iterable[Mapping[str, object]], sync_timestamps: Mapping[int, float]
    ) -> list[GapResult]:
        """Return the scenes updated after their last sync, without those that were never synced."""
        gaps = []
        for scene_id, scene in self._readable(scenes):
            synced = self._synced_at(sync_timestamps, scene_id)
            if synced is None:
                continue
            updated = self._updated_at(scene_id, scene)
            if updated is not None and updated > synced:
                reason = f"updated {_duration(updated - synced)} after the last sync"
                gaps.append(GapResult(scene_id, STALE, scene, reason))
        return gaps

    def detect_missing(
        self,
        scenes: Iterable[Mapping[str, object]],
        sync_timestamps: Mapping[int, float],
        matched_paths: Collection[str],
    ) -> list[GapResult]:
        """Return the scenes of which Plex has no file.

        ``matched_paths`` are the Stash paths that an item was found for. A sync timestamp is a known match. Scenes
        without files do not count.
        """
        gaps = []
        for scene_id, scene in self._readable(scenes):
            paths = paths_of(scene)
            if not paths or any(path in matched_paths for path in paths):
                continue
            if self._synced_at(sync_timestamps, scene_id) is None:
                gaps.append(GapResult(scene_id, MISSING, scene, f"Plex has no item with the file {paths[0]}"))
        return gaps

    def _readable(self, scenes: Iterable[Mapping[str, object]]) -> Iterator[tuple[int, Mapping[str, object]]]:
        for scene in scenes:
            scene_id = id_of(scene)
            if scene_id is None:
                self._unreadable.add(("id", repr(scene.get("id") if isinstance(scene, Mapping) else scene)[:100]))
            else:
                yield scene_id, scene

    def _updated_at(self, scene_id: int, scene: Mapping[str, object]) -> float | None:
        updated = parse_instant(scene.get("updated_at"))
        if updated is None:
            self._unreadable.add(("updated_at", str(scene_id)))
        return updated

    def _synced_at(self, timestamps: Mapping[int, float] | None, scene_id: int) -> float | None:
        known: Mapping[object, object] = cast("Mapping[object, object]", timestamps or {})
        value = known.get(scene_id, known.get(str(scene_id)))
        if value is None:
            return None
        synced = parse_instant(value)
        if synced is None:
            self._unreadable.add(("timestamp", str(scene_id)))
        return synced


def id_of(scene: object) -> int | None:
    """Return a scene's id as a number (Stash writes it as a string), or None if it cannot be read."""
    value = scene.get("id") if isinstance(scene, Mapping) else None
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def paths_of(scene: Mapping[str, object]) -> list[str]:
    """Return the paths of a scene's files, primary first."""
    files = scene.get("files")
    if not isinstance(files, (list, tuple)):
        return []
    paths = [file.get("path") for file in files if isinstance(file, Mapping)]
    return [path for path in paths if isinstance(path, str) and path]


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

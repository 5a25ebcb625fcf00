"""Find the gaps of one page of scenes, from what is known of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matching.plex_presence import Metadata
from reconciliation.decisions import SceneFacts, is_absent, is_empty_on_purpose, stale_reason
from reconciliation.detector import STALE, GapDetector, GapResult
from reconciliation.result import GapDetectionResult


def find_gaps(
    detector: GapDetector,
    scenes: Sequence[Mapping[str, object]],
    facts: Mapping[int, SceneFacts],
    data: tuple[dict[str, Metadata], set[str]] | None,
    result: GapDetectionResult,
) -> dict[int, list[GapResult]]:
    """Return all gaps by scene, and count them in ``result``. ``data`` is what Plex shows, None where it is down."""
    synced = {
        scene_id: scene_facts.synced_at
        for scene_id, scene_facts in facts.items()
        if scene_facts.synced_at is not None and not is_absent(scene_facts)
    }
    page_gaps: list[GapResult] = []
    if data is not None:
        meant = {scene_id: at for scene_id, at in synced.items() if is_empty_on_purpose(facts[scene_id])}
        page_gaps += detector.detect_empty_metadata(scenes, data[0], meant)
    page_gaps += detector.detect_stale_syncs(scenes, synced)
    if data is not None:
        page_gaps += detector.detect_missing(scenes, synced, data[1])
    gaps: dict[int, list[GapResult]] = {}
    for gap in page_gaps:
        gaps.setdefault(gap.scene_id, []).append(gap)
    for scene in scenes:
        scene_id = int(str(scene["id"]))
        stale = None if scene_id in gaps else stale_reason(facts[scene_id])
        if stale is not None:
            result.settings_changed_count += stale.by_settings
            gaps[scene_id] = [GapResult(scene_id, STALE, scene, stale.reason)]
    for gap in (gap for scene_gaps in gaps.values() for gap in scene_gaps):
        result.count_gap(gap.gap_type)
    return gaps

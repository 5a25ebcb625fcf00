"""The three kinds of gaps, found in plain data."""

from __future__ import annotations

from typing import Any

import pytest

import reconciliation
from metadata import quality_gate
from reconciliation.detector import GapDetector, GapResult, has_meaningful_metadata, id_of, paths_of

pytestmark = pytest.mark.unit

NOTHING: dict[str, Any] = {"studio": None, "performers": [], "tags": [], "details": None, "date": None}
NOON = "2026-01-11T12:00:00Z"
AT_NOON = 1_768_132_800.0


def scene(scene_id: Any = "1", *paths: str, **fields: Any) -> dict[str, Any]:
    files = [{"path": path} for path in paths or (f"/data/{scene_id}.mp4",)]
    return {"id": scene_id, "updated_at": NOON, "files": files, "studio": {"name": "Studio"}, **fields}


def ids(gaps: list[GapResult]) -> list[int]:
    return [gap.scene_id for gap in gaps]


@pytest.fixture
def detector() -> GapDetector:
    return GapDetector()


def test_detector_uses_the_quality_gate_of_the_metadata_package() -> None:
    assert has_meaningful_metadata is quality_gate.has_meaningful_metadata
    assert reconciliation.has_meaningful_metadata is quality_gate.has_meaningful_metadata


def test_package_exports_the_published_names() -> None:
    from reconciliation.engine import GapDetectionEngine, GapDetectionResult
    from reconciliation.scheduler import ReconciliationScheduler

    assert reconciliation.GapDetectionEngine is GapDetectionEngine
    assert reconciliation.GapDetectionResult is GapDetectionResult
    assert reconciliation.GapDetector is GapDetector
    assert reconciliation.ReconciliationScheduler is ReconciliationScheduler
    with pytest.raises(AttributeError):
        _ = reconciliation.Nonsense


# empty metadata


def test_empty_metadata_item_without_metadata_is_a_gap(detector: GapDetector) -> None:
    [gap] = detector.detect_empty_metadata([scene("7")], {"/data/7.mp4": NOTHING})
    assert (gap.scene_id, gap.gap_type, gap.scene_data["id"]) == (7, "empty_metadata", "7")
    assert "/data/7.mp4" in gap.reason


@pytest.mark.parametrize(
    "shown",
    [{"studio": "S"}, {"performers": ["A"]}, {"tags": ["T"]}, {"details": "Words"}, {"date": "2020"}],
)
def test_empty_metadata_item_with_any_metadata_is_no_gap(detector: GapDetector, shown: dict[str, Any]) -> None:
    assert detector.detect_empty_metadata([scene()], {"/data/1.mp4": {**NOTHING, **shown}}) == []


def test_empty_metadata_scene_without_metadata_is_no_gap(detector: GapDetector) -> None:
    bare = scene(studio=None, performers=[], tags=[], details="  ", date=None, rating100=100, title="Only a title")
    assert detector.detect_empty_metadata([bare], {"/data/1.mp4": NOTHING}) == []


def test_empty_metadata_unknown_item_is_no_gap(detector: GapDetector) -> None:
    assert detector.detect_empty_metadata([scene()], {}) == []


def test_empty_metadata_looks_at_all_files(detector: GapDetector) -> None:
    shown = {"/a.mp4": {**NOTHING, "studio": "S"}, "/b.mp4": NOTHING}
    assert ids(detector.detect_empty_metadata([scene("1", "/a.mp4", "/b.mp4")], shown)) == [1]


@pytest.mark.parametrize(
    ("synced", "gap"),
    [
        (AT_NOON - 1, True),
        (AT_NOON, False),
        (AT_NOON + 1, False),
        (None, True),
        ("nonsense", True),
    ],
)
def test_empty_metadata_synced_since_the_update_is_no_gap(detector: GapDetector, synced: Any, gap: bool) -> None:
    found = detector.detect_empty_metadata([scene()], {"/data/1.mp4": NOTHING}, {1: synced})
    assert bool(found) is gap


# stale sync


@pytest.mark.parametrize(
    ("updated", "synced", "gap"),
    [
        (NOON, AT_NOON, False),
        (NOON, AT_NOON - 0.5, True),
        (NOON, AT_NOON + 0.5, False),
        ("2026-01-11T23:00:00+11:00", AT_NOON, False),
        ("2026-01-11T23:00:01+11:00", AT_NOON, True),
        ("2026-01-11T11:59:59.5Z", AT_NOON, False),
        ("2026-01-11T12:00:00.25Z", AT_NOON, True),
        # the hour that comes twice when summer ends: only the offset tells which
        ("2026-10-25T02:30:00+01:00", 1_792_888_200.0, True),
        ("2026-10-25T02:30:00+02:00", 1_792_888_200.0, False),
        (AT_NOON + 5, AT_NOON, True),
        (int(AT_NOON), AT_NOON, False),
        (None, AT_NOON, False),
        ("yesterday", AT_NOON, False),
        (True, 0.0, False),
    ],
)
def test_stale_sync_compares_times_across_time_zones(
    detector: GapDetector, updated: Any, synced: float, gap: bool
) -> None:
    found = detector.detect_stale_syncs([scene(updated_at=updated)], {1: synced})
    assert bool(found) is gap
    assert [one.gap_type for one in found] == ["stale_sync"] * gap


def test_stale_sync_of_a_scene_never_synced_is_no_gap(detector: GapDetector) -> None:
    assert detector.detect_stale_syncs([scene()], {}) == []


def test_stale_sync_accepts_ids_as_text_and_number(detector: GapDetector) -> None:
    text_keys: Any = {"2": 0.0}
    assert ids(detector.detect_stale_syncs([scene(1), scene(" 2 ")], {1: 0.0, **text_keys})) == [1, 2]


def test_stale_sync_needs_no_files(detector: GapDetector) -> None:
    assert ids(detector.detect_stale_syncs([{"id": "3", "updated_at": NOON}], {3: 0.0})) == [3]


# missing


def test_missing_without_a_matched_path_is_a_gap(detector: GapDetector) -> None:
    [gap] = detector.detect_missing([scene("1"), scene("2")], {}, {"/data/2.mp4"})
    assert (gap.scene_id, gap.gap_type) == (1, "missing")
    assert "/data/1.mp4" in gap.reason


def test_missing_with_a_timestamp_is_no_gap(detector: GapDetector) -> None:
    assert detector.detect_missing([scene()], {1: 5.0}, set()) == []


def test_missing_with_one_matched_file_is_no_gap(detector: GapDetector) -> None:
    assert detector.detect_missing([scene("1", "/a.mp4", "/b.mp4")], {}, {"/b.mp4"}) == []


@pytest.mark.parametrize("files", [[], None, "x", [{}], [{"path": ""}], [{"path": None}], [None]])
def test_missing_without_files_is_no_gap(detector: GapDetector, files: Any) -> None:
    assert detector.detect_missing([scene(files=files)], {}, set()) == []
    assert detector.detect_empty_metadata([scene(files=files)], {"": NOTHING}) == []


# what cannot be read


def test_unreadable_values_are_skipped_and_counted_once(detector: GapDetector) -> None:
    broken: list[Any] = [scene("x"), scene(None), "no scene", scene(True), scene(1.5)]
    for _ in range(2):
        assert ids(detector.detect_missing([*broken, scene("9")], {}, set())) == [9]
        assert detector.detect_empty_metadata(broken, {}) == []
        assert detector.detect_stale_syncs([*broken, scene("8", updated_at="soon")], {8: 1.0, 9: 1.0}) == []
    assert detector.skipped == len(broken) + 1


def test_unreadable_timestamp_is_counted(detector: GapDetector) -> None:
    bad: Any = {1: float("nan"), 2: [], 3: "2026-01-01T00:00:00Z"}
    assert ids(detector.detect_stale_syncs([scene("1"), scene("2"), scene("3")], bad)) == [3]
    assert detector.skipped == 2


def test_id_of_and_paths_of_read_what_is_valid() -> None:
    assert [id_of({"id": value}) for value in ("12", 12, "a", "", None, -1.0, True)] == [12, 12, *[None] * 5]
    assert paths_of({"files": ({"path": "/a"}, {"path": 3}, {"path": "/b"})}) == ["/a", "/b"]

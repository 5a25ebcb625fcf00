"""The engine between test doubles: what it asks for, in which order, and what it does with the answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, call, patch

import pytest

from common.iso_time import parse_instant
from plex.exceptions import PlexNotFound, PlexServerDown, PlexTokenRefused
from plex.matcher import MatchConfidence
from reconciliation.engine import GapDetectionEngine, GapDetectionResult
from reconciliation.scopes import BadScope

pytestmark = pytest.mark.integration

MONDAY = "2026-01-05T10:00:00Z"
TUESDAY = "2026-01-06T10:00:00Z"
AT_MONDAY = parse_instant(MONDAY)
AT_TUESDAY = parse_instant(TUESDAY)


def scene(scene_id: int, **fields: Any) -> dict[str, Any]:
    """Return a scene as Stash sends it, with every relevant field set."""
    return {
        "id": str(scene_id),
        "title": f"Scene {scene_id}",
        "details": "Some words",
        "date": "2024-05-06",
        "rating100": 80,
        "updated_at": MONDAY,
        "files": [{"id": "1", "path": f"/data/{scene_id}.mp4", "size": 1000 + scene_id, "duration": 60.0}],
        "paths": {"screenshot": f"http://stash.invalid/scene/{scene_id}/screenshot"},
        "studio": {"id": "1", "name": "Studio"},
        "performers": [{"id": "1", "name": "Ada", "disambiguation": ""}],
        "tags": [{"id": "1", "name": "Tag"}],
        **fields,
    }


def item(key: int = 1, **fields: Any) -> MagicMock:
    """A video of plexapi; it says nothing but what is given."""
    shown = {
        "key": f"/library/metadata/{key}",
        "ratingKey": key,
        "studio": None,
        "actors": [],
        "genres": [],
        "summary": "",
        "originallyAvailableAt": None,
        "year": None,
        **fields,
    }
    return MagicMock(name=f"item {key}", **shown)


class Doubles:
    """The places where the engine meets others, replaced."""

    def __init__(self) -> None:
        self.client = MagicMock(name="PlexClient")
        self.find = MagicMock(name="find_plex_items_with_confidence", side_effect=self._found)
        self.timestamps: dict[int, float] = {}
        self.waiting: set[int] = set()
        self.enqueue = MagicMock(name="enqueue")
        self.items: dict[str, Any] = {}

    def _found(self, library: Any, path: str, **more: Any) -> tuple[MatchConfidence, Any, list[Any]]:
        found = self.items.get(path)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, list):
            return MatchConfidence.LOW, None, found
        if found is None:
            raise PlexNotFound("nothing there")
        return MatchConfidence.HIGH, found, [found]


@pytest.fixture
def doubles() -> Iterator[Doubles]:
    made = Doubles()
    with (
        patch("plex.client.PlexClient", made.client),
        patch("plex.matcher.find_plex_items_with_confidence", made.find),
        patch("sync_queue.operations.load_sync_timestamps", lambda data_dir: made.timestamps),
        patch("sync_queue.operations.get_queued_scene_ids", lambda queue_path: made.waiting),
        patch("sync_queue.operations.enqueue", made.enqueue),
    ):
        yield made


@pytest.fixture
def mock_stash() -> MagicMock:
    stash = MagicMock(name="stash")
    stash.find_scenes.return_value = []
    return stash


Engine = Callable[..., GapDetectionEngine]


@pytest.fixture
def engine(mock_stash: MagicMock, mock_config: MagicMock, tmp_path: Path) -> Engine:
    return lambda queue=None, **more: GapDetectionEngine(mock_stash, mock_config, str(tmp_path / "data"), queue, **more)


def test_run_detects_empty_metadata_gaps(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.items = {"/data/1.mp4": item(1), "/data/2.mp4": item(2, studio="Studio")}
    result = engine().run("all")
    assert (result.empty_metadata_count, result.stale_sync_count, result.missing_count) == (1, 0, 0)
    assert (result.total_gaps, result.scenes_checked, result.errors) == (1, 2, [])


def test_run_detects_stale_sync_gaps(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1, updated_at=TUESDAY), scene(2, updated_at=MONDAY)]
    doubles.timestamps = {1: AT_MONDAY or 0, 2: AT_TUESDAY or 0}
    result = engine().run("all")
    assert (result.empty_metadata_count, result.stale_sync_count, result.missing_count) == (0, 1, 0)
    doubles.find.assert_not_called()


def test_run_detects_missing_gaps(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.items = {"/data/1.mp4": item(1, summary="Words")}
    result = engine().run("all")
    assert (result.empty_metadata_count, result.stale_sync_count, result.missing_count) == (0, 0, 1)


def test_run_enqueues_gaps_when_queue_provided(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    made = engine(mock_queue)
    result = made.run("all")
    assert result.enqueued_count == 2
    assert doubles.enqueue.call_args_list == [
        call(mock_queue, number, "metadata", made._build_job_data(scene(number))) for number in (1, 2)
    ]
    assert result.enqueued_by_type == {"missing": 2}


def test_run_puts_its_jobs_into_the_queue(mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1)]
    with patch("plex.client.PlexClient"), patch("plex.matcher.find_plex_items_with_confidence") as find:
        find.side_effect = PlexNotFound("nothing there")
        assert engine(mock_queue).run().enqueued_count == 1
    [[job]] = [one.args for one in mock_queue.put.call_args_list]
    assert (job["scene_id"], job["job_key"], job["data"]["path"]) == (1, "scene_1", "/data/1.mp4")
    assert "gap" not in str(job)


def test_run_deduplicates_against_existing_queue(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.waiting = {1}
    result = engine(mock_queue).run()
    assert (result.missing_count, result.enqueued_count, result.skipped_already_queued) == (2, 1, 1)
    assert [one.args[1] for one in doubles.enqueue.call_args_list] == [2]


def test_run_deduplicates_across_gap_types(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1, updated_at=TUESDAY)]
    doubles.timestamps = {1: AT_MONDAY or 0}
    made = engine(mock_queue)
    nothing: dict[str, Any] = {
        "/data/1.mp4": {"studio": None, "performers": [], "tags": [], "details": None, "date": None}
    }
    with patch.object(made, "_build_plex_data", return_value=(nothing, {"/data/1.mp4"})):
        result = made.run()
    assert (result.empty_metadata_count, result.stale_sync_count, result.total_gaps) == (1, 1, 2)
    assert result.enqueued_count == 1
    doubles.enqueue.assert_called_once()
    assert result.enqueued_by_type == {"empty_metadata": 1, "stale_sync": 1}


def test_run_scope_recent(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    result = engine().run("recent")
    criteria = mock_stash.find_scenes.call_args.kwargs["f"]
    assert criteria["updated_at"]["modifier"] == "GREATER_THAN"
    assert criteria["updated_at"]["value"][10] == "T"
    assert result.scope == "recent"


def test_run_scope_recent_compares_times_across_time_zones(
    doubles: Doubles, mock_stash: MagicMock, engine: Engine
) -> None:
    now = parse_instant(TUESDAY) or 0
    mock_stash.find_scenes.return_value = [
        scene(1, updated_at="2026-01-05T12:00:00Z"),
        scene(2, updated_at="2026-01-05T19:59:00+10:00"),  # a minute too early
        scene(3, updated_at="2026-01-05T20:01:00+10:00"),
    ]
    assert engine(clock=lambda: now).run("recent").scenes_checked == 2


def test_run_scope_all(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    engine().run("all")
    assert "updated_at" not in mock_stash.find_scenes.call_args.kwargs["f"]


def test_run_with_an_unknown_scope_raises_bad_scope(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    with pytest.raises(BadScope, match=r"2026-01-01\.\.2026-02-15"):
        engine().run("last week")
    mock_stash.find_scenes.assert_not_called()


def test_run_handles_plex_server_down(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1, updated_at=TUESDAY), scene(2)]
    doubles.timestamps = {1: AT_MONDAY or 0}
    doubles.client.side_effect = PlexServerDown("Plex cannot be reached")
    result = engine(mock_queue).run()
    assert result.errors == ["Plex cannot be reached"]
    assert result.complete is False
    # what needs no Plex is known all the same
    assert (result.stale_sync_count, result.missing_count, result.enqueued_count) == (1, 0, 1)


def test_run_stops_if_plex_goes_down_between_two_scenes(
    doubles: Doubles, mock_stash: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.items = {"/data/2.mp4": PlexServerDown("Plex is not ready")}
    result = engine().run()
    assert (result.errors, result.complete, result.missing_count) == (["Plex is not ready"], False, 0)


def test_run_detection_only_without_queue(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1)]
    result = engine().run()
    assert (result.missing_count, result.enqueued_count) == (1, 0)
    doubles.enqueue.assert_not_called()


def test_detect_gaps_with_a_queue_queues_nothing(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1)]
    result = engine(mock_queue).detect_gaps("all")
    assert (result.missing_count, result.enqueued_count) == (1, 0)
    doubles.enqueue.assert_not_called()


def test_lighter_pre_check_uses_sync_timestamps_first(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.timestamps = {1: AT_TUESDAY or 0}
    doubles.items = {"/data/2.mp4": item(2, studio="Studio")}
    result = engine().run()
    assert [one.args[1] for one in doubles.find.call_args_list] == ["/data/2.mp4"]
    assert result.total_gaps == 0


def test_job_data_builder_extracts_all_fields(engine: Engine) -> None:
    data = engine()._build_job_data(scene(1))
    assert data is not None
    picture = "http://stash.invalid/scene/1/screenshot"
    assert {name: value for name, value in data.items() if name in _OF_A_JOB} == {
        "path": "/data/1.mp4",
        "title": "Scene 1",
        "details": "Some words",
        "date": "2024-05-06",
        "rating100": 80,
        "studio": "Studio",
        "performers": ["Ada"],
        "tags": ["Tag"],
        "poster_url": picture,
        "background_url": picture,
    }
    assert engine()._build_job_data(scene(1, files=[])) is None


_OF_A_JOB = (
    *("path", "title", "details", "date", "rating100", "studio", "performers", "tags"),
    *("poster_url", "background_url"),
)


def test_scenes_without_files_skipped(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1, files=[]), scene(2, files=[], updated_at=TUESDAY)]
    doubles.timestamps = {2: AT_MONDAY or 0}
    result = engine(mock_queue).run()
    assert (result.total_gaps, result.enqueued_count) == (0, 0)
    doubles.find.assert_not_called()


def test_run_counts_a_gated_scene_and_does_not_queue_it(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    bare = scene(1, studio=None, performers=[], tags=[], details="", date=None, rating100=100)
    mock_stash.find_scenes.return_value = [bare]
    result = engine(mock_queue).run()
    assert (result.missing_count, result.gated_count, result.enqueued_count) == (1, 1, 0)


def test_run_counts_a_doubtful_scene_and_does_not_queue_it(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1)]
    doubles.items = {"/data/1.mp4": [item(1), item(2)]}
    result = engine(mock_queue).run()
    assert (result.low_confidence_count, result.total_gaps, result.enqueued_count) == (1, 0, 0)


def test_run_with_one_failing_match_goes_on(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.return_value = [scene(1), scene(2)]
    doubles.items = {"/data/1.mp4": RuntimeError("no such luck")}
    result = engine(mock_queue).run()
    assert result.errors == ["Scene 1 could not be matched: no such luck"]
    assert (result.complete, result.missing_count, result.enqueued_count) == (True, 1, 1)


def test_run_with_reconcile_missing_off_does_not_queue_missing_scenes(
    doubles: Doubles, mock_stash: MagicMock, mock_config: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_config.reconcile_missing = False
    mock_stash.find_scenes.return_value = [scene(1)]
    result = engine(mock_queue).run()
    assert (result.missing_count, result.left_missing_count, result.enqueued_count) == (1, 1, 0)


def test_run_keeps_its_findings_if_stash_goes_down(
    doubles: Doubles, mock_stash: MagicMock, mock_queue: MagicMock, engine: Engine
) -> None:
    mock_stash.find_scenes.side_effect = [[scene(n) for n in range(1, 501)], RuntimeError("gone")]
    result = engine(mock_queue).run()
    assert (result.scenes_checked, result.enqueued_count, result.complete) == (500, 500, False)
    assert result.errors == ["Stash could not be read to the end: gone"]


def test_run_pages_by_id_and_ends_without_new_scenes(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    mock_stash.find_scenes.return_value = [scene(n) for n in range(1, 501)]
    assert engine().run().scenes_checked == 500
    first, second = [one.kwargs for one in mock_stash.find_scenes.call_args_list]
    assert first["f"] == {}
    assert second["f"] == {"id": {"value": 500, "modifier": "GREATER_THAN"}}
    assert (first["filter"]["per_page"], first["filter"]["sort"]) == (500, "id")


def test_run_reports_progress_every_fifty_scenes(doubles: Doubles, mock_stash: MagicMock, engine: Engine) -> None:
    told: list[int] = []
    mock_stash.find_scenes.return_value = [scene(n) for n in range(1, 121)]
    engine(progress=lambda result: told.append(result.scenes_checked)).run()
    assert len(told) == 3


def test_new_result_is_all_zeros() -> None:
    numbers = GapDetectionResult().numbers()
    assert (numbers["total_gaps"], numbers["errors"], numbers["complete"]) == (0, [], True)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PlexServerDown("away"), PlexServerDown, "away"),
        (PlexTokenRefused("no"), PlexTokenRefused, "no"),
        (ConnectionError("x"), PlexServerDown, "cannot be reached"),
        (ValueError("odd"), PlexServerDown, "odd"),
    ],
)
def test_connect_to_plex_turns_every_failure_into_server_down(
    doubles: Doubles, engine: Engine, error: Exception, kind: type[Exception], words: str
) -> None:
    doubles.client.side_effect = error
    with pytest.raises(kind, match=words):
        engine()._connect_to_plex()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, {"studio": None, "performers": [], "tags": [], "details": None, "date": None}),
        ({"studio": "S", "summary": "Words"}, {"studio": "S", "details": "Words"}),
        ({"originallyAvailableAt": datetime(2024, 5, 6, 7, 8)}, {"date": "2024-05-06"}),
        ({"originallyAvailableAt": date(2024, 5, 6), "year": 1999}, {"date": "2024-05-06"}),
        ({"originallyAvailableAt": "2024-05-06"}, {"date": "2024-05-06"}),
        ({"year": 1999}, {"date": "1999"}),
        ({"actors": [MagicMock(tag="Ada"), MagicMock(tag="Bea")]}, {"performers": ["Ada", "Bea"]}),
        ({"actors": MagicMock(), "roles": [MagicMock(tag="Ada")]}, {"performers": ["Ada"]}),
        ({"genres": [MagicMock(tag="A, B")]}, {"tags": ["A, B"]}),
    ],
)
def test_extract_plex_metadata_requests_nothing(
    engine: Engine, shown: dict[str, Any], expected: dict[str, Any]
) -> None:
    video = item(1, **shown)
    data = engine()._extract_plex_metadata(video)
    assert {name: data[name] for name in expected} == expected
    assert set(data) == {"studio", "performers", "tags", "details", "date"}
    assert video._autoReload is False


def test_published_parameters_are_unchanged() -> None:
    assert list(inspect.signature(GapDetectionEngine).parameters)[:4] == ["stash", "config", "data_dir", "queue"]
    assert list(inspect.signature(GapDetectionEngine.run).parameters) == ["self", "scope"]
    assert inspect.signature(GapDetectionEngine.run).parameters["scope"].default == "all"
    assert list(inspect.signature(GapDetectionEngine._build_plex_data).parameters)[1:] == ["scenes", "sync_timestamps"]

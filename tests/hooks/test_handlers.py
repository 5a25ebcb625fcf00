"""Which events become jobs, and in which order that is decided."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.job_rows import PRIORITY_SCAN
from hooks import handlers
from hooks.handlers import (
    is_scene_pending,
    mark_scene_pending,
    on_scene_update,
    requires_plex_sync,
    unmark_scene_pending,
)
from sync_queue.store import JobStore
from sync_queue.writer import QueueWriter, queue_dir
from tests.sync_queue.support import rows, waiting

pytestmark = pytest.mark.unit

HARMLESS = [
    *("id", "ids", "clientMutationId", "url", "urls", "gallery_ids"),
    *("o_counter", "play_count", "play_duration", "resume_time"),
]
TELLING = [
    *("title", "code", "details", "director", "date", "rating100", "organized", "studio_id", "performer_ids", "groups"),
    *("movies", "tag_ids", "cover_image", "stash_ids", "primary_file_id", "title_of_a_later_stash"),
]


@pytest.mark.parametrize("field", HARMLESS)
def test_field_that_plex_does_not_show_needs_no_sync(field: str) -> None:
    assert not requires_plex_sync({field: None})
    assert not requires_plex_sync({"id": "1", field: "x"})


@pytest.mark.parametrize("field", TELLING)
def test_any_other_field_needs_one_whatever_its_value(field: str) -> None:
    assert requires_plex_sync({field: None})
    assert requires_plex_sync({"id": "1", "clientMutationId": None, field: ""})


@pytest.mark.parametrize("nothing", [{}, None])
def test_update_without_listed_fields_needs_a_sync(nothing: dict[str, Any] | None) -> None:
    assert requires_plex_sync(nothing)


@given(st.sets(st.sampled_from(HARMLESS), min_size=1), st.sets(st.sampled_from(TELLING)))
def test_one_relevant_field_needs_a_sync(harmless: set[str], telling: set[str]) -> None:
    assert requires_plex_sync(dict.fromkeys(harmless | telling)) is bool(telling)


def test_save_is_queued_and_marked_pending(data_dir: str, writer: QueueWriter) -> None:
    before = time.time()
    assert on_scene_update(5, {"title": "Ü", "rating100": 80}, writer) is True
    (job,) = waiting(data_dir)
    assert (job["scene_id"], job["job_key"], job["update_type"], job["priority"]) == (5, "scene_5", "metadata", 0)
    assert job["data"] == {"title": "Ü", "rating100": 80}
    assert before <= job["enqueued_at"] <= time.time()
    assert is_scene_pending(5)
    assert not is_scene_pending(6)


def test_without_snapshot_the_job_only_names_the_scene(data_dir: str, writer: QueueWriter) -> None:
    assert on_scene_update(5, {"title": "Ü"}, writer, priority=PRIORITY_SCAN, snapshot=False)
    assert [(job["data"], job["priority"]) for job in waiting(data_dir)] == [({}, 1)]


def test_job_data_never_holds_the_cover_or_unknown_fields(data_dir: str, writer: QueueWriter) -> None:
    update = {"title": "a", "cover_image": "A" * 3_000_000, "tag_ids": ["1"], "organized": True, "summary": "s"}
    assert on_scene_update(5, update, writer)
    (row,) = rows(data_dir)
    assert row.job["data"] == {"title": "a", "summary": "s"}
    assert len(row.data) < 1000


@pytest.mark.parametrize("snapshot", [True, False])
def test_queue_with_only_put_gets_the_job(snapshot: bool) -> None:
    queue = MagicMock()
    assert on_scene_update(5, {"title": "Ü"}, queue, snapshot=snapshot)
    ((job,), _) = queue.put.call_args
    assert (job["scene_id"], job["data"]) == (5, {"title": "Ü"} if snapshot else {})
    assert json.dumps(job)


def test_update_without_effect_is_not_examined_further(capfd: pytest.CaptureFixture[str]) -> None:
    queue = MagicMock()
    # an id that is none would be warned of, a timestamp would be spoken of, were they looked at
    assert on_scene_update(-1, {"play_count": 3}, queue, sync_timestamps={-1: time.time() + 99}) is False
    queue.put.assert_not_called()
    assert "nothing that Plex shows" in capfd.readouterr().err
    assert not is_scene_pending(-1)


@pytest.mark.parametrize(
    ("updated_at", "queued"),
    [
        ("2026-01-11T18:07:53+11:00", False),
        ("2026-01-11T07:07:53Z", False),
        (1768115273.0, False),
        ("2026-01-11T18:07:54+11:00", True),
        ("2026-01-11T18:07:53Z", True),
        (1768115273.5, True),
        ("not a time", True),
    ],
)
def test_update_no_newer_than_the_last_sync_is_skipped(
    writer: QueueWriter, updated_at: object, queued: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    last = 1768115273.0
    assert on_scene_update(5, {"title": "x", "updated_at": updated_at}, writer, None, {5: last}) is queued
    text = "[Stash2Plex] Scene 5 already synced (Stash: 1768115273.0 <= Last: 1768115273.0)"
    assert (text in capfd.readouterr().err) is not queued


def test_without_a_time_of_its_own_an_update_happened_now(writer: QueueWriter) -> None:
    now = time.time()
    assert on_scene_update(1, {"title": "x"}, writer, None, {1: now - 1}) is True
    assert on_scene_update(2, {"title": "x"}, writer, None, {2: now + 600}) is False
    assert on_scene_update(3, {"title": "x"}, writer, None, {4: now + 600}) is True


def test_timestamps_are_asked_before_the_hint(capfd: pytest.CaptureFixture[str]) -> None:
    queue = MagicMock()
    mark_scene_pending(5)
    assert not on_scene_update(5, {"title": "x", "updated_at": 1.0}, queue, None, {5: 2.0})
    assert "already synced" in capfd.readouterr().err
    assert not on_scene_update(5, {"title": "x", "updated_at": 3.0}, queue, None, {5: 2.0})
    assert "[Stash2Plex] Scene 5 already in queue, skipping duplicate" in capfd.readouterr().err
    queue.put.assert_not_called()


def test_pending_scene_is_skipped_until_its_row_is_claimed(
    data_dir: str, writer: QueueWriter, capfd: pytest.CaptureFixture[str]
) -> None:
    assert on_scene_update(5, {"title": "one"}, writer)
    assert not on_scene_update(5, {"title": "two"}, writer)
    assert "Scene 5 already in queue, skipping duplicate" in capfd.readouterr().err
    assert [job["data"] for job in waiting(data_dir)] == [{"title": "one"}]
    store = JobStore(queue_dir(data_dir))
    assert len(store.claim(5, time.time())) == 1
    # another process claimed it: the hint of this one is stale
    assert is_scene_pending(5)
    assert on_scene_update(5, {"title": "three"}, writer)
    assert [row.status for row in rows(data_dir)] == [2, 0]
    store.close()


def test_unmarked_scene_folds_into_its_row(
    data_dir: str, writer: QueueWriter, capfd: pytest.CaptureFixture[str]
) -> None:
    assert on_scene_update(5, {}, writer, snapshot=False, priority=PRIORITY_SCAN)
    unmark_scene_pending(5)
    unmark_scene_pending(5)
    assert on_scene_update(5, {}, writer, snapshot=False)
    assert [job["priority"] for job in waiting(data_dir)] == [0]
    assert "already in queue" in capfd.readouterr().err


@pytest.mark.parametrize("scene_id", [0, -3, True, "5", None, 5.0])
def test_invalid_scene_id_is_not_queued(scene_id: Any, capfd: pytest.CaptureFixture[str]) -> None:
    queue = MagicMock()
    assert on_scene_update(scene_id, {"title": "x"}, queue) is False
    queue.put.assert_not_called()
    assert f"{scene_id!r} is none, nothing was queued" in capfd.readouterr().err
    assert scene_id not in handlers._pending or scene_id in (True, 5.0)


def test_failing_queue_leaves_the_scene_unmarked(writer: QueueWriter, data_dir: str) -> None:
    queue = MagicMock()
    queue.put.side_effect = sqlite3.OperationalError("database or disk is full")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        on_scene_update(5, {"title": "x"}, queue)
    assert not is_scene_pending(5)
    assert on_scene_update(5, {"title": "x"}, writer)
    assert len(waiting(data_dir)) == 1

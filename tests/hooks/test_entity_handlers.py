"""Which edits of performers, studios, tags and groups concern their scenes, and what is queued for those that do."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.job_rows import ENTITIES, entity_row, new_entity_job
from hooks.entity_handlers import _WITHOUT_EFFECT, concerns_scenes, on_entity_update
from hooks.process import handle
from sync_queue.manager import QueueManager
from sync_queue.writer import QueueWriter
from tests.sync_queue.support import waiting

from .support import hook

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden" / "stash"
INPUTS = [
    *(
        ("performer", "PerformerUpdateInput"),
        ("performer", "BulkPerformerUpdateInput"),
        ("studio", "StudioUpdateInput"),
    ),
    *(("tag", "TagUpdateInput"), ("group", "GroupUpdateInput")),
]
TELLING = {
    "performer": {"name", "disambiguation"},
    "studio": {"name", "parent_id"},
    "tag": {"name", "parent_ids", "child_ids"},
    "group": {"name"},
}


@pytest.mark.parametrize(("kind", "name"), INPUTS)
@pytest.mark.parametrize("schema", ["types.json", "types-0.27.2.json"])
def test_only_fields_that_plex_may_show_are_relevant(schema: str, kind: str, name: str) -> None:
    fields = json.loads((GOLDEN / schema).read_text(encoding="utf-8"))[name]["inputFields"]
    assert len(fields) > 5
    assert {field for field in fields if concerns_scenes(kind, [field])} == TELLING[kind] & set(fields)


@pytest.mark.parametrize("kind", ENTITIES)
def test_unknown_fields_and_events_without_fields_are_relevant(kind: str) -> None:
    assert concerns_scenes(kind, ["id", "something_of_a_later_stash"])
    assert concerns_scenes(kind, [])
    assert not concerns_scenes(kind, ["id"])


@given(kind=st.sampled_from(ENTITIES), data=st.data())
def test_one_relevant_field_is_enough(kind: str, data: st.DataObject) -> None:
    harmless = data.draw(st.sets(st.sampled_from(_WITHOUT_EFFECT[kind].split()), min_size=1))
    telling = data.draw(st.sets(st.sampled_from(sorted(TELLING[kind]))))
    assert concerns_scenes(kind, harmless | telling) is bool(telling)


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ("Performer.Update.Post", "performer_5"),
        ("Studio.Update.Post", "studio_5"),
        ("Tag.Update.Post", "tag_5"),
        ("Tag.Merge.Post", "tag_5"),
        ("Group.Update.Post", "group_5"),
    ],
)
def test_entity_edit_is_one_job_behind_the_saves(data_dir: str, writer: QueueWriter, event: str, key: str) -> None:
    assert handle(hook(5, title="x"), writer, data_dir)
    assert handle(hook(5, event, name="x"), writer, data_dir)
    _, job = waiting(data_dir)
    assert job == new_entity_job(key[:-2], 5, priority=1, now=job["enqueued_at"])
    assert job["job_key"] == key


@pytest.mark.parametrize(
    "event",
    [
        *("Performer.Create.Post", "Performer.Destroy.Post", "Studio.Destroy.Post", "Tag.Create.Post"),
        *("Tag.Destroy.Post", "Group.Destroy.Post", "Movie.Update.Post"),
    ],
)
def test_event_without_a_way_to_its_scenes_is_not_queued(data_dir: str, event: str) -> None:
    assert not handle(hook(5, event, name="x"), None, data_dir)
    assert not Path(data_dir).exists()


def test_second_edit_restarts_a_job_in_progress(data_dir: str, writer: QueueWriter) -> None:
    begun = {**new_entity_job("tag", 5, priority=1, now=1.0), "after": 500, "retry_count": 2, "next_retry_at": 9e9}
    writer.fold(json.dumps(begun), "tag_5")
    assert on_entity_update("tag", 5, ["name"], lambda: writer) is True
    (job,) = waiting(data_dir)
    assert job == new_entity_job("tag", 5, priority=1, now=job["enqueued_at"])


def test_library_queue_and_put_only_queue_get_the_same_job(data_dir: str) -> None:
    manager = QueueManager(data_dir)
    assert on_entity_update("studio", 5, ["name"], manager.get_queue)
    (job,) = waiting(data_dir)
    assert job == new_entity_job("studio", 5, priority=1, now=job["enqueued_at"])
    assert manager.get_queue().size == 1
    manager.shutdown()
    queue = MagicMock()
    assert on_entity_update("studio", 5, ["name"], lambda: queue)
    ((put,), _) = queue.put.call_args
    assert {**put, "enqueued_at": 0} == {**job, "enqueued_at": 0}


def test_without_effect_the_queue_is_not_even_opened(capfd: pytest.CaptureFixture[str]) -> None:
    def never() -> Any:
        raise AssertionError

    assert on_entity_update("performer", 5, ["id", "favorite", "image"], never) is False
    assert "Performer 5: nothing that Plex shows was saved" in capfd.readouterr().err


def test_failing_queue_is_logged(data_dir: str, capfd: pytest.CaptureFixture[str]) -> None:
    queue = MagicMock()
    queue.put.side_effect = sqlite3.OperationalError("database or disk is full")
    assert handle(hook(5, "Tag.Update.Post", name="x"), queue, data_dir) is False
    assert "Tag 5 was not queued: database or disk is full. Save it again" in capfd.readouterr().err


@given(
    kind=st.sampled_from(ENTITIES),
    entity_id=st.integers(1, 2**63 - 1),
    priority=st.integers(0, 2),
    now=st.floats(0, 1e11, allow_nan=False, allow_infinity=False),
)
def test_entity_row_text_equals_what_json_would_write(kind: str, entity_id: int, priority: int, now: float) -> None:
    text = entity_row(kind, entity_id, priority=priority, now=now)
    assert text == json.dumps(new_entity_job(kind, entity_id, priority=priority, now=now))

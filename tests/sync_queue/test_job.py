"""Jobs as the worker sees them: read from the JSON of a row and written back without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.job_rows import ENTITIES, PRIORITY_BULK, PRIORITY_SCAN, new_entity_job, new_job
from sync_queue.job import RESTORE, Job, RetryState

pytestmark = pytest.mark.unit

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_known_keys = ("priority", "enqueued_at", "data", "by_hand", "images_only", "revived", "update_type", "after")
_retry_keys = tuple(RetryState.__dataclass_fields__)
_rows = st.dictionaries(
    st.sampled_from((*_known_keys, *_retry_keys)) | st.text(min_size=1, max_size=8), _json, max_size=8
)


@given(row=_rows, scene_id=st.integers(0, 10**9))
def test_from_row_of_a_scene_keeps_every_key(row: dict[str, Any], scene_id: int) -> None:
    row = {**row, "scene_id": scene_id, "job_key": "own key"}
    row.pop("entity", None)
    job = Job.from_row(row)
    assert (job.scene_id, job.entity, job.job_key) == (scene_id, None, "own key")
    assert json.dumps(job.as_row()) == json.dumps(row)


@given(row=_rows)
def test_with_retry_changes_the_keys_of_the_retry_state_only(row: dict[str, Any]) -> None:
    row = {**row, "scene_id": 1, "job_key": "scene_1"}
    row.pop("entity", None)
    state = RetryState(2, {"TRANSIENT": 2}, 30.0, "PlexServerDown", "away", 20.0, 10.0, awaits_file=True)
    changed = Job.from_row(row).with_retry(state)
    assert changed.retry == state
    assert {name: value for name, value in changed.as_row().items() if name not in _retry_keys} == {
        name: value for name, value in row.items() if name not in _retry_keys
    }


@pytest.mark.parametrize(
    "row",
    [{"retry_count": 3}, {"tries": {"TRANSIENT": 3}}, {"last_error_type": "PlexServerDown"}, {"last_error": "away"}],
)
def test_with_retry_keeps_what_a_row_counts_without_the_time_of_the_last_try(row: dict[str, Any]) -> None:
    job = Job.from_row({"scene_id": 1, "next_retry_at": 5.0, **row})
    assert job.with_retry(replace(job.retry, awaits_file=True)).retry == replace(job.retry, awaits_file=True)


@pytest.mark.parametrize("key", ["retry_count", "tries", "next_retry_at", "last_try_at", "first_failed_at"])
@pytest.mark.parametrize("value", [None, "3", [1], {"a": "b"}, True])
def test_retry_state_with_a_value_of_the_wrong_type_counts_as_absent(key: str, value: object) -> None:
    state = RetryState.from_row({key: value})
    assert state == (RetryState(tries={"a": 0}) if (key, value) == ("tries", {"a": "b"}) else RetryState())


@pytest.mark.parametrize("row", [{}, {"scene_id": None}, {"scene_id": "x"}, {"entity": "tag"}, {"scene_id": [1]}])
def test_from_row_about_no_scene_and_no_entity_raises(row: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Job.from_row(row)


def test_from_row_without_a_key_gets_the_one_of_its_scene_or_entity() -> None:
    assert Job.from_row({"scene_id": "12"}).job_key == "scene_12"
    assert [Job.from_row({"entity": kind, "entity_id": 3}).job_key for kind in ENTITIES] == [
        f"{kind}_3" for kind in ENTITIES
    ]


def test_pictures_only_goes_behind_saves_and_starts_without_tries() -> None:
    failed = Job.from_row(new_job(1, "metadata", {}, priority=0, now=5.0)).with_retry(RetryState(4, last_try_at=9.0))
    pictures = failed.pictures_only()
    assert (pictures.images_only, pictures.priority, pictures.retry) == (True, PRIORITY_BULK, RetryState())
    tried = pictures.with_retry(RetryState(1, last_try_at=9.0))
    assert tried.pictures_only() == tried


def test_next_page_of_an_entity_keeps_what_it_is_about_and_forgets_its_tries() -> None:
    job = Job.from_row({**new_entity_job("tag", 7, priority=1, now=5.0), "note": "kept"})
    following = job.with_retry(RetryState(2, last_try_at=9.0)).next_page(500)
    assert (following.after, following.retry, following.as_row()["note"]) == (500, RetryState(), "kept")
    assert replace(following, after=0, row={}) == replace(job, row={})


def test_requeued_job_is_as_its_event_had_happened_now() -> None:
    job = Job.from_row(
        {**new_job(5, RESTORE, {}, priority=2, now=1.0), "images_only": True, "revived": 1, "by_hand": 1}
    )
    again = job.with_retry(RetryState(3, last_try_at=4.0, first_failed_at=2.0)).requeued(
        "giveback_5", priority=PRIORITY_SCAN, now=9.0, revived=2
    )
    assert again.is_restore and again.by_hand and not again.images_only
    assert (again.job_key, again.priority, again.enqueued_at, again.revived) == ("giveback_5", 1, 9.0, 2)
    assert again.retry == RetryState(first_failed_at=2.0)

"""The two readers of a hook's context agree, on what real servers sent and on what they could send."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.hook_event import HookEvent, event_of, read_document

pytestmark = [pytest.mark.unit, pytest.mark.slow(seconds=7)]

STDIN = Path(__file__).parents[1] / "golden" / "stash" / "stdin"
RECORDED = sorted(path.stem for path in STDIN.iterdir() if "task" not in path.stem)


def seen(event: HookEvent) -> tuple[object, int | None, list[str], bool, bool]:
    """All of an event."""
    return event.kind, event.id, sorted(event.fields), event.given, event.many


def recorded(name: str) -> tuple[str, dict[str, Any]]:
    """A recorded document, as text and decoded."""
    text = (STDIN / f"{name}.json").read_text(encoding="utf-8")
    return text, json.loads(text)


@pytest.mark.parametrize("name", RECORDED)
def test_both_readers_see_the_same_in_a_recorded_document(name: str) -> None:
    text, document = recorded(name)
    event, connection, known = read_document(text)
    context = document["args"]["hookContext"]
    assert seen(event) == seen(event_of(context))
    assert (event.kind, event.id) == (context["type"], context["id"])
    assert json.loads(connection) == document["server_connection"]
    assert known == {"Dir": "/root/.stash", "Port": 9999}


@pytest.mark.parametrize(
    ("name", "given_", "many", "fields"),
    [
        ("scene-rating-click", True, False, {"id", "rating100"}),
        ("scene-organized-click", True, False, {"id", "organized"}),
        ("bulk-add-tag-2", True, True, {"ids", "tag_ids", "organized"}),
        ("scenes-update-1", True, True, None),
        ("scan-new-file-1", False, False, set()),
        ("scan-file-touched", False, False, set()),
        ("scene-create", False, False, set()),
        ("scene-destroy", True, False, set()),
        ("scenes-destroy-1", True, True, set()),
        ("performer-rename", True, False, {"id", "name"}),
        ("performer-bulk-2", True, True, {"ids", "favorite"}),
        ("tags-merge", True, False, set()),
    ],
)
def test_recorded_document_is_read_as_its_event(name: str, given_: bool, many: bool, fields: set[str] | None) -> None:
    event, _, _ = read_document(recorded(name)[0])
    assert (event.given, event.many) == (given_, many)
    assert fields is None or set(event.fields) == fields


# SQLite ends a text at its first NUL, and neither Stash nor UTF-8 has lone surrogates.
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=12)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
IDS = st.integers(-5, 2**62) | st.integers(0, 99).map(str) | TEXT | st.none() | st.just("")
INPUTS = (
    st.none()
    | st.fixed_dictionaries({}, optional={"id": IDS, "ids": st.lists(IDS, max_size=3) | SCALARS, "title": VALUES})
    | st.lists(IDS | st.fixed_dictionaries({"id": IDS}), max_size=3)
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "type": st.sampled_from(["Scene.Update.Post", "Scene.Create.Post", "Tag.Merge.Post"]) | TEXT | st.none(),
        "input": INPUTS,
        "inputFields": st.lists(st.sampled_from(["id", "title", "play_count"]) | SCALARS, max_size=4) | st.none(),
        "something_of_a_later_stash": VALUES,
    },
)


@settings(max_examples=300)
@given(context=CONTEXTS, ascii_only=st.booleans())
def test_both_readers_see_the_same_in_any_context(context: dict[str, Any], ascii_only: bool) -> None:
    document = {"server_connection": {"Dir": "/x", "Port": 1}, "args": {"mode": "y", "hookContext": context}}
    event, _, _ = read_document(json.dumps(document, ensure_ascii=ascii_only))
    assert seen(event) == seen(event_of(context))


@pytest.mark.parametrize(
    ("context", "wanted"),
    [
        ({"id": 45}, 45),
        ({"id": "45"}, 45),
        ({"id": 45, "input": {"id": "46"}}, 45),
        ({"input": {"id": "46"}}, 46),
        ({"id": 0, "input": {"id": "46"}}, 46),
        ({"id": None, "input": {"id": 46}}, 46),
        ({"id": 45, "input": {"id": ""}}, 45),
        ({"input": {"id": ""}}, None),
        ({"input": ["46"]}, None),
        ({"input": None}, None),
        ({"id": -1}, None),
        ({"id": "abc"}, None),
        ({"id": "²"}, None),
        ({"id": 4.5}, None),
        ({}, None),
    ],
)
def test_event_id_is_that_of_the_context_else_of_the_input(context: dict[str, Any], wanted: int | None) -> None:
    assert event_of(context).id == wanted
    assert read_document(json.dumps({"args": {"hookContext": context}}))[0].id == wanted


@pytest.mark.parametrize("context", ["null", "5", '"x"', "[]", "true"])
def test_context_that_is_not_an_object_is_rejected(context: str) -> None:
    with pytest.raises(ValueError, match="hookContext must be an object"):
        read_document(f'{{"args": {{"hookContext": {context}}}}}')


@pytest.mark.parametrize("text", ["", "{", "not json", '{"args": {"hookContext": {}}} and more', "{'a': 1}"])
def test_document_that_is_not_json_is_rejected(text: str) -> None:
    with pytest.raises(sqlite3.Error):
        read_document(text)


def test_document_without_a_connection_has_an_empty_one() -> None:
    _, connection, known = read_document('{"args": {"hookContext": {"id": 1}}}')
    assert (connection, known) == ("{}", {"Dir": None, "Port": None})

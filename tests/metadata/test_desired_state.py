"""The desired state of an item, from a scene's data and the settings."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.desired_state import DesiredState, complete_date, desired_state
from metadata.text import MAX_ENCODED_LENGTH
from settings.config import Stash2PlexConfig

pytestmark = pytest.mark.unit

FULL: dict[str, Any] = {
    "path": "/data/a.mp4",
    "title": "A title",
    "details": "Some details",
    "date": "2019-07-31",
    "rating100": 80,
    "studio": "Atlas",
    "performers": ["Ada", "Bea"],
    "tags": ["Outdoor", "Black, White"],
    "poster_url": "http://stash/1",
    "background_url": "http://stash/1",
    "updated_at": "2026-01-11T18:07:53+11:00",
}
EMPTY: dict[str, Any] = {
    "title": "",
    "details": "",
    "date": None,
    "rating100": None,
    "studio": None,
    "performers": [],
    "tags": [],
}


def desired(data: dict[str, Any], **settings: Any) -> DesiredState:
    """Return the desired state of a scene whose file is stem.mp4."""
    return desired_state(cast(SceneData, data), Stash2PlexConfig.from_settings(settings), "stem")


def test_desired_state_of_full_scene() -> None:
    assert desired(FULL) == DesiredState(
        scalars={
            "title": "A title",
            "summary": "Some details",
            "studio": "Atlas",
            "originallyAvailableAt": "2019-07-31",
        },
        tags={"actor": ["Ada", "Bea"], "genre": ["Outdoor", "Black, White"], "collection": ["Atlas"]},
        rating=8.0,
        has_rating=True,
    )


def test_desired_state_empty_fields_clear_except_title() -> None:
    assert desired(EMPTY) == DesiredState(
        scalars={"title": "stem", "summary": "", "studio": "", "originallyAvailableAt": ""},
        tags={"actor": [], "genre": [], "collection": []},
        rating=None,
        has_rating=True,
    )


@pytest.mark.parametrize("title", [" ", "\n\t", "\x00", None])
def test_desired_state_blank_title_is_file_name(title: str | None) -> None:
    assert desired({"title": title}).scalars == {"title": "stem"}


def test_desired_state_keeps_texts_unchanged() -> None:
    assert desired({"title": " a  b ", "details": "a\r\n\r\n b "}).scalars == {"title": " a  b ", "summary": "a\n\n b "}


@pytest.mark.parametrize("text", ["word " * 3000, "日本語 の " * 2000, "日" * 5000, "x" * 20_000])
def test_desired_state_long_details_are_cut_with_note(text: str) -> None:
    found = desired({"details": text})
    summary = found.scalars["summary"]
    assert summary.endswith("\u2026")
    assert text.startswith(summary[:-1])
    assert MAX_ENCODED_LENGTH * 3 // 4 - 20 < len(quote(summary, safe="")) <= MAX_ENCODED_LENGTH
    assert " " not in text or text[len(summary) - 1] == " "
    assert found.notes == ("the details are too long for one request to Plex and were cut at a word",)


@pytest.mark.parametrize("name", EMPTY)
def test_desired_state_absent_key_is_not_decided(name: str) -> None:
    whole, part = desired(FULL), desired({key: value for key, value in FULL.items() if key != name})
    gone = {*whole.scalars, *whole.tags} - {*part.scalars, *part.tags}
    field = {"details": "summary", "date": "originallyAvailableAt", "performers": "actor", "tags": "genre"}
    if name == "rating100":
        assert (gone, part.has_rating, part.rating) == (set(), False, None)
        return
    assert gone == {field.get(name, name)} | ({"collection"} if name == "studio" else set())
    assert {**whole.scalars, **part.scalars} == whole.scalars
    assert (part.rating, part.has_rating) == (8.0, True)


def test_desired_state_of_empty_data_is_empty() -> None:
    assert desired({}) == DesiredState({}, {})
    assert desired({"path": "/x", "poster_url": "y"}) == DesiredState({}, {})


@pytest.mark.parametrize(
    ("switch", "field"),
    [
        ("sync_title", "title"),
        ("sync_summary", "summary"),
        ("sync_studio", "studio"),
        ("sync_date", "originallyAvailableAt"),
        ("sync_tagline", "tagline"),
        ("sync_performers", "actor"),
        ("sync_tags", "genre"),
        ("sync_director", "director"),
        ("sync_collection", "collection"),
    ],
)
def test_desired_state_switch_removes_only_its_field(switch: str, field: str) -> None:
    data = {**FULL, "tagline": "T", "director": "D"}
    whole, part = desired(data), desired(data, **{switch: False})
    assert {*whole.scalars, *whole.tags} - {*part.scalars, *part.tags} == {field}
    assert part.has_rating


def test_desired_state_rating_and_master_switches() -> None:
    assert not desired(FULL, sync_rating=False).has_rating
    assert desired(FULL, sync_rating=False).rating is None
    assert desired(FULL, sync_rating=False).scalars == desired(FULL).scalars
    assert desired(FULL, sync_master=False) == DesiredState({}, {})


@pytest.mark.parametrize(("stars", "rating"), [(0, 0.0), (1, 0.1), (55, 5.5), (99, 9.9), (100, 10.0), (None, None)])
def test_desired_state_scales_rating_to_ten(stars: int | None, rating: float | None) -> None:
    found = desired({"rating100": stars})
    assert (found.rating, found.has_rating) == (rating, True)


def test_desired_state_reads_summary_as_details() -> None:
    assert desired({"summary": "S"}).scalars == {"summary": "S"}
    assert desired({"summary": "S", "details": "D"}).scalars == {"summary": "D"}
    assert desired({"summary": "S", "details": ""}).scalars == {"summary": ""}


def test_desired_state_tagline_needs_its_key() -> None:
    assert "tagline" not in desired(FULL).scalars
    assert desired({"tagline": "T"}).scalars == {"tagline": "T"}
    assert desired({"tagline": None}).scalars == {"tagline": ""}


@pytest.mark.parametrize(
    ("date", "whole"),
    [
        ("2019-07-31", "2019-07-31"),
        ("2019-07", "2019-07-01"),
        ("2019", "2019-01-01"),
        (" 2019 ", "2019-01-01"),
        ("", ""),
        (None, ""),
        ("2019-13", None),
        ("2019-00-01", None),
        ("2019-01-32", None),
        ("19", None),
        ("2019-7-1", None),
        ("July 2019", None),
        ("2019-07-31T00:00:00Z", None),
    ],
)
def test_desired_state_completes_dates_and_skips_bad_ones(date: str | None, whole: str | None) -> None:
    assert complete_date(date) == whole
    found = desired({"date": date})
    assert found.scalars == ({} if whole is None else {"originallyAvailableAt": whole})
    assert bool(found.notes) is (whole is None)


@given(st.dates())
def test_complete_date_of_any_date_and_its_parts(date: Any) -> None:
    text = date.isoformat()
    assert [complete_date(text[:length]) for length in (10, 7, 4)] == [text, f"{text[:7]}-01", f"{text[:4]}-01-01"]


def test_desired_state_max_tags_is_stable_with_note() -> None:
    tags = ["b", "Ä", "a", "C", "d"]
    found = desired({"tags": tags}, max_tags=3)
    assert found.tags == {"genre": ["a", "b", "C"]}
    assert found.notes == ("5 tags, but Maximum tags is 3: 2 left out",)
    assert desired({"tags": tags[::-1]}, max_tags=3).tags == found.tags
    assert desired({"tags": tags}, max_tags=5) == desired({"tags": tags})
    assert desired({"tags": tags}).tags == {"genre": tags}
    assert desired({"performers": tags}, max_tags=3).tags == {"actor": tags}


def test_desired_state_director_is_one_name_or_cleared() -> None:
    assert desired({"director": "Ada A., Bea B."}).tags == {"director": ["Ada A., Bea B."]}
    assert desired({"director": ""}).tags == desired({"director": None}).tags == {"director": []}


def test_desired_state_ignored_tags_do_not_count_for_max_tags() -> None:
    data = {"tags": ["a", "B", "c", "4K"], "tag_ids": ["1", "2", "3", "4"]}
    found = desired(data, ignore_tags="b, 3, other", max_tags=2)
    assert (found.tags, found.notes) == ({"genre": ["a", "4K"]}, ())
    config = Stash2PlexConfig.from_settings({"ignore_tags": "Letters/*"})
    descendants = {"Letters/*": {"9": "Letters", "1": "a", "2": "B", "3": "c"}}
    assert desired_state(cast(SceneData, data), config, "stem", descendants).tags == {"genre": ["4K"]}


def test_desired_state_title_uses_title_format() -> None:
    form = "{studio} - {title}"
    assert desired(FULL, title_format=form).scalars["title"] == "Atlas - A title"
    assert desired({**FULL, "title": ""}, title_format=form).scalars["title"] == "Atlas - stem"
    assert "title" not in desired({"title": "T"}, title_format=form).scalars


@pytest.mark.parametrize("name", ["title_sort", "titleSort", "originalTitle", "editionTitle", "label", "labels"])
def test_desired_state_unsupported_field_never_appears(name: str) -> None:
    assert desired({**FULL, name: "x"}) == desired(FULL)


def test_desired_state_does_not_change_its_data() -> None:
    data = {"summary": "S", "tags": ["b", "a"]}
    desired(data, max_tags=1)
    assert data == {"summary": "S", "tags": ["b", "a"]}

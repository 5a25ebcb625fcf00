"""What an item should be in Plex, from a job's data and the settings."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.desired import LONGEST, Desired, clean, desired_state, fitting, tag_key, unique, whole_date
from stash.settings import Stash2PlexConfig

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


def desired(data: dict[str, Any], **settings: Any) -> Desired:
    """The wished-for state of a file called stem.mp4."""
    return desired_state(data, Stash2PlexConfig.from_settings(settings), "stem")


def test_a_full_scene() -> None:
    assert desired(FULL) == Desired(
        scalars={
            "title": "A title",
            "summary": "Some details",
            "studio": "Atlas",
            "originallyAvailableAt": "2019-07-31",
        },
        tags={"actor": ["Ada", "Bea"], "genre": ["Outdoor", "Black, White"]},
        rating=8.0,
        has_rating=True,
    )


def test_an_empty_field_clears_but_the_title_which_is_the_file_name() -> None:
    assert desired(EMPTY) == Desired(
        scalars={"title": "stem", "summary": "", "studio": "", "originallyAvailableAt": ""},
        tags={"actor": [], "genre": []},
        rating=None,
        has_rating=True,
    )


@pytest.mark.parametrize("title", [" ", "\n\t", "\x00", None])
def test_a_title_of_nothing_but_space_is_an_empty_one(title: str | None) -> None:
    assert desired({"title": title}).scalars == {"title": "stem"}


def test_texts_are_written_as_they_are() -> None:
    assert desired({"title": " a  b ", "details": "a\r\n\r\n b "}).scalars == {"title": " a  b ", "summary": "a\n\n b "}


@pytest.mark.parametrize("text", ["word " * 3000, "日本語 の " * 2000, "日" * 5000, "x" * 20_000])
def test_details_too_long_for_a_request_are_cut_and_it_is_said(text: str) -> None:
    found = desired({"details": text})
    summary = found.scalars["summary"]
    assert summary.endswith("\u2026")
    assert text.startswith(summary[:-1])
    assert LONGEST * 3 // 4 - 20 < len(quote(summary, safe="")) <= LONGEST
    assert " " not in text or text[len(summary) - 1] == " "
    assert found.notes == ("the details are too long for one request to Plex: cut at a word",)


@given(st.text(max_size=60), st.integers(12, 200))
def test_a_text_that_fits_is_left_as_it_is(text: str, limit: int) -> None:
    found, cut = fitting(text, limit)
    assert cut is (len(quote(text, safe="")) > limit)
    assert cut or found == text
    assert not cut or (found.endswith("\u2026") and text.startswith(found[:-1]))
    assert len(quote(found, safe="")) <= limit


@pytest.mark.parametrize("name", EMPTY)
def test_a_key_that_is_absent_is_not_decided(name: str) -> None:
    whole, part = desired(FULL), desired({key: value for key, value in FULL.items() if key != name})
    gone = {"title", "summary", "studio", "originallyAvailableAt", "actor", "genre"} - {*part.scalars, *part.tags}
    field = {"details": "summary", "date": "originallyAvailableAt", "performers": "actor", "tags": "genre"}
    if name == "rating100":
        assert (gone, part.has_rating, part.rating) == (set(), False, None)
        return
    assert gone == {field.get(name, name)}
    assert {**whole.scalars, **part.scalars} == whole.scalars
    assert (part.rating, part.has_rating) == (8.0, True)


def test_nothing_given_is_nothing_wished_for() -> None:
    assert desired({}) == Desired({}, {})
    assert desired({"path": "/x", "poster_url": "y"}) == Desired({}, {})


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
    ],
)
def test_a_switch_takes_its_field_out_and_no_other(switch: str, field: str) -> None:
    data = {**FULL, "tagline": "T"}
    whole, part = desired(data), desired(data, **{switch: False})
    assert {*whole.scalars, *whole.tags} - {*part.scalars, *part.tags} == {field}
    assert part.has_rating


def test_the_rating_has_its_switch_and_all_have_one() -> None:
    assert not desired(FULL, sync_rating=False).has_rating
    assert desired(FULL, sync_rating=False).rating is None
    assert desired(FULL, sync_rating=False).scalars == desired(FULL).scalars
    assert desired(FULL, sync_master=False) == Desired({}, {})


@pytest.mark.parametrize(("stars", "rating"), [(0, 0.0), (1, 0.1), (55, 5.5), (99, 9.9), (100, 10.0), (None, None)])
def test_a_rating_of_a_hundred_is_one_of_ten(stars: int | None, rating: float | None) -> None:
    found = desired({"rating100": stars})
    assert (found.rating, found.has_rating) == (rating, True)


def test_a_summary_is_read_as_details_where_there_are_none() -> None:
    assert desired({"summary": "S"}).scalars == {"summary": "S"}
    assert desired({"summary": "S", "details": "D"}).scalars == {"summary": "D"}
    assert desired({"summary": "S", "details": ""}).scalars == {"summary": ""}


def test_a_tagline_only_where_it_is_given() -> None:
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
def test_a_partial_date_is_completed_and_a_bad_one_left_alone(date: str | None, whole: str | None) -> None:
    assert whole_date(date) == whole
    found = desired({"date": date})
    assert found.scalars == ({} if whole is None else {"originallyAvailableAt": whole})
    assert bool(found.notes) is (whole is None)


@given(st.dates())
def test_a_date_and_its_parts_are_whole_dates(date: Any) -> None:
    text = date.isoformat()
    assert [whole_date(text[:length]) for length in (10, 7, 4)] == [text, f"{text[:7]}-01", f"{text[:4]}-01-01"]


def test_too_many_tags_are_cut_the_same_way_every_time_and_it_is_said() -> None:
    tags = ["b", "Ä", "a", "C", "d"]
    found = desired({"tags": tags}, max_tags=3)
    assert found.tags == {"genre": ["a", "b", "C"]}
    assert found.notes == ("5 tags, 3 are allowed: 2 left out",)
    assert desired({"tags": tags[::-1]}, max_tags=3).tags == found.tags
    assert desired({"tags": tags}, max_tags=5) == desired({"tags": tags})
    assert desired({"tags": tags}).tags == {"genre": tags}
    assert desired({"performers": tags}, max_tags=3).tags == {"actor": tags}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, ""),
        ("  a b \n", "  a b \n"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\tb", "a\tb"),
        ("a\x00b\x0bc\x1bd\x7fe", "abcde"),
        ("a\ud800b", "ab"),
        ("日本 🎬 \u200dé", "日本 🎬 \u200dé"),
        (5, "5"),
    ],
)
def test_clean(text: object, wanted: str) -> None:
    assert clean(text) == wanted


@given(st.text(st.characters()))
def test_clean_text_is_clean_and_can_be_sent(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean(text).encode().decode() == clean(text)
    assert clean(text).split() == clean(" " + text + "\r\n").split()
    assert not any(unicodedata.category(letter) == "Cc" for letter in clean(text) if letter not in "\n\t")


def test_names_that_plex_holds_as_one_are_one() -> None:
    nfd = unicodedata.normalize("NFD", "Zoë")
    assert unique(["Zoë", nfd, "ZOË", "Zo\x00ë", "", " ", None, "Ada", "\x00"]) == ["Zoë", "Ada"]
    assert unique(None) == []
    assert tag_key(nfd) == tag_key("ZOË")
    assert tag_key("a, b") != tag_key("a b")


@given(st.lists(st.text(max_size=4), max_size=8))
def test_unique_keeps_order_and_drops_nothing_that_differs(names: list[str]) -> None:
    found = unique(names)
    assert unique(found) == found
    assert len({tag_key(name) for name in found}) == len(found)
    assert {tag_key(name) for name in found} == {tag_key(clean(name)) for name in names if clean(name).strip()}
    places = [[clean(name) for name in names].index(name) for name in found]
    assert places == sorted(places)


def test_the_callers_data_is_left_as_it_was() -> None:
    data = {"summary": "S", "tags": ["b", "a"]}
    desired(data, max_tags=1)
    assert data == {"summary": "S", "tags": ["b", "a"]}

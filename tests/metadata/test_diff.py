"""The difference between what an item is and what it should be."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.desired import Desired, desired_state
from metadata.diff import Actual, Change, Diff, difference
from stash.settings import Stash2PlexConfig

WISH = Desired(
    {"title": "T", "summary": "", "studio": "S"}, {"actor": ["Ada"], "genre": []}, rating=8.0, has_rating=True
)
THERE = Actual({"title": "T", "studio": "S"}, {"actor": ["Ada"]}, rating=8.0)


def test_an_item_that_is_as_it_should_be_needs_nothing() -> None:
    found = difference(THERE, WISH)
    assert found == Diff()
    assert not found
    assert found.changes == []


def test_each_difference_is_a_change_from_old_to_new() -> None:
    actual = Actual({"title": "Old", "summary": "Old"}, {"actor": ["Bea", "Ada"], "genre": ["x"]}, rating=None)
    found = difference(actual, WISH)
    assert found
    assert found.changes == [
        Change("title", "Old", "T"),
        Change("summary", "Old", ""),
        Change("studio", "", "S"),
        Change("actor", ["Bea", "Ada"], ["Ada"]),
        Change("genre", ["x"], []),
        Change("userRating", None, 8.0),
    ]


def test_what_is_not_wished_for_is_left_alone() -> None:
    actual = Actual({"title": "x", "tagline": "y"}, {"genre": ["z"], "writer": ["w"]}, rating=3.0)
    assert not difference(actual, Desired({}, {}))
    assert difference(actual, Desired({"tagline": ""}, {})).changes == [Change("tagline", "y", "")]


@pytest.mark.parametrize(
    ("old", "new"), [("a", "A"), ("a b", "a  b"), ("a\nb", "a b"), ("é", "e\u0301"), (" a ", "a"), ("a", "a\n")]
)
def test_any_difference_of_a_text_is_one(old: str, new: str) -> None:
    assert difference(Actual({"summary": old}, {}), Desired({"summary": new}, {})).changes == [
        Change("summary", old, new)
    ]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (["Zoë"], [unicodedata.normalize("NFD", "Zoë")], True),
        (["OUTDOOR", "b"], ["B", "Outdoor"], True),
        (["straße"], ["STRASSE"], True),
        ([], [], True),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
        (["a"], [], False),
        (["e"], ["é"], False),
    ],
)
def test_tags_are_compared_as_plex_holds_them(old: list[str], new: list[str], same: bool) -> None:
    found = difference(Actual({}, {"genre": old}), Desired({}, {"genre": new}))
    assert found.changes == ([] if same else [Change("genre", old, new)])


@pytest.mark.parametrize(
    ("old", "new", "ours", "changed"),
    [
        (None, 8.0, False, True),
        (8.0, 8.0, False, False),
        (8.0, 8.04, False, False),
        (8.0, 8.1, False, True),
        (9.0, 8.0, False, True),
        (None, 0.0, False, True),
        (0.0, 0.0, False, False),
        (None, None, True, False),
        (8.0, None, True, True),
        (8.0, None, False, False),
        (0.0, None, True, True),
    ],
)
def test_a_rating_is_written_where_it_differs_and_cleared_only_where_it_is_ours(
    old: float | None, new: float | None, ours: bool, changed: bool
) -> None:
    wish = Desired({}, {}, rating=new, has_rating=True)
    found = difference(Actual({}, {}, old), wish, rating_is_ours=ours)
    assert found.changes == ([Change("userRating", old, new)] if changed else [])
    assert not difference(Actual({}, {}, old), Desired({}, {}, rating=new), rating_is_ours=ours)


@pytest.mark.parametrize("ours", [True, False])
def test_preserving_writes_only_where_plex_has_nothing(ours: bool) -> None:
    wish = Desired(
        {"title": "T", "summary": "S", "studio": "X"}, {"actor": ["a"], "genre": ["g"]}, rating=8.0, has_rating=True
    )
    actual = Actual({"title": "mine", "summary": ""}, {"actor": ["mine"]}, rating=0.0)
    found = difference(actual, wish, preserve=True, rating_is_ours=ours)
    assert found.changes == [Change("summary", "", "S"), Change("studio", "", "X"), Change("genre", [], ["g"])]
    emptied = Desired({"title": ""}, {"actor": []}, rating=None, has_rating=True)
    assert not difference(actual, emptied, preserve=True, rating_is_ours=ours)


NAMES = st.lists(st.text(max_size=6), max_size=5)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=12) | st.none(),
        "details": st.text(max_size=30) | st.none(),
        "tagline": st.text(max_size=12),
        "studio": st.text(max_size=8) | st.none(),
        "date": st.sampled_from(["2019", "2019-07", "2019-07-31", "x", "", None]),
        "rating100": st.integers(0, 100) | st.none(),
        "performers": NAMES,
        "tags": NAMES,
    },
)
ACTUALS = st.builds(
    Actual,
    st.dictionaries(
        st.sampled_from(["title", "summary", "tagline", "studio", "originallyAvailableAt"]), st.text(max_size=12)
    ),
    st.dictionaries(st.sampled_from(["actor", "genre", "writer"]), NAMES),
    st.none() | st.floats(0, 10),
)


def wish_of(data: dict[str, Any]) -> Desired:
    """The wished-for state with everything switched on."""
    return desired_state(data, Stash2PlexConfig(), "stem")


def written(actual: Actual, found: Diff) -> Actual:
    """The item after the changes were written."""
    scalars = {**actual.scalars, **{change.field: change.new for change in found.scalars}}
    tags = {**actual.tags, **{change.field: change.new for change in found.tags}}
    return Actual(scalars, tags, found.rating.new if found.rating else actual.rating)


@given(DATA)
def test_an_item_built_from_the_wish_needs_nothing(data: dict[str, Any]) -> None:
    wish = wish_of(data)
    for preserve in (True, False):
        assert not difference(Actual(wish.scalars, wish.tags, wish.rating), wish, preserve=preserve)


@given(DATA, ACTUALS, st.booleans(), st.booleans())
def test_after_writing_nothing_differs_any_more(
    data: dict[str, Any], actual: Actual, preserve: bool, ours: bool
) -> None:
    wish = wish_of(data)
    found = difference(actual, wish, preserve=preserve, rating_is_ours=ours)
    assert not difference(written(actual, found), wish, preserve=preserve, rating_is_ours=ours)
    assert bool(found) is bool(found.changes)


@given(DATA, ACTUALS, st.booleans())
def test_preserving_never_overwrites(data: dict[str, Any], actual: Actual, ours: bool) -> None:
    found = difference(actual, wish_of(data), preserve=True, rating_is_ours=ours)
    assert all(change.old in ("", [], None) for change in found.changes)


@given(DATA, ACTUALS)
def test_only_what_is_wished_for_is_changed(data: dict[str, Any], actual: Actual) -> None:
    wish = wish_of(data)
    found = difference(actual, wish)
    assert {change.field for change in found.changes} <= {*wish.scalars, *wish.tags, "userRating"}
    assert all(change.new == wish.scalars[change.field] for change in found.scalars)
    assert all(change.new == wish.tags[change.field] for change in found.tags)

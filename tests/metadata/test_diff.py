"""The diff between an item and its desired state."""

from __future__ import annotations

import unicodedata
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.desired_state import DesiredState, desired_state
from metadata.diff import ActualState, Change, Diff, compute_diff
from metadata.edit_query import edit_queries
from metadata.text import tag_key
from settings.config import Stash2PlexConfig

from .plexmodel import after

pytestmark = [pytest.mark.unit, pytest.mark.slow(seconds=8)]

DESIRED = DesiredState(
    {"title": "T", "summary": "", "studio": "S"}, {"actor": ["Ada"], "genre": []}, rating=8.0, has_rating=True
)
THERE = ActualState({"title": "T", "studio": "S"}, {"actor": ["Ada"]}, rating=8.0)


def test_compute_diff_of_equal_states_is_empty() -> None:
    found = compute_diff(THERE, DESIRED)
    assert found == Diff()
    assert not found
    assert found.changes == []


def test_compute_diff_returns_each_change() -> None:
    actual = ActualState({"title": "Old", "summary": "Old"}, {"actor": ["Bea", "Ada"], "genre": ["x"]}, rating=None)
    found = compute_diff(actual, DESIRED)
    assert found
    assert found.changes == [
        Change("title", "Old", "T"),
        Change("summary", "Old", ""),
        Change("studio", "", "S"),
        Change("actor", ["Bea", "Ada"], ["Ada"]),
        Change("genre", ["x"], []),
        Change("userRating", None, 8.0),
    ]


def test_compute_diff_ignores_undesired_fields() -> None:
    actual = ActualState({"title": "x", "tagline": "y"}, {"genre": ["z"], "writer": ["w"]}, rating=3.0)
    assert not compute_diff(actual, DesiredState({}, {}))
    assert compute_diff(actual, DesiredState({"tagline": ""}, {})).changes == [Change("tagline", "y", "")]


@pytest.mark.parametrize(
    ("old", "new"), [("a", "A"), ("a b", "a  b"), ("a\nb", "a b"), ("é", "e\u0301"), (" a ", "a"), ("a", "a\n")]
)
def test_compute_diff_sees_any_difference_of_text(old: str, new: str) -> None:
    assert compute_diff(ActualState({"summary": old}, {}), DesiredState({"summary": new}, {})).changes == [
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
def test_compute_diff_compares_tags_as_plex_does(old: list[str], new: list[str], same: bool) -> None:
    found = compute_diff(ActualState({}, {"genre": old}), DesiredState({}, {"genre": new}))
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
def test_compute_diff_clears_only_our_rating(old: float | None, new: float | None, ours: bool, changed: bool) -> None:
    desired = DesiredState({}, {}, rating=new, has_rating=True)
    found = compute_diff(ActualState({}, {}, old), desired, rating_is_ours=ours)
    assert found.changes == ([Change("userRating", old, new)] if changed else [])
    assert not compute_diff(ActualState({}, {}, old), DesiredState({}, {}, rating=new), rating_is_ours=ours)


@pytest.mark.parametrize("ours", [True, False])
def test_compute_diff_preserve_fills_only_empty_fields(ours: bool) -> None:
    desired = DesiredState(
        {"title": "T", "summary": "S", "studio": "X"}, {"actor": ["a"], "genre": ["g"]}, rating=8.0, has_rating=True
    )
    actual = ActualState({"title": "mine", "summary": ""}, {"actor": ["mine"]}, rating=0.0)
    found = compute_diff(actual, desired, preserve=True, rating_is_ours=ours)
    assert found.changes == [Change("summary", "", "S"), Change("studio", "", "X"), Change("genre", [], ["g"])]
    emptied = DesiredState({"title": ""}, {"actor": []}, rating=None, has_rating=True)
    assert not compute_diff(actual, emptied, preserve=True, rating_is_ours=ours)


def test_compute_diff_removes_only_owned_collections() -> None:
    actual = ActualState({}, {"collection": ["Mine", "Old studio", "Other"]})
    found = compute_diff(actual, DesiredState({}, {"collection": ["Atlas"]}), owned=["old STUDIO", "gone long ago"])
    assert found.changes == [Change("collection", ["Mine", "Old studio", "Other"], ["Mine", "Other", "Atlas"])]
    assert (found.collections_added, found.collections_removed) == (["Atlas"], ["Old studio"])


def test_compute_diff_does_not_claim_collections_of_the_user() -> None:
    desired = DesiredState({}, {"collection": ["Atlas", "Ada"]})
    assert not compute_diff(ActualState({}, {"collection": ["ATLAS", "Ada"]}), desired)
    found = compute_diff(ActualState({}, {"collection": ["ATLAS"]}), desired)
    assert (found.changes, found.collections_added) == ([Change("collection", ["ATLAS"], ["ATLAS", "Ada"])], ["Ada"])


def test_compute_diff_partial_state_removes_no_collection() -> None:
    actual = ActualState({}, {"collection": ["Old"]})
    desired = DesiredState({}, {"collection": ["Atlas"]}, partial=frozenset({"collection"}))
    found = compute_diff(actual, desired, owned=["Old"])
    assert found.changes == [Change("collection", ["Old"], ["Old", "Atlas"])]
    assert not compute_diff(
        actual, DesiredState({}, {"collection": []}, partial=frozenset({"collection"})), owned=["Old"]
    )


def test_compute_diff_preserve_adds_collections_only_to_none() -> None:
    desired = DesiredState({}, {"collection": ["Atlas"]})
    assert compute_diff(ActualState({}, {}), desired, preserve=True).collections_added == ["Atlas"]
    for there in (["Mine"], ["Old"], ["Mine", "Old"]):
        assert not compute_diff(ActualState({}, {"collection": there}), desired, preserve=True, owned=["Old"])
        assert not compute_diff(
            ActualState({}, {"collection": there}), DesiredState({}, {"collection": []}), preserve=True, owned=["Old"]
        )


def test_diff_without_collections_has_no_collection_changes() -> None:
    found = compute_diff(ActualState({}, {"genre": ["a"]}), DesiredState({}, {"genre": ["b"]}))
    assert (found.collections_added, found.collections_removed) == ([], [])
    assert [(change.added, change.removed) for change in found.changes] == [(["b"], ["a"])]
    assert [
        (change.added, change.removed) for change in compute_diff(THERE, DesiredState({"title": "x"}, {})).changes
    ] == [([], [])]


def test_compute_diff_order_of_actors_counts_only_with_reorder() -> None:
    there = ActualState({}, {"actor": ["Bea", "Ada"], "genre": ["b", "a"]})
    desired = DesiredState({}, {"actor": ["Ada", "Bea"], "genre": ["a", "b"]})
    assert not compute_diff(there, desired)
    assert compute_diff(there, desired, reorder=True).changes == [Change("actor", ["Bea", "Ada"], ["Ada", "Bea"])]
    assert not compute_diff(there, desired, reorder=True, preserve=True)
    assert not compute_diff(ActualState({}, {"actor": ["ADA", "bea"], "genre": ["b", "a"]}), desired, reorder=True)


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
        "director": st.text(max_size=6),
        "groups": NAMES,
    },
)
ACTUALS = st.builds(
    ActualState,
    st.dictionaries(
        st.sampled_from(["title", "summary", "tagline", "studio", "originallyAvailableAt"]), st.text(max_size=12)
    ),
    st.dictionaries(st.sampled_from(["actor", "genre", "director", "collection", "label", "writer"]), NAMES),
    st.none() | st.floats(0, 10),
)
CONFIG = Stash2PlexConfig(collections="studio, performer, group", collection_prefix="group=Box: ")


def desired_for(data: dict[str, Any]) -> DesiredState:
    """Return the desired state with every field switched on."""
    return desired_state(cast(SceneData, data), CONFIG, "stem")


def written(actual: ActualState, found: Diff) -> ActualState:
    """Return the item after the changes were written."""
    scalars = {**actual.scalars, **{change.field: change.new for change in found.scalars}}
    tags = {**actual.tags, **{change.field: change.new for change in found.tags}}
    return ActualState(scalars, tags, found.rating.new if found.rating else actual.rating)


@given(DATA)
def test_compute_diff_of_item_built_from_desired_state_is_empty(data: dict[str, Any]) -> None:
    desired = desired_for(data)
    for preserve in (True, False):
        assert not compute_diff(ActualState(desired.scalars, desired.tags, desired.rating), desired, preserve=preserve)


@given(DATA, ACTUALS, st.booleans(), st.booleans())
def test_compute_diff_after_write_is_empty(
    data: dict[str, Any], actual: ActualState, preserve: bool, ours: bool
) -> None:
    desired = desired_for(data)
    found = compute_diff(actual, desired, preserve=preserve, rating_is_ours=ours)
    assert not compute_diff(written(actual, found), desired, preserve=preserve, rating_is_ours=ours)
    assert bool(found) is bool(found.changes)


@given(DATA, ACTUALS, st.booleans())
def test_compute_diff_preserve_never_overwrites(data: dict[str, Any], actual: ActualState, ours: bool) -> None:
    found = compute_diff(actual, desired_for(data), preserve=True, rating_is_ours=ours)
    assert all(change.old in ("", [], None) for change in found.changes)


@given(DATA, ACTUALS)
def test_compute_diff_changes_only_desired_fields(data: dict[str, Any], actual: ActualState) -> None:
    desired = desired_for(data)
    found = compute_diff(actual, desired)
    assert {change.field for change in found.changes} <= {*desired.scalars, *desired.tags, "userRating"}
    assert all(change.new == desired.scalars[change.field] for change in found.scalars)
    assert all(change.new == desired.tags[change.field] for change in found.tags if change.field != "collection")


# What Plex can give back: no name twice, nothing that XML cannot hold, a rating of one decimal.
SHOWN = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=5), max_size=5,
                 unique_by=tag_key)  # fmt: skip
ITEMS = st.builds(
    ActualState,
    st.dictionaries(st.sampled_from(["title", "summary", "tagline", "studio"]), st.text(max_size=12)),
    st.dictionaries(st.sampled_from(["actor", "genre", "director", "collection", "label", "writer"]), SHOWN),
    st.none() | st.integers(0, 100).map(lambda tenths: tenths / 10),
)


def keys(names: Any) -> set[str]:
    """Return names as Plex compares them."""
    return {tag_key(name) for name in names}


@given(DATA, ITEMS, SHOWN, st.booleans(), st.booleans(), st.integers(200, 6000))
def test_edit_reaches_desired_state_under_both_list_readings(
    data: dict[str, Any], item: ActualState, owned: list[str], replace: bool, reorder: bool, limit: int
) -> None:
    # some of what is there is ours
    owned = [*owned, *item.tags.get("collection", ())[::2]]
    desired = desired_for(data)
    found = compute_diff(item, desired, rating_is_ours=True, owned=owned, reorder=True)
    shown = after(item, edit_queries(found, limit), replace=replace, reorder=reorder)

    for name, text in {**item.scalars, **desired.scalars}.items():
        assert shown.scalars.get(name, "") == text
    assert not compute_diff(shown, desired, rating_is_ours=True, owned=owned)
    assert edit_queries(compute_diff(shown, desired, rating_is_ours=True, owned=owned)) == []
    for kind in ("actor", "genre", "director"):
        assert keys(shown.tags.get(kind, ())) == keys(desired.tags.get(kind, item.tags.get(kind, ())))
    for kind in ("label", "writer"):
        assert shown.tags.get(kind) == item.tags.get(kind)
    if (replace or reorder) and "actor" in desired.tags:
        assert list(map(tag_key, shown.tags.get("actor", ()))) == list(map(tag_key, desired.tags["actor"]))

    before, now = keys(item.tags.get("collection", ())), keys(shown.tags.get("collection", ()))
    wanted = keys(desired.tags.get("collection", ()))
    assert before - keys(owned) <= now
    assert wanted <= now
    assert now - before == keys(found.collections_added) <= wanted
    assert before - now == keys(found.collections_removed) <= keys(owned) - wanted
    if "collection" in desired.tags and not desired.partial:
        assert now == (before - keys(owned)) | wanted


@given(DATA, ITEMS, SHOWN, st.booleans())
def test_edit_preserve_keeps_values_under_both_list_readings(
    data: dict[str, Any], item: ActualState, owned: list[str], replace: bool
) -> None:
    found = compute_diff(item, desired_for(data), preserve=True, rating_is_ours=True, owned=owned, reorder=True)
    shown = after(item, edit_queries(found), replace=replace, reorder=True)
    assert {name: shown.scalars[name] for name, text in item.scalars.items() if text} == {
        name: text for name, text in item.scalars.items() if text
    }
    assert {kind: shown.tags[kind] for kind, names in item.tags.items() if names} == {
        kind: names for kind, names in item.tags.items() if names
    }
    assert item.rating is None or shown.rating == item.rating

"""Collections: the desired ones, and what happens to those that the item is in."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.desired_state import desired_state
from metadata.plex_collections import collections_for, merge_collections, owned_after_write
from metadata.text import tag_key
from settings.config import Stash2PlexConfig

pytestmark = pytest.mark.unit

DATA: dict[str, Any] = {
    "studio": "Atlas",
    "parent_studio": "Globe",
    "performers": ["Ada", "Bea"],
    "groups": ["Box one", "Box two"],
    "tags": ["Solo", "Series A", "Outdoor"],
    "tag_ids": ["1", "2", "3"],
    "organized": True,
}
FAMILIES = {"Series/*": {"9": "Series", "2": "Series A"}}


def names(data: dict[str, Any], kinds: str = "studio", prefix: str = "") -> tuple[list[str], bool] | None:
    """Return the collections of a scene."""
    config = Stash2PlexConfig.from_settings({"collections": kinds, "collection_prefix": prefix})
    assert config.problems == ()
    return collections_for(cast(SceneData, data), config, FAMILIES)


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ("studio", ["Atlas"]),
        ("parent_studio", ["Globe"]),
        ("performer", ["Ada", "Bea"]),
        ("group", ["Box one", "Box two"]),
        ("tag(solo|3|nothing)", ["Solo", "Outdoor"]),
        ("tag(Series/*)", ["Series A"]),
        ("organized", ["Organized"]),
        ("organized, Studio , tag(Solo)", ["Organized", "Atlas", "Solo"]),
        (",", []),
    ],
)
def test_collections_for_each_kind(kinds: str, wanted: list[str]) -> None:
    assert names(DATA, kinds) == (wanted, True)


def test_collections_for_applies_prefix_of_the_kind() -> None:
    prefix = "studio=Studio: ; performer=Actor: ;organized=\u2605 "
    assert names(DATA, "studio,performer,group,organized", prefix) == (
        ["Studio: Atlas", "Actor: Ada", "Actor: Bea", "Box one", "Box two", "\u2605 Organized"],
        True,
    )


def test_collections_for_skips_empty_and_equal_names() -> None:
    empty: dict[str, Any] = {"studio": None, "parent_studio": None, "performers": [], "groups": None, "tags": []}
    assert names({**empty, "organized": False}, "studio,parent_studio,performer,group,tag(a),organized") == ([], True)
    assert names({"studio": "Atlas", "parent_studio": "ATLAS"}, "studio,parent_studio", "tag=x") == (["Atlas"], True)
    assert names({"studio": " "}, "studio", "studio=Studio: ") == ([], True)
    assert names({"studio": "A\x00B"}) == (["AB"], True)


def test_collections_for_without_keys_is_none() -> None:
    assert names({}) is None
    assert names({"title": "x"}, "studio,group") is None
    assert names({"studio": "Atlas"}, "studio,group") == (["Atlas"], False)
    assert names({}, ",") == ([], True)


def test_desired_state_partial_collections_are_marked() -> None:
    config = Stash2PlexConfig.from_settings({"collections": "studio, group"})
    found = desired_state({"studio": "Atlas"}, config, "stem")
    assert (found.tags, found.partial) == ({"collection": ["Atlas"]}, frozenset({"collection"}))
    assert desired_state({"studio": "Atlas", "groups": []}, config, "stem").partial == frozenset()
    assert "collection" not in desired_state({"title": "x"}, config, "stem").tags


@pytest.mark.parametrize(
    ("there", "desired", "owned", "wanted"),
    [
        ([], ["A"], [], ["A"]),
        (["Mine"], ["A"], [], ["Mine", "A"]),
        (["Mine", "a"], ["A"], [], ["Mine", "a"]),
        (["Mine", "A"], ["B"], ["A"], ["Mine", "B"]),
        (["Mine", "a"], [], ["A"], ["Mine"]),
        (["Mine", "A"], [], [], ["Mine", "A"]),
        (["Mine"], [], ["A"], ["Mine"]),
        (["A"], ["a"], ["A"], ["A"]),
    ],
)
def test_merge_collections_removes_only_owned(
    there: list[str], desired: list[str], owned: list[str], wanted: list[str]
) -> None:
    assert merge_collections(there, desired, owned, complete=True) == wanted
    assert merge_collections(there, desired, owned, complete=False)[: len(there)] == there


def test_owned_after_write_drops_what_the_user_removed() -> None:
    assert owned_after_write(["A", "B"], ["b", "Mine"], added=["C"]) == ["B", "C"]
    assert owned_after_write(["A", "B"], ["A", "B"], removed=["a"]) == ["B"]
    assert owned_after_write([], ["Mine"]) == []


NAMES = st.lists(st.text(min_size=1, max_size=3), max_size=5, unique_by=tag_key)


@given(NAMES, NAMES, NAMES, st.booleans())
def test_merge_collections_keeps_others_and_is_idempotent(
    there: list[str], desired: list[str], owned: list[str], whole: bool
) -> None:
    found = merge_collections(there, desired, owned, complete=whole)
    keys = [tag_key(name) for name in found]
    theirs = [name for name in there if tag_key(name) not in {tag_key(one) for one in owned}]
    assert [name for name in found if name in theirs] == theirs
    assert {tag_key(name) for name in desired} <= set(keys)
    assert len(set(keys)) == len(keys)
    assert merge_collections(found, desired, owned, complete=whole) == found

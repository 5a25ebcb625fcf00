"""The user's tag rules."""

from __future__ import annotations

import unicodedata
from typing import cast

import pytest

from common.scene import SceneData
from metadata.tag_rules import NO_DESCENDANTS, tag_rule_for, tags_of

pytestmark = pytest.mark.unit

FAMILIES = {"Place/*": {"7": "Place", "8": "Outdoor", "9": "Zoë's garden"}, "7/*": {"7": "Place", "8": "Outdoor"}}


@pytest.mark.parametrize(
    ("rule", "name", "tag_id", "meant"),
    [
        ("Outdoor", "Outdoor", "8", True),
        ("outDOOR", "Outdoor", None, True),
        (unicodedata.normalize("NFD", "zoë"), "ZOË", None, True),
        ("Out", "Outdoor", "8", False),
        ("8", "Outdoor", "8", True),
        ("8", "Outdoor", None, False),
        ("8", "8", None, False),
        ("8", "8", "3", False),
        ("Place/*", "Outdoor", "8", True),
        ("Place/*", "Place", "7", True),
        ("Place/*", "Place", None, True),
        ("Place/*", "outdoor", None, True),
        # renamed since: the id counts, where there is one
        ("Place/*", "Outside", "8", True),
        ("Place/*", "Outdoor", "30", False),
        ("7/*", "Outdoor", "8", True),
        ("7/*", "Zoë's garden", "9", False),
        # Stash was not asked, or knows no such tag: the tag itself
        ("Time/*", "time", "1", True),
        ("Time/*", "Night", "2", False),
        ("1/*", "Time", "1", True),
    ],
)
def test_tag_rule_for_matches_names_ids_and_descendants(rule: str, name: str, tag_id: str | None, meant: bool) -> None:
    assert tag_rule_for(["nothing", rule], FAMILIES, name, tag_id) == (rule if meant else None)


def test_tag_rule_for_without_rules_is_none() -> None:
    assert tag_rule_for([], NO_DESCENDANTS, "a", "1") is None


def test_tags_of_has_ids_only_if_complete() -> None:
    assert list(tags_of({"tags": ["a", "b"], "tag_ids": ["1", "2"]})) == [("a", "1"), ("b", "2")]
    assert list(tags_of({"tags": ["a", "b"], "tag_ids": [None, "2"]})) == [("a", None), ("b", "2")]
    assert list(tags_of({"tags": ["a", "b"], "tag_ids": ["2"]})) == [("a", None), ("b", None)]
    assert list(tags_of({"tags": ["a"]})) == [("a", None)]
    assert list(tags_of(cast(SceneData, {"tags": ["a\x00", None]}))) == [("a", None), ("", None)]
    assert list(tags_of(cast(SceneData, {"tags": None}))) == list(tags_of({})) == []

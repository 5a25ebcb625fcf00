"""The user's filters: which scenes they skip, and with what reason."""

from __future__ import annotations

from typing import Any, cast

import pytest

from common.scene import SceneData
from metadata.filters import filter_reason, is_below
from settings.config import Stash2PlexConfig

pytestmark = pytest.mark.unit

DATA: dict[str, Any] = {
    "path": "/data/Atlas/one.mp4",
    "organized": True,
    "has_stash_id": True,
    "tags": ["Outdoor", "Solo"],
    "tag_ids": ["8", "12"],
}
BARE = {"path": "/data/Atlas/one.mp4"}
FAMILIES = {"Place/*": {"7": "Place", "8": "Outdoor"}}


def reason(data: dict[str, Any], **settings: Any) -> str | None:
    """Return why the scene is skipped."""
    config = Stash2PlexConfig.from_settings(settings)
    assert config.problems == ()
    return filter_reason(cast(SceneData, data), config, FAMILIES)


def test_filter_reason_without_filters_is_none() -> None:
    assert reason(DATA) is None
    assert reason({}) is None


@pytest.mark.parametrize(
    ("settings", "changed", "wanted"),
    [
        ({"only_organized": True}, {"organized": False}, "is not organized, and Only organized scenes is on"),
        (
            {"only_with_stash_id": True},
            {"has_stash_id": False},
            "has no StashID, and Only scenes with a StashID is on",
        ),
        ({"exclude_paths": "/x, /data/Atlas/"}, {}, "is in /data/Atlas/, which Exclude paths lists"),
        ({"exclude_tags": "Duo, Solo"}, {}, "has the tag Solo, which Exclude tags lists"),
        ({"exclude_tags": "solo"}, {}, "has the tag Solo, which Exclude tags lists as solo"),
        ({"exclude_tags": "12"}, {}, "has the tag Solo, which Exclude tags lists as 12"),
        ({"exclude_tags": "Place/*"}, {}, "has the tag Outdoor, which Exclude tags lists as Place/*"),
        ({"include_tags": "Duo, Trio"}, {}, "has none of the tags that Include tags lists"),
        ({"include_tags": "Duo"}, {"tags": []}, "has none of the tags that Include tags lists"),
        ({"include_tags": "Solo", "exclude_tags": "8"}, {}, "has the tag Outdoor, which Exclude tags lists as 8"),
    ],
)
def test_filter_reason_names_the_filter(settings: dict[str, Any], changed: dict[str, Any], wanted: str) -> None:
    assert reason({**DATA, **changed}, **settings) == wanted


@pytest.mark.parametrize(
    "settings",
    [
        {"only_organized": True},
        {"only_with_stash_id": True},
        {"exclude_tags": "Out, 7, Place"},
        {"include_tags": "Duo, solo"},
        {"include_tags": "Place/*"},
        {"exclude_paths": "/data/Atl, /data/Atlas/one, /data/Atlas/one.mp4x, /Data/Atlas"},
    ],
)
def test_filter_reason_of_matching_scene_is_none(settings: dict[str, Any]) -> None:
    assert reason(DATA, **settings) is None


def test_filter_reason_absent_key_satisfies_and_excludes_nothing() -> None:
    assert reason(BARE, only_organized=True)
    assert reason(BARE, only_with_stash_id=True)
    assert reason(BARE, include_tags="Solo")
    assert reason(BARE, exclude_tags="Solo") is None
    assert reason({}, exclude_paths="/, *") is None


@pytest.mark.parametrize(
    ("path", "rule", "wanted"),
    [
        ("/data/a/b.mp4", "/data/a", True),
        ("/data/a/b.mp4", "/data/a/", True),
        ("/data/a/b.mp4", "/data/a/b.mp4", True),
        ("/data/a/b.mp4", "/", True),
        ("/data/ab/b.mp4", "/data/a", False),
        ("/data/A/b.mp4", "/data/a", False),
        ("/data/Zoe\u0308/b.mp4", "/data/Zo\xeb", True),
        ("/data/[x] (1)/b.mp4", "/data/[x] (1)", True),
        ("/data/x/b.mp4", "/data/[x]", False),
        ("/data/a\\b/c.mp4", "/data/a", False),
        ("/data/x/y/private/b.mp4", "/data/*/private", True),
        ("/data/x/private2/b.mp4", "/data/*/private", False),
        ("/data/x/b.trailer.mp4", "*.trailer.mp4", True),
        ("/data/x/trailers/b.mp4", "*/trailers", True),
        ("/data/x1/b.mp4", "/data/x?", True),
        ("/data/x/b.mp4", "/data/x?", False),
        ("/data/x\n1/b.mp4", "/data/*1", True),
        ("D:\\Videos\\Private\\b.mp4", "d:\\videos\\private", True),
        ("D:\\Videos\\Private\\b.mp4", "D:/Videos", True),
        ("D:\\Videos\\Private\\b.mp4", "D:\\", True),
        ("D:\\Videos\\Private\\b.mp4", "D:\\Vid", False),
        ("\\\\nas\\share\\x\\b.mp4", "\\\\NAS\\share", True),
        ("", "*", False),
    ],
)
def test_is_below_compares_whole_components(path: str, rule: str, wanted: bool) -> None:
    assert is_below(path, rule) is wanted

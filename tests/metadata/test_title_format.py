"""Titles made by the user's format."""

from __future__ import annotations

from itertools import combinations
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.text import clean
from metadata.title_format import DATA_KEYS, format_title
from settings.syntax import PLACEHOLDERS, parse_title_format

pytestmark = pytest.mark.unit

FULL: dict[str, Any] = {
    "title": "T",
    "studio": "Atlas",
    "performers": ["Ada", "Bea"],
    "date": "2019-07",
    "code": "A-1",
}
NOTHING: dict[str, Any] = {"title": "", "studio": None, "performers": [], "date": None, "code": ""}


def made(form: str, *missing: str, **data: Any) -> str | None:
    """Return the title of the full scene without some of its values."""
    scene = {**FULL, **{name: NOTHING[name] for name in missing}, **data}
    return format_title(cast(SceneData, scene), form, "stem")


def test_format_title_placeholders_match_the_settings() -> None:
    assert {*DATA_KEYS, "filename"} == set(PLACEHOLDERS)


@pytest.mark.parametrize(
    ("form", "missing", "wanted"),
    [
        ("{title}", "", "T"),
        ("{title}", "title", "stem"),
        ("{filename}", "", "stem"),
        ("{performer}: {title}", "", "Ada, Bea: T"),
        ("{studio} - {title}", "", "Atlas - T"),
        ("{studio} - {title}", "studio", "T"),
        ("{studio} - {title}", "title", "Atlas - stem"),
        ("{title} - {studio}", "studio", "T"),
        ("{studio} - {date} - {title}", "date", "Atlas - T"),
        ("{studio} - {date} - {title}", "studio date", "T"),
        ("{studio} - {date} - {title}", "studio", "2019-07 - T"),
        ("{title} ({date})", "", "T (2019-07)"),
        ("{title} ({date})", "date", "T"),
        ("{title} [{code}] ({date})", "code", "T (2019-07)"),
        ("{title} [{code}] ({date})", "code date", "T"),
        ("[{code}] {title}", "code", "T"),
        ("{title} [{code}, {date}]", "code", "T [2019-07]"),
        ("{title} [{code}, {date}]", "date", "T [A-1]"),
        ("{title} ({studio} [{code}])", "code", "T (Atlas)"),
        ("{title} ({studio} [{code}])", "studio", "T ([A-1])"),
        ("Scene {code}: {title}", "code", "T"),
        ("Scene {code}: {title}", "", "Scene A-1: T"),
        ("{title} by {performer} at {studio}", "performers", "T at Atlas"),
        ("{title} by {performer} at {studio}", "studio", "T by Ada, Bea"),
        ("{title} (uncut)", "", "T (uncut)"),
        (":) {title} (", "", ":) T ("),
        ("{studio} {date}", "studio date", "T"),
        ("{studio} {date}", "studio date title", "stem"),
        ("{code}{studio}", "code", "Atlas"),
    ],
)
def test_format_title_missing_value_leaves_no_separator(form: str, missing: str, wanted: str) -> None:
    assert parse_title_format(form) == form
    assert made(form, *missing.split()) == wanted


@pytest.mark.parametrize("name", FULL)
def test_format_title_absent_key_is_none(name: str) -> None:
    part = cast(SceneData, {key: value for key, value in FULL.items() if key != name})
    assert format_title(part, "{title} {studio} {performer} {date} {code}", "stem") is None
    assert (format_title(part, "{title}", "stem") is None) is (name == "title")
    assert (format_title(part, "{filename}", "stem") is None) is (name == "title")


def test_format_title_does_not_format_values() -> None:
    assert made("{studio} - {title}", studio="{title} (x", title=" a  b ") == "{title} (x -  a  b "
    assert made("{studio} - {title}", studio=" ", title="T\x00\r\n") == "T\n"
    assert made("{title}", title="a - ") == "a - "


@given(st.text(max_size=20))
def test_format_title_plain_format_is_the_title(title: str) -> None:
    wanted = clean(title) if clean(title).strip() else "stem"
    assert format_title({"title": title}, "{title}", "stem") == wanted


SEPARATORS = st.text("-: ,|/[]()", max_size=4)


@given(st.lists(st.sampled_from(PLACEHOLDERS), min_size=1, max_size=6), st.lists(SEPARATORS, min_size=7, max_size=7))
def test_format_title_shows_each_value_in_order(names: list[str], texts: list[str]) -> None:
    form = texts[0] + "".join(f"{{{name}}}{text}" for name, text in zip(names, texts[1:], strict=False))
    shown = {"title": "T", "studio": "Atlas", "performer": "Ada, Bea", "date": "2019-07", "code": "A-1"}
    shown["filename"] = "stem"
    for count in range(4):
        for missing in combinations(["studio", "performers", "date", "code"], count):
            title = made(form, *missing)
            assert title
            assert title.strip()
            at = 0
            for name in names:
                if DATA_KEYS.get(name) not in missing:
                    at = title.index(shown[name], at) + len(shown[name])

"""Text for Plex: cleaning, truncating, comparing tags."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.text import clean, tag_key, truncate_for_request, unique_names

pytestmark = pytest.mark.unit


@given(st.text(max_size=60), st.integers(12, 200))
def test_truncate_for_request_keeps_text_that_fits(text: str, limit: int) -> None:
    found, cut = truncate_for_request(text, limit)
    assert cut is (len(quote(text, safe="")) > limit)
    assert cut or found == text
    assert not cut or (found.endswith("\u2026") and text.startswith(found[:-1]))
    assert len(quote(found, safe="")) <= limit


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
def test_clean_of_any_text_can_be_sent_as_xml(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean(text).encode().decode() == clean(text)
    assert clean(text).split() == clean(" " + text + "\r\n").split()
    assert not any(unicodedata.category(letter) == "Cc" for letter in clean(text) if letter not in "\n\t")


def test_unique_names_merges_names_that_are_one_tag_in_plex() -> None:
    nfd = unicodedata.normalize("NFD", "Zoë")
    assert unique_names(["Zoë", nfd, "ZOË", "Zo\x00ë", "", " ", None, "Ada", "\x00"]) == ["Zoë", "Ada"]
    assert unique_names(None) == []
    assert tag_key(nfd) == tag_key("ZOË")
    assert tag_key("a, b") != tag_key("a b")


@given(st.lists(st.text(max_size=4), max_size=8))
def test_unique_names_keeps_order_and_distinct_names(names: list[str]) -> None:
    found = unique_names(names)
    assert unique_names(found) == found
    assert len({tag_key(name) for name in found}) == len(found)
    assert {tag_key(name) for name in found} == {tag_key(clean(name)) for name in names if clean(name).strip()}
    places = [[clean(name) for name in names].index(name) for name in found]
    assert places == sorted(places)

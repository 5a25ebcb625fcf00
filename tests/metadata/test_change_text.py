"""Changes as text for users."""

from __future__ import annotations

import json

import pytest

from metadata.change_text import change_as_dict, change_as_line
from metadata.diff import Change, FieldValue

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (Change("title", "Old", "New"), 'title: "Old" -> "New"'),
        (Change("summary", "", "a\nb"), r'summary: nothing -> "a\nb"'),
        (Change("originallyAvailableAt", "2019-01-01", ""), 'date: "2019-01-01" -> nothing'),
        (Change("userRating", None, 8.0), "rating: nothing -> 8.0"),
        (Change("userRating", 0.0, None), "rating: 0.0 -> nothing"),
        (Change("genre", ["a", "Keep"], ["keep", "b, c", "日本"]), 'genres: +"b, c" +"日本" -"a"'),
        (Change("collection", [], ["Atlas"]), 'collections: +"Atlas"'),
        (Change("actor", ["Bea", "Ada"], ["Ada", "Bea"]), 'actors: in the order "Ada", "Bea"'),
        (Change("director", ["X"], []), 'director: -"X"'),
        (Change("tagline", "", "x" * 200), 'tagline: nothing -> "' + "x" * 100 + '\u2026"'),
    ],
)
def test_change_as_line_is_one_line(change: Change[FieldValue], wanted: str) -> None:
    assert change_as_line(change) == wanted
    assert "\n" not in change_as_line(change)


def test_change_as_dict_is_complete_json() -> None:
    assert change_as_dict(Change("summary", "x" * 200, "")) == {
        "field": "summary", "old": "x" * 200, "new": "", "added": [], "removed": [],
    }  # fmt: skip
    found = change_as_dict(Change("collection", ["Mine", "Old"], ["Mine", "New"]))
    assert found == {
        "field": "collection", "old": ["Mine", "Old"], "new": ["Mine", "New"], "added": ["New"], "removed": ["Old"],
    }  # fmt: skip
    assert json.loads(json.dumps(found)) == found

"""The quality gate: which metadata a scene needs to be written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.quality_gate import MEANINGFUL_FIELDS, has_meaningful_metadata

pytestmark = pytest.mark.unit

EMPTY: dict[str, Any] = {"studio": None, "performers": [], "tags": [], "details": "", "date": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("studio", "Atlas"),
        ("studio", {"id": "3"}),
        ("performers", ["Ada"]),
        ("performers", [{"id": "1"}]),
        ("tags", ["Outdoor"]),
        ("details", "x"),
        ("summary", "x"),
        ("date", "2019"),
    ],
)
def test_has_meaningful_metadata_with_any_one_field(name: str, value: object) -> None:
    assert has_meaningful_metadata({name: value})
    assert has_meaningful_metadata({**EMPTY, name: value})


@pytest.mark.parametrize("nothing", [None, "", "  \n", [], {}])
@pytest.mark.parametrize("name", [*MEANINGFUL_FIELDS, "summary"])
def test_has_meaningful_metadata_ignores_empty_values(name: str, nothing: object) -> None:
    assert not has_meaningful_metadata({**EMPTY, name: nothing})
    assert not has_meaningful_metadata({name: nothing})


@given(
    st.dictionaries(
        st.sampled_from(["title", "rating100", "path", "poster_url", "updated_at", "organized", "tagline"]),
        st.text() | st.integers() | st.booleans(),
    )
)
def test_has_meaningful_metadata_ignores_other_fields(others: dict[str, Any]) -> None:
    assert not has_meaningful_metadata({**EMPTY, **others})
    assert has_meaningful_metadata({**others, "date": "2019-07"})

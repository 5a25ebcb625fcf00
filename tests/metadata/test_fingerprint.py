"""The fingerprint of a desired state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.desired_state import DesiredState
from metadata.fingerprint import fingerprint

pytestmark = pytest.mark.unit

DESIRED = DesiredState(
    {"title": "T", "summary": "", "studio": "Atlas"},
    {"actor": ["Ada", "Bea"], "genre": ["x", "y"], "collection": ["Atlas"]},
    rating=8.0,
    has_rating=True,
)


def test_fingerprint_is_short_and_stable() -> None:
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(DESIRED))
    # Stored in ledgers: another value here makes every scene stale once.
    assert fingerprint(DESIRED) == "87370da488e43146"


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {"genre": ["Y", "x"], "collection": ["ATLAS"], "actor": ["ADA", "Bea"]}},
        {"scalars": {"studio": "Atlas", "summary": "", "title": "T"}},
        {"notes": ("said",)},
    ],
)
def test_fingerprint_ignores_what_plex_does_not_distinguish(changes: dict[str, Any]) -> None:
    assert fingerprint(replace(DESIRED, **changes)) == fingerprint(DESIRED)


@pytest.mark.parametrize(
    "changes",
    [
        {"scalars": {**DESIRED.scalars, "title": "t"}},
        {"scalars": {"title": "T", "studio": "Atlas"}},
        {"tags": {**DESIRED.tags, "actor": ["Bea", "Ada"]}},
        {"tags": {**DESIRED.tags, "genre": ["x"]}},
        {"tags": {**DESIRED.tags, "genre": []}},
        {"tags": {**DESIRED.tags, "collection": ["Bravo"]}},
        {"tags": {"actor": ["Ada", "Bea"], "genre": ["x", "y"]}},
        {"rating": 7.9},
        {"rating": None},
        {"has_rating": False},
        {"partial": frozenset({"collection"})},
    ],
)
def test_fingerprint_differs_for_other_states(changes: dict[str, Any]) -> None:
    assert fingerprint(replace(DESIRED, **changes)) != fingerprint(DESIRED)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_fingerprint_of_any_desired_state(scalars: dict[str, str], names: list[str]) -> None:
    found = fingerprint(DesiredState(scalars, {"genre": names}))
    assert found == fingerprint(DesiredState(dict(reversed(scalars.items())), {"genre": names[::-1]}))

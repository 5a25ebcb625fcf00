"""The kill points name functions of the product as strings; each must exist."""

from __future__ import annotations

import pytest

from tests.faults import kill_points
from tests.faults.test_interleavings import POINTS
from tests.faults.test_process_kills import KILL_POINTS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("place", sorted({point.where for point in KILL_POINTS if " @ " not in point.where}))
def test_kill_point_names_an_existing_function(place: str) -> None:
    owner, name = kill_points.resolve(place)
    assert callable(getattr(owner, name))


@pytest.mark.parametrize(("owner", "name"), POINTS, ids=lambda value: getattr(value, "__name__", value))
def test_interleaving_point_is_an_existing_function(owner: object, name: str) -> None:
    assert callable(getattr(owner, name))

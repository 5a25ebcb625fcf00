"""Fixtures that more than one package of tests uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House, small_library


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A running, configured house with sixty scenes."""
    made = House(tmp_path, small_library())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def bare_house(tmp_path: Path) -> Iterator[House]:
    """The same, not started: the test says how."""
    made = House(tmp_path, small_library())
    yield made
    made.stop()

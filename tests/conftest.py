"""Fixtures that more than one package of tests uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

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


@pytest.fixture
def mock_config() -> MagicMock:
    """Settings that reach a Plex; what is not named here is as on any double."""
    config = MagicMock(name="config")
    config.plex_url = "http://plex.invalid:32400"
    config.plex_token = "a token"
    config.plex_library = "Scenes"
    config.libraries = ["Scenes"]
    config.connect_timeout = 5.0
    config.read_timeout = 30.0
    config.strict_matching = True
    config.path_map = ""
    return config


@pytest.fixture
def mock_queue() -> MagicMock:
    """A queue that takes everything and has no file."""
    return MagicMock(name="queue", spec=["put"])

"""Fixtures of the Stash tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sandbox.library import generate
from sandbox.stash import StashSim

# a busy machine is slow, not wrong
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    """Yield a Stash with thirty scenes, the first ones special cases, and no password."""
    with StashSim(tmp_path / "stash", library=generate(scenes=30)) as found:
        yield found

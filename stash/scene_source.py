"""The parts of stashapp-tools' ``StashInterface`` that the plugin uses, as protocols for what callers may pass in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from common.scene import StashScene


class SceneFinder(Protocol):
    """Reads one scene."""

    def find_scene(self, scene_id: int, /, fragment: str) -> StashScene | None:
        """Return a scene with the fields of ``fragment``, or None if Stash has none with this id."""


class ScenePager(Protocol):
    """Reads pages of scenes."""

    def find_scenes(
        self, f: dict[str, object], filter: dict[str, object], fragment: str
    ) -> Sequence[Mapping[str, object]]:
        """Return a page of the scenes that match ``f``, with the fields of ``fragment``."""


class StashReader(SceneFinder, ScenePager, Protocol):
    """Reads scenes by id and by page."""

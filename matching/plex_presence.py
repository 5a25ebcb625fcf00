"""How scenes stand in Plex, whichever way Plex was asked. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from matching.ranking import Match

# What an item shows: studio, performers, tags, details, date.
Metadata = dict[str, Any]
NO_METADATA: Metadata = {"studio": None, "performers": [], "tags": [], "details": None, "date": None}


class Presence(Enum):
    """Whether Plex has a scene: an item proven to be its own, one that might be, or none."""

    PROVEN = "proven"
    DOUBTFUL = "doubtful"
    ABSENT = "absent"


@dataclass(frozen=True)
class PresentItem:
    """An item that would be written for a scene. ``has_metadata``: it shows more than title and rating."""

    rating_key: int
    section: int
    has_metadata: bool


@dataclass(frozen=True)
class PlexPresence:
    """One scene's presence. ``items`` would be written, where the way of asking tells them; ``match`` is the match that
    led to it, where there is one."""

    presence: Presence
    items: tuple[PresentItem, ...] = ()
    match: Match | None = None


class PlexData(tuple[dict[str, Metadata], set[str]]):
    """The pair (metadata by Stash path, matched Stash paths), and ``presences`` by scene id.

    Metadata may be left out for items that have some: no gap would come of it.
    """

    presences: Mapping[int, PlexPresence]

    def __new__(
        cls, metadata: dict[str, Metadata], matched: set[str], presences: Mapping[int, PlexPresence] | None = None
    ) -> PlexData:
        """Return the pair with ``presences``."""
        data = super().__new__(cls, (metadata, matched))
        data.presences = presences or {}
        return data

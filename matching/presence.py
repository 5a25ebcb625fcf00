"""What Plex was seen to hold for scenes, whichever way it was asked. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from matching.ranking import Match

Metadata = dict[str, Any]
# The shape of an item that says nothing.
NOTHING: Metadata = {"studio": None, "performers": [], "tags": [], "details": None, "date": None}


class Presence(Enum):
    """How a scene stands in Plex."""

    PROVEN = "proven"
    DOUBTFUL = "doubtful"
    ABSENT = "absent"


@dataclass(frozen=True)
class PresentItem:
    """An item that would be written for a scene; ``says`` whether it shows anything but title and rating."""

    rating_key: int
    section: int
    says: bool


@dataclass(frozen=True)
class PlexPresence:
    """One scene's. ``items`` are those that would be written, where the way of asking tells them; ``match`` the
    judgement behind it."""

    seen: Presence
    items: tuple[PresentItem, ...] = ()
    match: Match | None = None


class PlexData(tuple[dict[str, Metadata], set[str]]):
    """The pair (metadata by Stash path, matched Stash paths), and what is known beyond it: ``sightings`` by scene id.

    Of items that say something the metadata may be left out: nothing would come of them.
    """

    sightings: Mapping[int, PlexPresence]

    def __new__(
        cls, metadata: dict[str, Metadata], matched: set[str], sightings: Mapping[int, PlexPresence] | None = None
    ) -> PlexData:
        """Pair and sightings."""
        made = super().__new__(cls, (metadata, matched))
        made.sightings = sightings or {}
        return made

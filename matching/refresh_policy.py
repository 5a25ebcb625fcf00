"""Decide how much of Plex's libraries has to be read before the index is believed. Pure.

An incremental refresh is one or two requests for each library and does not see everything (plex 4.6): items that are
gone, and files that were replaced without a new time stamp. That is why the libraries are read in full now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

# Between two refreshes: for jobs that a user waits for, and for all that only wait for Plex to scan their files.
SAVE_INTERVAL_S = 2.0
WAITING_INTERVAL_S = 45.0
# A refresh costs a request for each library: with many libraries it is due less often, up to this.
MAX_WAITING_INTERVAL_S = 180.0
# Between two refreshes that also ask for changed items, not only for added ones.
CHANGED_INTERVAL_S = 600.0
# Between two full reads: usually, and while the index is known to lack items.
FULL_INTERVAL_S = 3600.0
INCOMPLETE_FULL_INTERVAL_S = 600.0


class Refresh(Enum):
    """How much of the libraries to read."""

    NOTHING = "nothing"
    NEW = "added items"
    CHANGED = "added and changed items"
    FULL = "everything"


class Urgency(Enum):
    """Who asks: a save that a user waits for, or one of perhaps thousands of jobs that wait for their files."""

    SAVE = "save"
    WAITING = "waiting"


@dataclass(frozen=True)
class IndexState:
    """When the index was last refreshed (seconds of one clock), and what it is known to lack.

    ``is_incomplete``: Plex counts more items than the index has. ``is_contradicted``: an item that was read since the
    last refresh was not what the index said, so the index may lack the item that has the file now.
    """

    new_at: float = float("-inf")
    changed_at: float = float("-inf")
    full_at: float = float("-inf")
    is_incomplete: bool = False
    is_contradicted: bool = False

    def after(self, refresh: Refresh, at: float, is_incomplete: bool = False) -> IndexState:
        """Return the state after a refresh that ended at ``at``."""
        if refresh is Refresh.FULL:
            return IndexState(at, at, at)
        changed_at = at if refresh is Refresh.CHANGED else self.changed_at
        return replace(self, new_at=at, changed_at=changed_at, is_incomplete=is_incomplete, is_contradicted=False)

    def contradicted(self) -> IndexState:
        """Return the state after an item turned out not to be what the index said."""
        return replace(self, is_contradicted=True)


def waiting_interval(library_count: int) -> float:
    """Return the seconds between two refreshes on behalf of jobs that wait for their files."""
    return min(MAX_WAITING_INTERVAL_S, WAITING_INTERVAL_S * max(1, library_count))


def choose_refresh(now: float, state: IndexState, urgency: Urgency, library_count: int = 1) -> Refresh:
    """Return how much to read now."""
    interval = SAVE_INTERVAL_S if urgency is Urgency.SAVE else waiting_interval(library_count)
    if now - state.new_at < interval and not state.is_contradicted:
        return Refresh.NOTHING
    if now - state.full_at > (INCOMPLETE_FULL_INTERVAL_S if state.is_incomplete else FULL_INTERVAL_S):
        return Refresh.FULL
    if urgency is Urgency.SAVE or now - state.changed_at > CHANGED_INTERVAL_S:
        return Refresh.CHANGED
    return Refresh.NEW

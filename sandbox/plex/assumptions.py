"""The questions about PMS that only a real server could answer, with one switch each (plex 12)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Assumptions:
    """How this simulator answers the open questions. The defaults are what the evidence favours.

    ``replace_tags``: indexed tags replace the list instead of adding to it. ``file_lookup``: ``file=`` finds by base
    name, or returns the whole ``folder`` (plex 3.4). ``reorder_tags``: a complete list of indexed tags also sets their
    order. ``keep_roles``: an actor resent without role text or picture keeps it.
    ``lock_on_value``: ``.value`` without ``.locked`` locks. ``tags_touch_updated``: tag edits move updatedAt.
    ``unknown_id``: status of ``PUT .../all?id=`` where no id exists. ``page_cap``: most items per answer, 0 for no cap.
    """

    replace_tags: bool = False
    file_lookup: str = "basename"
    reorder_tags: bool = True
    keep_roles: bool = True
    lock_on_value: bool = False
    tags_touch_updated: bool = True
    unknown_id: int = 200
    page_cap: int = 0

"""A change as a person reads it, and as plain data for a page. Pure."""

from __future__ import annotations

import json
from typing import Any

from metadata.diff import Change

# Plex's names of fields, where people have others
_LABELS = {
    "originallyAvailableAt": "date",
    "userRating": "rating",
    "actor": "actors",
    "genre": "genres",
    "collection": "collections",
}
_LONGEST = 100


def describe(change: Change) -> dict[str, Any]:
    """Plain JSON: ``field`` in Plex's words, ``old`` and ``new`` whole, ``added`` and ``removed`` of a list."""
    return {
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "added": change.added,
        "removed": change.removed,
    }


def line(change: Change) -> str:
    """One line: ``title: "Old" -> "New"``; of a list what comes and what goes: ``genres: +"A" -"B"``."""
    label = _LABELS.get(change.field, change.field)
    if not isinstance(change.new, list):
        return f"{label}: {_shown(change.old)} -> {_shown(change.new)}"
    moves = [f"+{_shown(name)}" for name in change.added] + [f"-{_shown(name)}" for name in change.removed]
    return f"{label}: {' '.join(moves) or 'in the order ' + ', '.join(map(_shown, change.new))}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(value if len(value) <= _LONGEST else value[:_LONGEST] + "\u2026", ensure_ascii=False)

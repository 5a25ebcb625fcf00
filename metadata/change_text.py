"""A change as a person reads it, and as plain data for a page. Pure."""

from __future__ import annotations

import json
from typing import Any

from metadata.diff import Change

# Plex's names of fields, where people have others
_FIELD_LABELS = {
    "originallyAvailableAt": "date",
    "userRating": "rating",
    "actor": "actors",
    "genre": "genres",
    "collection": "collections",
}
_MAX_VALUE_LENGTH = 100


def change_as_dict(change: Change) -> dict[str, Any]:
    """Plain JSON: ``field`` in Plex's words, ``old`` and ``new`` whole, ``added`` and ``removed`` of a list."""
    return {
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "added": change.added,
        "removed": change.removed,
    }


def change_as_line(change: Change) -> str:
    """One line: ``title: "Old" -> "New"``; of a list what comes and what goes: ``genres: +"A" -"B"``."""
    label = _FIELD_LABELS.get(change.field, change.field)
    if not isinstance(change.new, list):
        return f"{label}: {_quoted(change.old)} -> {_quoted(change.new)}"
    moves = [f"+{_quoted(name)}" for name in change.added] + [f"-{_quoted(name)}" for name in change.removed]
    return f"{label}: {' '.join(moves) or 'in the order ' + ', '.join(map(_quoted, change.new))}"


def _quoted(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(
        value if len(value) <= _MAX_VALUE_LENGTH else value[:_MAX_VALUE_LENGTH] + "\u2026", ensure_ascii=False
    )

"""A change as text for the log, and as plain data for the page. Pure."""

from __future__ import annotations

import json

from metadata.diff import Change, FieldValue

# Plex's names of fields that have another name for the user.
_FIELD_LABELS = {
    "originallyAvailableAt": "date",
    "userRating": "rating",
    "actor": "actors",
    "genre": "genres",
    "collection": "collections",
}
_MAX_VALUE_LENGTH = 100


def change_as_dict(change: Change[FieldValue]) -> dict[str, FieldValue]:
    """Return plain JSON: ``field`` by Plex's name, ``old`` and ``new``, and what is ``added`` and ``removed``."""
    return {
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "added": change.added,
        "removed": change.removed,
    }


def field_label(field: str) -> str:
    """Return what people call a field of Plex."""
    return _FIELD_LABELS.get(field, field)


def change_as_line(change: Change[FieldValue]) -> str:
    """Return one line: ``title: "Old" -> "New"``, or for a list ``genres: +"A" -"B"``."""
    label = field_label(change.field)
    if not isinstance(change.new, list):
        return f"{label}: {_quoted(change.old)} -> {_quoted(change.new)}"
    moves = [f"+{_quoted(name)}" for name in change.added] + [f"-{_quoted(name)}" for name in change.removed]
    return f"{label}: {' '.join(moves) or 'in the order ' + ', '.join(map(_quoted, change.new))}"


def _quoted(value: FieldValue) -> str:
    if value is None or value == "":
        return "nothing"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(
        value if len(value) <= _MAX_VALUE_LENGTH else value[:_MAX_VALUE_LENGTH] + "\u2026", ensure_ascii=False
    )

"""The quality gate: a scene that says nothing would only clear Plex, and is never pushed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MEANINGFUL_FIELDS = ("studio", "performers", "tags", "details", "date")


def has_meaningful_metadata(data: Mapping[str, Any]) -> bool:
    """Whether a scene or a job's data has at least one of studio, performers, tags, details, date.

    A rating or a title alone does not count. ``summary`` is read as ``details``.
    """
    return any(_is_present(data.get(name)) for name in MEANINGFUL_FIELDS) or _is_present(data.get("summary"))


def _is_present(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)

"""The quality gate: a scene that says nothing would only clear Plex, and is never pushed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MEANINGFUL = ("studio", "performers", "tags", "details", "date")


def has_meaningful_metadata(data: Mapping[str, Any]) -> bool:
    """Whether a scene or a job's data has at least one of studio, performers, tags, details, date.

    A rating or a title alone does not count. ``summary`` is read as ``details``.
    """
    return any(_says_something(data.get(name)) for name in MEANINGFUL) or _says_something(data.get("summary"))


def _says_something(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)

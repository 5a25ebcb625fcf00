"""The quality gate: a scene without any metadata would only clear its item, so it is never written. Pure."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGFUL_FIELDS = ("studio", "performers", "tags", "details", "date")


def has_meaningful_metadata(data: Mapping[str, object]) -> bool:
    """Return whether a scene or a job's data has at least one of studio, performers, tags, details, date.

    A rating or a title alone does not count. ``summary`` is read as ``details``.
    """
    return any(_is_present(data.get(name)) for name in (*MEANINGFUL_FIELDS, "summary"))


def _is_present(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)

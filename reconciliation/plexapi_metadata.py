"""What a video of plexapi shows, in the shape that the detector compares. Asks nothing further."""

from __future__ import annotations

from datetime import date, datetime

from matching.plex_presence import Metadata
from plex.plexapi_types import PlexApiVideo


def metadata_of(video: PlexApiVideo) -> Metadata:
    """Return studio, performers, tags, details and date of a video."""
    # Otherwise plexapi requests a listed item again at its first empty attribute (plex 3.6).
    video._autoReload = False
    return {
        "studio": _text(video, "studio"),
        "performers": _tags(video, "actors", "roles"),
        "tags": _tags(video, "genres"),
        "details": _text(video, "summary"),
        "date": _date(video),
    }


def _text(video: object, name: str) -> str | None:
    value = getattr(video, name, None)
    return value if isinstance(value, str) and value else None


def _tags(video: object, *names: str) -> list[str]:
    for name in names:
        tags = getattr(video, name, None)
        if isinstance(tags, (list, tuple)):
            return [tag if isinstance(tag, str) else str(tag.tag) for tag in tags]
    return []


def _date(video: object) -> str | None:
    day = getattr(video, "originallyAvailableAt", None)
    if isinstance(day, datetime):
        return day.date().isoformat()
    if isinstance(day, date):
        return day.isoformat()
    if isinstance(day, str) and day:
        return day
    year = getattr(video, "year", None)
    return str(year) if isinstance(year, (int, str)) and year else None

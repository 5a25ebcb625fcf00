"""The desired state: what an item should show in Plex, from a scene's data and the settings. Pure.

Only keys that the data have are decided; a field whose key is absent is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from common.scene import SceneData
from metadata.plex_collections import collections_for
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of
from metadata.text import clean, tag_key, truncate_for_request, unique_names
from metadata.title_format import format_title
from settings.config import Stash2PlexConfig

__all__ = ["ORDERED_TAGS", "DesiredState", "complete_date", "desired_state", "tag_key"]

# Kinds of tags that Plex shows in the order of the item.
ORDERED_TAGS = ("actor",)
_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


@dataclass(frozen=True)
class DesiredState:
    """What an item should show, by Plex field.

    ``scalars``: text by field, "" to clear. ``tags``: complete lists by kind of tag; of the collections only ours.
    ``rating``: 0 to 10, None to clear, meaningful only with ``has_rating``. ``notes``: what the user may want to know.
    ``partial``: kinds of tags that the data know only in part, so that no tag of theirs may be removed.
    """

    scalars: dict[str, str]
    tags: dict[str, list[str]]
    rating: float | None = None
    has_rating: bool = False
    notes: tuple[str, ...] = ()
    partial: frozenset[str] = frozenset()

    @property
    def has_metadata(self) -> bool:
        """Whether an item like this has any of studio, actors, genres, summary, date."""
        return any(self.scalars.get(name) for name in ("studio", "summary", "originallyAvailableAt")) or any(
            self.tags.get(kind) for kind in ("actor", "genre")
        )


def desired_state(
    data: SceneData, config: Stash2PlexConfig, file_stem: str, descendants: TagDescendants = NO_DESCENDANTS
) -> DesiredState:
    """Return what the item should show. ``file_stem`` is the title of a scene that has none in Stash.

    ``descendants``: the tags that rules ending in ``/*`` mean.
    """
    if not config.sync_master:
        return DesiredState({}, {})
    notes: list[str] = []
    scalars = _scalars(data, config, file_stem, notes)
    tags = _tags(data, config, descendants, notes)
    partial: frozenset[str] = frozenset()
    collections = collections_for(data, config, descendants) if config.sync_collection else None
    if collections is not None:
        tags["collection"], is_complete = collections
        partial = frozenset() if is_complete else frozenset({"collection"})
    if "rating100" not in data or not config.sync_rating:
        return DesiredState(scalars, tags, notes=tuple(notes), partial=partial)
    rating = None if data["rating100"] is None else data["rating100"] / 10
    return DesiredState(scalars, tags, rating, True, tuple(notes), partial)


def _scalars(data: SceneData, config: Stash2PlexConfig, file_stem: str, notes: list[str]) -> dict[str, str]:
    scalars: dict[str, str] = {}
    title = format_title(data, config.title_format, file_stem) if config.sync_title else None
    if title is not None:
        scalars["title"] = title
    if config.sync_summary and ("details" in data or "summary" in data):
        details = data["details"] if "details" in data else data["summary"]
        scalars["summary"], is_cut = truncate_for_request(clean(details))
        if is_cut:
            notes.append("the details are too long for one request to Plex and were cut at a word")
    if config.sync_studio and "studio" in data:
        scalars["studio"] = clean(data["studio"])
    if config.sync_tagline and "tagline" in data:
        scalars["tagline"] = clean(data["tagline"])
    if config.sync_date and "date" in data:
        whole = complete_date(data["date"])
        if whole is None:
            notes.append(f"Plex cannot show the date {data['date']!r}: left as it is")
        else:
            scalars["originallyAvailableAt"] = whole
    return scalars


def _tags(
    data: SceneData, config: Stash2PlexConfig, descendants: TagDescendants, notes: list[str]
) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    if "performers" in data and config.sync_performers:
        tags["actor"] = unique_names(data["performers"])
    if "director" in data and config.sync_director:
        tags["director"] = unique_names([data["director"]])
    if "tags" in data and config.sync_tags:
        ignored = config.ignored_tags
        genres = unique_names(
            name for name, tag_id in tags_of(data) if tag_rule_for(ignored, descendants, name, tag_id) is None
        )
        tags["genre"] = _limited(config.max_tags, genres, notes)
    return tags


def _limited(limit: int, names: list[str], notes: list[str]) -> list[str]:
    """Return at most ``limit`` names, the first ones of the alphabet; 0 is no limit."""
    if not limit or len(names) <= limit:
        return names
    notes.append(f"{len(names)} tags, but Maximum tags is {limit}: {len(names) - limit} left out")
    return sorted(names, key=lambda name: (name.casefold(), name))[:limit]


def complete_date(value: object) -> str | None:
    """Return a date as Plex needs it, "" for no date, or None for one that cannot be used.

    A year or a month is completed with its first day.
    """
    if not value:
        return ""
    match = _PARTIAL_DATE.match(str(value).strip())
    if match is None:
        return None
    year, month, day = match[1], match[2] or "01", match[3] or "01"
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None

"""What an item should be in Plex, by Plex field, from a job's data and the settings. Pure.

Only keys that stand in the data are decided; one that is absent is untouched (specification 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from metadata.plex_collections import collections_for
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of
from metadata.text import clean, tag_key, truncate_for_request, unique_names
from metadata.title_format import format_title

__all__ = ["ORDERED_TAGS", "DesiredState", "complete_date", "desired_state", "tag_key"]

# Kinds of tags that Plex shows in the order of the item.
ORDERED_TAGS = ("actor",)


@dataclass(frozen=True)
class DesiredState:
    """``scalars``: text by Plex field, "" to clear. ``tags``: whole lists by tag kind; of the collections only ours.
    ``rating``: 0 to 10, None to clear, only meaningful where ``has_rating``. ``notes``: what a person may want to know.
    ``partial``: kinds of tags of which the data tell only a part, so that nothing of them may go."""

    scalars: dict[str, str]
    tags: dict[str, list[str]]
    rating: float | None = None
    has_rating: bool = False
    notes: tuple[str, ...] = ()
    partial: frozenset[str] = frozenset()

    @property
    def has_metadata(self) -> bool:
        """Whether an item that is like this has any of studio, actors, genres, summary, date."""
        return any(self.scalars.get(name) for name in ("studio", "summary", "originallyAvailableAt")) or any(
            self.tags.get(kind) for kind in ("actor", "genre")
        )


# Stash's name, Plex's field, the switch
_TEXT_FIELDS = (("details", "summary", "summary"), ("studio", "studio", "studio"), ("tagline", "tagline", "tagline"))
_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def desired_state(
    data: Mapping[str, Any], config: Any, file_stem: str, descendants: TagDescendants = NO_DESCENDANTS
) -> DesiredState:
    """Return what the item should show. ``file_stem`` is the title of a scene that has none in Stash.

    Keys that ``data`` does not have are left as they are in Plex. ``descendants``: the tags that ``/*`` rules mean.
    """
    if not config.sync_master:
        return DesiredState({}, {})
    notes: list[str] = []
    scalars = _scalars(data, config, file_stem, notes)
    tags = _tags(data, config, descendants, notes)
    partial: set[str] = set()
    collections = collections_for(data, config, descendants) if config.sync_collection else None
    if collections is not None:
        tags["collection"], whole = collections
        partial = set() if whole else {"collection"}
    has_rating = "rating100" in data and config.sync_rating
    rating = data["rating100"] / 10 if has_rating and data["rating100"] is not None else None
    return DesiredState(scalars, tags, rating, has_rating, tuple(notes), frozenset(partial))


def _scalars(data: Mapping[str, Any], config: Any, file_stem: str, notes: list[str]) -> dict[str, str]:
    scalars: dict[str, str] = {}
    if "summary" in data and "details" not in data:
        data = {**data, "details": data["summary"]}
    title = format_title(data, config.title_format, file_stem) if config.sync_title else None
    if title is not None:
        scalars["title"] = title
    for name, field, switch in _TEXT_FIELDS:
        if name in data and getattr(config, f"sync_{switch}"):
            scalars[field] = clean(data[name])
    if "summary" in scalars:
        scalars["summary"], cut = truncate_for_request(scalars["summary"])
        if cut:
            notes.append("the details are too long for one request to Plex: cut at a word")
    if "date" in data and config.sync_date:
        whole = complete_date(data["date"])
        if whole is None:
            notes.append(f"date {data['date']!r} is none that Plex could show, left alone")
        else:
            scalars["originallyAvailableAt"] = whole
    return scalars


def _tags(data: Mapping[str, Any], config: Any, descendants: TagDescendants, notes: list[str]) -> dict[str, list[str]]:
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
    if not limit or len(names) <= limit:
        return names
    notes.append(f"{len(names)} tags, {limit} are allowed: {len(names) - limit} left out")
    return sorted(names, key=lambda name: (name.casefold(), name))[:limit]


def complete_date(value: Any) -> str | None:
    """A date as Plex needs it: a year or a month is completed with its first day; "" for none; None for a bad one."""
    if not value:
        return ""
    found = _PARTIAL_DATE.match(str(value).strip())
    if found is None:
        return None
    year, month, day = found[1], found[2] or "01", found[3] or "01"
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None

"""What an item should be in Plex, by Plex field, from a job's data and the settings. Pure.

Only keys that stand in the data are decided; one that is absent is untouched (specification 2).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

# One field may fill a request line of 16 kB almost alone (plex 4.6).
LONGEST = 15_000


@dataclass(frozen=True)
class Desired:
    """``scalars``: text by Plex field, "" to clear. ``tags``: whole lists by tag kind. ``rating``: 0 to 10, None to
    clear, only meaningful where ``has_rating``. ``notes``: what a person may want to know."""

    scalars: dict[str, str]
    tags: dict[str, list[str]]
    rating: float | None = None
    has_rating: bool = False
    notes: tuple[str, ...] = ()


# Stash's name, Plex's field, the switch
_TEXTS = (("details", "summary", "summary"), ("studio", "studio", "studio"), ("tagline", "tagline", "tagline"))
_LISTS = (("performers", "actor", "performers"), ("tags", "genre", "tags"))
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def desired_state(data: Mapping[str, Any], config: Any, file_stem: str) -> Desired:
    """The wished-for state. ``data`` is a job's; ``file_stem`` is the title where Stash has none."""
    scalars: dict[str, str] = {}
    tags: dict[str, list[str]] = {}
    notes: list[str] = []
    if not config.sync_master:
        return Desired(scalars, tags)
    if "summary" in data and "details" not in data:
        data = {**data, "details": data["summary"]}
    if "title" in data and config.sync_title:
        # Plex cannot hold an empty title: the file name stands there.
        title = clean(data["title"])
        scalars["title"] = title if title.strip() else clean(file_stem)
    for name, field, switch in _TEXTS:
        if name in data and getattr(config, f"sync_{switch}"):
            scalars[field] = clean(data[name])
    if "summary" in scalars:
        scalars["summary"], cut = fitting(scalars["summary"])
        if cut:
            notes.append("the details are too long for one request to Plex: cut at a word")
    if "date" in data and config.sync_date:
        whole = whole_date(data["date"])
        if whole is None:
            notes.append(f"date {data['date']!r} is none that Plex could show, left alone")
        else:
            scalars["originallyAvailableAt"] = whole
    for name, kind, switch in _LISTS:
        if name in data and getattr(config, f"sync_{switch}"):
            tags[kind] = unique(data[name])
    limit = config.max_tags
    if limit and len(tags.get("genre", ())) > limit:
        ordered = sorted(tags["genre"], key=str.casefold)
        notes.append(f"{len(ordered)} tags, {limit} are allowed: {len(ordered) - limit} left out")
        tags["genre"] = ordered[:limit]
    has_rating = "rating100" in data and config.sync_rating
    rating = data["rating100"] / 10 if has_rating and data["rating100"] is not None else None
    return Desired(scalars, tags, rating, has_rating, tuple(notes))


def clean(value: Any) -> str:
    """Text without control characters, which XML cannot carry; line ends as one character. Nothing else is changed."""
    text = "" if value is None else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c for c in text if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff")
    )


def fitting(text: str, limit: int = LONGEST) -> tuple[str, bool]:
    """Text whose encoded form fits a request line (``limit`` bytes), cut at a word; and whether it was cut."""
    if len(quote(text, safe="")) <= limit:
        return text, False
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(quote(text[:middle], safe="")) <= limit - 9 else (low, middle - 1)
    cut = text[:low]
    # Scripts without spaces have no words to cut at.
    at = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:at] if at > low * 3 // 4 else cut).rstrip() + "\u2026", True


def unique(values: Any) -> list[str]:
    """Names in order, cleaned, without empty ones and without those Plex would hold as one tag."""
    seen: dict[str, str] = {}
    for value in values or ():
        name = clean(value)
        if name.strip():
            seen.setdefault(tag_key(name), name)
    return list(seen.values())


def tag_key(name: str) -> str:
    """What two tags that Plex holds as one have in common (plex 4.4)."""
    return unicodedata.normalize("NFC", name).casefold()


def whole_date(value: Any) -> str | None:
    """A date as Plex needs it: a year or a month is completed with its first day; "" for none; None for a bad one."""
    if not value:
        return ""
    found = _DATE.match(str(value).strip())
    if found is None:
        return None
    year, month, day = found[1], found[2] or "01", found[3] or "01"
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None

"""Carrying out edits, and the agent's refresh that undoes what is not locked (plex 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.plex.answers import StatusError
from sandbox.plex.catalog import Catalog
from sandbox.plex.edits import SCALARS, Edit, Value
from sandbox.plex.model import Collection, Entry, Item, Tag
from sandbox.plex.paths import stem
from sandbox.plex.picture import ART, THUMB, Slot, frame

_AGENT_SCALARS = (
    "title", "summary", "studio", "tagline", "originalTitle", "contentRating", "originallyAvailableAt", "rating",
    "audienceRating",
)  # fmt: skip
_AGENT_TAGS = ("genre", "country", "director", "writer", "actor", "producer", "collection")


def apply(catalog: Catalog, entries: Iterable[Entry], edit: Edit) -> None:
    """Carry out one edit on all entries, or on none: a clash of collection names raises StatusError (409) first."""
    entries = list(entries)
    with catalog.lock:
        title = edit.scalars.get("title")
        if isinstance(title, str) and title:
            _rename_collections(catalog, entries, title)
        for entry in entries:
            _apply_one(catalog, entry, edit)


def agent_values(item: Item) -> dict[str, object]:
    """What a refresh puts into every field that is not locked, by the names edits use; tags as lists of names."""
    first = next(item.parts(), None)
    values: dict[str, object] = dict.fromkeys(_AGENT_SCALARS)
    values["title"] = stem(first.file) if first else item.title
    values["summary"] = ""
    values |= {kind: [] for kind in _AGENT_TAGS}
    values |= item.agent
    return values


def refresh(catalog: Catalog, item: Item) -> None:
    """Fetch the item's metadata anew: locked fields stay, all others become what the agent has. Ratings of a user,
    labels and sort titles are not the agent's business.
    """
    with catalog.lock:
        values = agent_values(item)
        edit = Edit(scalars={name: _value(values[name]) for name in _AGENT_SCALARS if name not in item.locks})
        _set_scalars(item, edit.scalars, catalog.now())
        for kind in _AGENT_TAGS:
            if kind not in item.locks:
                names = values[kind]
                catalog.set_tags(item, kind, [Tag(str(name)) for name in names] if isinstance(names, list) else [])
        for place in (THUMB, ART):
            if place not in item.locks and item.analyzed:
                _back_to_frame(catalog.slot(item, place), item.rating_key, place, catalog.now())
        catalog.touch(item)


def rate(catalog: Catalog, entry: Entry, rating: float | None) -> None:
    """Set the user's rating (0 to 10), None takes it away; adds when (plex 8)."""
    with catalog.lock:
        entry.user_rating = rating
        entry.last_rated_at = None if rating is None else catalog.now()
        catalog.touch(entry)


def _apply_one(catalog: Catalog, entry: Entry, edit: Edit) -> None:
    readings = catalog.readings
    _set_scalars(entry, edit.scalars, catalog.now())
    for kind, change in edit.tags.items():
        catalog.set_tags(entry, kind, change.apply(entry.tag_list(kind), readings))
    if readings.lock_on_value:
        entry.locks |= edit.scalars.keys() | edit.tags.keys()
    for name, locked in edit.locks.items():
        if locked:
            entry.locks.add(name)
        else:
            entry.locks.discard(name)
    if edit.scalars or edit.locks or (edit.tags and readings.tags_touch_updated):
        catalog.touch(entry)


def _set_scalars(entry: Entry, scalars: dict[str, Value], now: int) -> None:
    for name, value in scalars.items():
        setattr(entry, SCALARS[name].attribute, value)
    if "title" in scalars and "titleSort" not in scalars and "titleSort" not in entry.locks:
        entry.title_sort = ""
    if "originallyAvailableAt" in scalars and "year" not in scalars:
        day = entry.originally_available_at
        entry.year = int(day[:4]) if day else None
    if "userRating" in scalars:
        entry.last_rated_at = now if entry.user_rating is not None else None


def _rename_collections(catalog: Catalog, entries: list[Entry], title: str) -> None:
    for entry in entries:
        if isinstance(entry, Collection):
            old = entry.title.casefold()
            if not catalog.collecting.rename(entry, title):
                raise StatusError(409)
            for item in catalog.members(entry.section):
                tags = item.collections
                item.tag_lists["collection"] = [Tag(title) if tag.tag.casefold() == old else tag for tag in tags]


def _back_to_frame(slot: Slot, seed: int, place: str, stamp: int) -> None:
    own = frame(seed, place)
    slot.select(slot.named(own.key) or own, stamp)
    if slot.named(own.key) is None:
        slot.pictures.insert(0, own)


def _value(value: object) -> Value:
    return value if isinstance(value, str | int | float) else None

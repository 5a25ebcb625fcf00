"""Apply edits, and the agent's refresh that overwrites unlocked fields (plex 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.plex.edits import SCALARS, Edit, Value
from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import Collection, Entry, Item, Tag
from sandbox.plex.paths import stem
from sandbox.plex.pictures import ART, THUMB, PictureSlot, video_frame
from sandbox.plex.responses import StatusError

_AGENT_SCALARS = (
    "title", "summary", "studio", "tagline", "originalTitle", "contentRating", "originallyAvailableAt", "rating",
    "audienceRating",
)  # fmt: skip
_AGENT_TAGS = ("genre", "country", "director", "writer", "actor", "producer", "collection")


def apply_edit(store: MediaStore, entries: Iterable[Entry], edit: Edit) -> None:
    """Apply one edit to all entries, or to none: a clash of collection names first raises StatusError (409)."""
    entries = list(entries)
    with store.lock:
        title = edit.scalars.get("title")
        if isinstance(title, str) and title:
            _rename_collections(store, entries, title)
        for entry in entries:
            _apply_one(store, entry, edit)


def agent_values(item: Item) -> dict[str, object]:
    """Return what a refresh writes to every unlocked field, by the names of the edit parameters; tags as lists of
    names."""
    first = next(item.parts(), None)
    values: dict[str, object] = dict.fromkeys(_AGENT_SCALARS)
    values["title"] = stem(first.file) if first else item.title
    values["summary"] = ""
    values |= {kind: [] for kind in _AGENT_TAGS}
    values |= item.agent
    return values


def refresh_from_agent(store: MediaStore, item: Item) -> None:
    """Refresh the item's metadata: locked fields stay, all others get the agent's values.

    The agent does not change user ratings, labels and sort titles.
    """
    with store.lock:
        values = agent_values(item)
        edit = Edit(scalars={name: _value(values[name]) for name in _AGENT_SCALARS if name not in item.locks})
        _set_scalars(item, edit.scalars, store.now())
        for kind in _AGENT_TAGS:
            if kind not in item.locks:
                names = values[kind]
                store.set_tags(item, kind, [Tag(str(name)) for name in names] if isinstance(names, list) else [])
        for place in (THUMB, ART):
            if place not in item.locks and item.analyzed:
                _back_to_frame(store.slot(item, place), item.rating_key, place, store.now())
        store.touch(item)


def set_rating(store: MediaStore, entry: Entry, rating: float | None) -> None:
    """Set the user's rating (0 to 10) and its time; None removes it (plex 8)."""
    with store.lock:
        entry.user_rating = rating
        entry.last_rated_at = None if rating is None else store.now()
        store.touch(entry)


def _apply_one(store: MediaStore, entry: Entry, edit: Edit) -> None:
    assumptions = store.assumptions
    _set_scalars(entry, edit.scalars, store.now())
    for kind, change in edit.tags.items():
        store.set_tags(entry, kind, change.apply(entry.tag_list(kind), assumptions))
    if assumptions.lock_on_value:
        entry.locks |= edit.scalars.keys() | edit.tags.keys()
    for name, locked in edit.locks.items():
        if locked:
            entry.locks.add(name)
        else:
            entry.locks.discard(name)
    if edit.scalars or edit.locks or (edit.tags and assumptions.tags_touch_updated):
        store.touch(entry)


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


def _rename_collections(store: MediaStore, entries: list[Entry], title: str) -> None:
    for entry in entries:
        if isinstance(entry, Collection):
            old = entry.title.casefold()
            if not store.collection_objects.rename(entry, title):
                raise StatusError(409)
            for item in store.members(entry.section):
                tags = item.collections
                item.tag_lists["collection"] = [Tag(title) if tag.tag.casefold() == old else tag for tag in tags]


def _back_to_frame(slot: PictureSlot, seed: int, place: str, stamp: int) -> None:
    own = video_frame(seed, place)
    slot.select(slot.named(own.key) or own, stamp)
    if slot.named(own.key) is None:
        slot.pictures.insert(0, own)


def _value(value: object) -> Value:
    return value if isinstance(value, str | int | float) else None

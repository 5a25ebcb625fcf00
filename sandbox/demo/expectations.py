"""What each Plex item should show, worked out from the simulated Stash by rules separate from the plugin's."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from sandbox.plex import Item, PlexSim
from sandbox.stash import Scene, StashSim

FIELDS = (
    *("title", "summary", "studio", "date", "actors", "genres", "director", "rating"),
    *("collections", "poster", "background"),
)
NO_FILE = "no file in Stash, so no Plex item can match"
GATED = "too little metadata: no studio, performers, tags, details or date"

Values = dict[str, Any]


def why_not_in_plex(stash: StashSim, scene: Scene) -> str | None:
    """Return why a scene does not belong in Plex, or None if it does."""
    if not scene.file_ids:
        return NO_FILE
    if not (scene.studio_id or scene.performer_ids or scene.tag_ids or _text(scene.details) or scene.date):
        return GATED
    return None


def expected_values(stash: StashSim, scene: Scene) -> Values:
    """Return the values by field that the scene's items should show."""
    store = stash.store
    paths = store.paths_of(scene)
    return {
        "title": _text(scene.title) or PurePosixPath(paths[0]).stem,
        "summary": _text(scene.details),
        "studio": store.studios[scene.studio_id].name if scene.studio_id else "",
        "date": _full_date(scene.date),
        "actors": _names(_performer_names(stash, scene)),
        "genres": _names(store.tags[number].name for number in scene.tag_ids),
        "director": _names([scene.director] if scene.director else []),
        "rating": None if scene.rating100 is None else scene.rating100 / 10,
        "collections": _names([store.studios[scene.studio_id].name] if scene.studio_id else []),
        "poster": _sha1(scene.cover),
        "background": _sha1(scene.cover),
    }


def shown_values(item: Item) -> Values:
    """Return the values by field that an item shows."""
    return {
        "title": item.title,
        "summary": _text(item.summary),
        "studio": item.studio or "",
        "date": item.originally_available_at or "",
        "actors": _names(item.tags("actor")),
        "genres": _names(item.tags("genre")),
        "director": _names(item.tags("director")),
        "rating": item.user_rating,
        "collections": _names(item.tags("collection")),
        "poster": _uploaded_sha1(item, "thumb"),
        "background": _uploaded_sha1(item, "art"),
    }


def differing_fields(stash: StashSim, plex: PlexSim, scene_id: int) -> list[str]:
    """Return the fields in which an item of the scene differs from Stash; ``["item"]`` if there is no item."""
    scene = stash.scene(scene_id)
    items = items_of(stash, plex, scene_id)
    if not items:
        return ["item"]
    expected = expected_values(stash, scene)
    return [name for name in FIELDS if any(shown_values(item)[name] != expected[name] for item in items)]


def items_of(stash: StashSim, plex: PlexSim, scene_id: int) -> list[Item]:
    """Return the items that hold the scene's files."""
    items = [plex.find(path) for path in stash.paths(scene_id)]
    return [item for item in items if item is not None]


def has_value(item: Item, field: str) -> bool:
    """Return whether a field has a value; a title that is the file's name does not count."""
    value = shown_values(item)[field]
    if field == "title":
        return bool(value != PurePosixPath(next(item.parts()).file).stem)
    return value is not None if field in ("rating", "poster", "background") else bool(value)


def _performer_names(stash: StashSim, scene: Scene) -> list[str]:
    people = [stash.store.performers[number] for number in scene.performer_ids]
    names = [person.name for person in people]
    return [
        f"{person.name} ({person.disambiguation})"
        if names.count(person.name) > 1 and person.disambiguation
        else person.name
        for person in people
    ]


def _uploaded_sha1(item: Item, place: str) -> str | None:
    """Return the SHA-1 of the uploaded picture that an item shows; None for a frame that Plex made."""
    slot = item.images.get(place)
    picture = slot.selected if slot else None
    return _sha1(picture.data) if picture and picture.key.startswith("upload://") else None


def _sha1(data: bytes | None) -> str | None:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest() if data else None


def _text(value: str) -> str:
    return value.replace("\r\n", "\n").strip()


def _names(names: Iterable[str]) -> frozenset[str]:
    # Plex stores names that differ only in letter case or Unicode form as one tag.
    return frozenset(unicodedata.normalize("NFC", name).casefold() for name in names)


def _full_date(date: str | None) -> str:
    """Complete a partial date with the first day or month: Plex has only full dates."""
    return "" if not date else date + "-01" * (3 - len(date.split("-")))

"""The snapshot of an item before our first write, and the diff that restores it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from metadata.diff import ActualState, Change, Diff
from metadata.text import tag_key

# The fields that we write: only these are in a snapshot, and only these are ever restored.
SCALARS = ("title", "summary", "studio", "originallyAvailableAt", "tagline")
LISTS = ("actor", "genre", "director")
COLLECTION = "collection"
RATING = "userRating"


class SnapshotState(TypedDict, total=False):
    """What a snapshot stores of an item: text by field, tags by kind, the names of its locked fields, its rating."""

    fields: dict[str, str]
    tags: dict[str, list[str]]
    locked: list[str]
    rating: float | None
    pictures: dict[str, str]  # Plex's key of the picture that was shown, by place


@dataclass(frozen=True)
class RestoreDiff:
    """What restores an item: a ``diff``, and the fields to unlock."""

    diff: Diff
    unlocked: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.diff or self.unlocked)


def snapshot_state(
    scalars: Mapping[str, str], tags: Mapping[str, Sequence[str]], rating: float | None, locked: Collection[str]
) -> SnapshotState:
    """Return what a snapshot stores of an item, without empty values."""
    state: SnapshotState = {
        "fields": {name: scalars[name] for name in SCALARS if scalars.get(name)},
        "tags": {kind: list(tags[kind]) for kind in (*LISTS, COLLECTION) if tags.get(kind)},
        "locked": sorted(locked),
        "rating": rating,
    }
    return cast(SnapshotState, {name: value for name, value in state.items() if value not in ({}, [], None)})


def restore_diff(
    actual: ActualState,
    locked: Collection[str],
    before: SnapshotState,
    wrote: Collection[str],
    ours: Collection[str],
) -> RestoreDiff:
    """Return what restores an item to the state ``before`` our first write.

    Only fields that we ``wrote`` are restored: changes to the others are the user's. Of the collections only ``ours``
    are removed.
    """
    fields: Mapping[str, str] = before.get("fields", {})
    tags: Mapping[str, Sequence[str]] = before.get("tags", {})
    scalars = [
        Change(name, actual.scalars.get(name, ""), fields.get(name, ""))
        for name in SCALARS
        if name in wrote and actual.scalars.get(name, "") != fields.get(name, "")
    ]
    lists = [
        Change(kind, list(actual.tags.get(kind, ())), list(tags.get(kind, ())))
        for kind in LISTS
        if kind in wrote and _tag_keys(actual.tags.get(kind, ())) != _tag_keys(tags.get(kind, ()))
    ]
    added_by_us = set(_tag_keys(ours)) - set(_tag_keys(tags.get(COLLECTION, ())))
    present = list(actual.tags.get(COLLECTION, ()))
    kept = [name for name in present if tag_key(name) not in added_by_us]
    if kept != present:
        lists.append(Change(COLLECTION, present, kept))
    rating: Change[float | None] | None = None
    if RATING in wrote and actual.rating != before.get("rating"):
        rating = Change(RATING, actual.rating, before.get("rating"))
    was_locked = set(before.get("locked", ()))
    unlocked = tuple(sorted(name for name in set(wrote) & set(locked) if name not in was_locked))
    return RestoreDiff(Diff(scalars, lists, rating), unlocked)


def _tag_keys(names: Collection[str]) -> list[str]:
    return [tag_key(name) for name in names]

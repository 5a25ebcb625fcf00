"""What an item was before we wrote to it, and the way back to that. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metadata.diff import ActualState, Change, Diff
from metadata.text import tag_key

# What we write: nothing else is kept, and nothing else is ever given back.
SCALARS = ("title", "summary", "studio", "originallyAvailableAt", "tagline")
LISTS = ("actor", "genre", "director")
COLLECTION = "collection"
RATING = "userRating"


@dataclass(frozen=True)
class RestoreDiff:
    """What has to be written to an item so that it is as it was: ``diff``, and the fields that were not locked."""

    diff: Diff
    unlocked: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.diff or self.unlocked)


def snapshot_state(
    scalars: Mapping[str, str], tags: Mapping[str, Sequence[str]], rating: float | None, locked: Collection[str]
) -> dict[str, Any]:
    """An item's state beyond the bare file, as plain data without what says nothing: ``fields``, ``tags``, ``rating``
    and the names of its ``locked`` fields."""
    state: dict[str, Any] = {
        "fields": {name: scalars[name] for name in SCALARS if scalars.get(name)},
        "tags": {kind: list(tags[kind]) for kind in (*LISTS, COLLECTION) if tags.get(kind)},
        "locked": sorted(locked),
        "rating": rating,
    }
    return {name: value for name, value in state.items() if value not in ({}, [], None)}


def restore_diff(
    actual: ActualState,
    locked: Collection[str],
    before: Mapping[str, Any],
    wrote: Collection[str],
    ours: Collection[str],
) -> RestoreDiff:
    """From an item as it is to what it was ``before`` (:func:`snapshot_state`).

    Only fields that we ``wrote`` go back: what a person did to the others since is theirs. Of the collections only
    ``ours`` go; those a person made since stay.
    """
    fields, tags = before.get("fields", {}), before.get("tags", {})
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
    gone = set(_tag_keys(ours)) - set(_tag_keys(tags.get(COLLECTION, ())))
    there = list(actual.tags.get(COLLECTION, ()))
    kept = [name for name in there if tag_key(name) not in gone]
    if kept != there:
        lists.append(Change(COLLECTION, there, kept))
    rating = None
    if RATING in wrote and actual.rating != before.get("rating"):
        rating = Change(RATING, actual.rating, before.get("rating"))
    was_locked = set(before.get("locked", ()))
    unlocked = tuple(sorted(name for name in set(wrote) & set(locked) if name not in was_locked))
    return RestoreDiff(Diff(scalars, lists, rating), unlocked)


def _tag_keys(names: Collection[str]) -> list[str]:
    return [tag_key(name) for name in names]

"""The diff of an item: what has to change for the desired state, as a value that can be shown and sent. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from metadata.desired_state import ORDERED_TAGS, DesiredState
from metadata.plex_collections import merge_collections
from metadata.text import tag_key

FieldValue = str | float | list[str] | None
ValueT = TypeVar("ValueT", bound=FieldValue, covariant=True)


@dataclass(frozen=True)
class ActualState:
    """An item as Plex shows it: text by field ("" if absent), tag lists by kind, rating 0 to 10 or None."""

    scalars: Mapping[str, str]
    tags: Mapping[str, Sequence[str]]
    rating: float | None = None


@dataclass(frozen=True)
class Change(Generic[ValueT]):
    """One field: ``old`` and ``new`` are text, complete lists of tags, or a rating."""

    field: str
    old: ValueT
    new: ValueT

    @property
    def added(self) -> list[str]:
        """The names that are added to a list."""
        return _without(self.new, self.old) if isinstance(self.new, list) and isinstance(self.old, list) else []

    @property
    def removed(self) -> list[str]:
        """The names that are removed from a list."""
        return _without(self.old, self.new) if isinstance(self.new, list) and isinstance(self.old, list) else []


@dataclass(frozen=True)
class Diff:
    """What has to change. Falsy if nothing differs."""

    scalars: list[Change[str]] = field(default_factory=list)
    tags: list[Change[list[str]]] = field(default_factory=list)
    rating: Change[float | None] | None = None

    def __bool__(self) -> bool:
        return bool(self.scalars or self.tags or self.rating)

    @property
    def changes(self) -> list[Change[FieldValue]]:
        """All changes, in the order they are sent."""
        return [*self.scalars, *self.tags, *([self.rating] if self.rating else [])]

    @property
    def collections_added(self) -> list[str]:
        """The collections that the item is added to: they are ours once this is written."""
        return [name for change in self.tags if change.field == "collection" for name in change.added]

    @property
    def collections_removed(self) -> list[str]:
        """The collections of ours that the item is taken out of."""
        return [name for change in self.tags if change.field == "collection" for name in change.removed]


def compute_diff(
    actual: ActualState,
    desired: DesiredState,
    *,
    preserve: bool = False,
    rating_is_ours: bool = False,
    owned: Collection[str] = (),
    reorder: bool = False,
) -> Diff:
    """Return what has to be written.

    ``preserve`` writes only fields that are empty in Plex (a list: no tag at all, of any origin), and so removes
    nothing. A rating is cleared only if ``rating_is_ours``; of the collections only ``owned`` ones are ever removed.
    Another order of tags is a difference only for ``reorder``, and only of kinds whose order Plex shows: it is not
    certain that Plex keeps an order (plex 4.4), so it is requested once and never verified.
    """
    scalars = [
        Change(name, actual.scalars.get(name, ""), new)
        for name, new in desired.scalars.items()
        if actual.scalars.get(name, "") != new and not (preserve and actual.scalars.get(name))
    ]
    tags = []
    for kind, names in desired.tags.items():
        old = list(actual.tags.get(kind, ()))
        new = (
            merge_collections(old, names, owned, complete=kind not in desired.partial)
            if kind == "collection"
            else names
        )
        if not (preserve and old) and _lists_differ(old, new, reorder and kind in ORDERED_TAGS):
            tags.append(Change(kind, old, new))
    return Diff(scalars, tags, _rating_change(actual.rating, desired, preserve, rating_is_ours))


def is_same_rating(one: float, other: float) -> bool:
    """Return whether two ratings of 0 to 10 are the same in tenths, which is what Stash's 0 to 100 come to."""
    return abs(one - other) < 0.05


def _rating_change(old: float | None, desired: DesiredState, preserve: bool, ours: bool) -> Change[float | None] | None:
    if not desired.has_rating or (preserve and old is not None):
        return None
    if desired.rating is None:
        return Change("userRating", old, None) if old is not None and ours else None
    is_same = old is not None and is_same_rating(old, desired.rating)
    return None if is_same else Change("userRating", old, desired.rating)


def _lists_differ(old: Sequence[str], new: Sequence[str], in_order: bool) -> bool:
    old_keys, new_keys = [tag_key(name) for name in old], [tag_key(name) for name in new]
    return old_keys != new_keys if in_order else set(old_keys) != set(new_keys)


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    excluded = {tag_key(name) for name in others}
    return [name for name in names if tag_key(name) not in excluded]

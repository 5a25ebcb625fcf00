"""The difference between what an item is and what it should be: one value that can be printed, tested and sent.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata.desired_state import ORDERED_TAGS, DesiredState
from metadata.plex_collections import merge_collections
from metadata.text import tag_key


@dataclass(frozen=True)
class ActualState:
    """An item as Plex shows it in full: text by field ("" where absent), tag lists by kind, rating 0 to 10 or None."""

    scalars: Mapping[str, str]
    tags: Mapping[str, Sequence[str]]
    rating: float | None = None


@dataclass(frozen=True)
class Change:
    """One field: ``old`` and ``new`` are text, whole lists of tags, or a rating."""

    field: str
    old: Any
    new: Any

    @property
    def added(self) -> list[str]:
        """The names that come into a list."""
        return _without(self.new, self.old) if isinstance(self.new, list) else []

    @property
    def removed(self) -> list[str]:
        """The names that go from a list."""
        return _without(self.old, self.new) if isinstance(self.new, list) else []


@dataclass(frozen=True)
class Diff:
    """What has to change. Empty where nothing differs."""

    scalars: list[Change] = field(default_factory=list)
    tags: list[Change] = field(default_factory=list)
    rating: Change | None = None

    def __bool__(self) -> bool:
        return bool(self.scalars or self.tags or self.rating)

    @property
    def changes(self) -> list[Change]:
        """All changes, in the order they are sent."""
        return [*self.scalars, *self.tags, *([self.rating] if self.rating else [])]

    @property
    def collections_added(self) -> list[str]:
        """The collections that are ours once this is written: the item is not in them yet."""
        return [name for change in self.tags if change.field == "collection" for name in change.added]

    @property
    def collections_removed(self) -> list[str]:
        """The collections that were ours and the item leaves."""
        return [name for change in self.tags if change.field == "collection" for name in change.removed]


def compute_diff(
    actual: ActualState,
    wish: DesiredState,
    *,
    preserve: bool = False,
    rating_is_ours: bool = False,
    owned: Collection[str] = (),
    reorder: bool = False,
) -> Diff:
    """What has to be written.

    ``preserve`` writes only where Plex has nothing (a list: no tag at all, whoever put it there), and so removes
    nothing. A rating is cleared only where ``rating_is_ours``; of the collections only the ``owned`` are ever removed
    (specification 2, 6). Tags in another order are a difference only for ``reorder``, and only where the order shows:
    whether Plex keeps an order is not sure (plex 4.4), so it may be asked for once and never checked.
    """
    scalars = [
        Change(name, actual.scalars.get(name, ""), new)
        for name, new in wish.scalars.items()
        if actual.scalars.get(name, "") != new and not (preserve and actual.scalars.get(name))
    ]
    tags = []
    for kind, names in wish.tags.items():
        old = list(actual.tags.get(kind, ()))
        new = merge_collections(old, names, owned, whole=kind not in wish.partial) if kind == "collection" else names
        if not (preserve and old) and _lists_differ(old, new, reorder and kind in ORDERED_TAGS):
            tags.append(Change(kind, old, new))
    return Diff(scalars, tags, _rating_change(actual.rating, wish, preserve, rating_is_ours))


def _rating_change(old: float | None, wish: DesiredState, preserve: bool, ours: bool) -> Change | None:
    if not wish.has_rating or (preserve and old is not None):
        return None
    if wish.rating is None:
        return Change("userRating", old, None) if old is not None and ours else None
    return Change("userRating", old, wish.rating) if old is None or abs(old - wish.rating) > 0.04 else None


def _lists_differ(old: Sequence[str], new: Sequence[str], in_order: bool) -> bool:
    here, there = [tag_key(name) for name in old], [tag_key(name) for name in new]
    return here != there if in_order else set(here) != set(there)


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    known = {tag_key(name) for name in others}
    return [name for name in names if tag_key(name) not in known]

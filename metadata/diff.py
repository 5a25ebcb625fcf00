"""The difference between what an item is and what it should be: one value that can be printed, tested and sent.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata.desired import Desired, tag_key


@dataclass(frozen=True)
class Actual:
    """An item as Plex shows it in full: text by field ("" where absent), tag lists by kind, rating 0 to 10 or None."""

    scalars: Mapping[str, str]
    tags: Mapping[str, Sequence[str]]
    rating: float | None = None


@dataclass(frozen=True)
class Change:
    """One field: ``old`` and ``new`` are text, lists of tags, or a rating."""

    field: str
    old: Any
    new: Any


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


def difference(actual: Actual, wish: Desired, *, preserve: bool = False, rating_is_ours: bool = False) -> Diff:
    """What has to be written. ``preserve`` writes only where Plex has nothing; a rating is cleared only where
    ``rating_is_ours`` (specification 2)."""
    scalars = [
        Change(name, actual.scalars.get(name, ""), new)
        for name, new in wish.scalars.items()
        if actual.scalars.get(name, "") != new and not (preserve and actual.scalars.get(name))
    ]
    tags = [
        Change(kind, list(actual.tags.get(kind, ())), new)
        for kind, new in wish.tags.items()
        if _keys(actual.tags.get(kind, ())) != _keys(new) and not (preserve and actual.tags.get(kind))
    ]
    return Diff(scalars, tags, _rating(actual.rating, wish, preserve, rating_is_ours))


def _rating(old: float | None, wish: Desired, preserve: bool, ours: bool) -> Change | None:
    if not wish.has_rating or (preserve and old is not None):
        return None
    if wish.rating is None:
        return Change("userRating", old, None) if old is not None and ours else None
    return Change("userRating", old, wish.rating) if old is None or abs(old - wish.rating) > 0.04 else None


def _keys(names: Sequence[str]) -> set[str]:
    return {tag_key(name) for name in names}

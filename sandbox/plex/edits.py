"""An edit PUT: from its parameters to one value that says what to change (plex 4.1 to 4.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import unquote

from sandbox.plex.assumptions import Assumptions
from sandbox.plex.model import TAG_ELEMENTS, Tag
from sandbox.plex.responses import StatusError

Value = str | int | float | None


def _text(value: str) -> Value:
    return value or None


def _summary(value: str) -> Value:
    return value


def _date(value: str) -> Value:
    if not value:
        return None
    try:
        # PMS accepts a time after the date and drops it
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        raise StatusError(400, "invalid date") from None


def _whole(value: str) -> Value:
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        raise StatusError(400, "invalid number") from None


def _epoch(value: str) -> Value:
    number = _whole(value)
    if number is None:
        raise StatusError(400, "a time is needed")
    return number


def _rating(value: str) -> Value:
    if not value:
        return None
    try:
        rating = float(value)
    except ValueError:
        raise StatusError(400, "invalid rating") from None
    if not 0 <= rating <= 10:
        raise StatusError(400, "invalid rating")
    return rating


@dataclass(frozen=True)
class _Scalar:
    attribute: str
    read: Callable[[str], Value]


SCALARS = {
    "title": _Scalar("title", _summary),
    "titleSort": _Scalar("title_sort", _summary),
    "summary": _Scalar("summary", _summary),
    "studio": _Scalar("studio", _text),
    "tagline": _Scalar("tagline", _text),
    "originalTitle": _Scalar("original_title", _text),
    "contentRating": _Scalar("content_rating", _text),
    "editionTitle": _Scalar("edition_title", _text),
    "originallyAvailableAt": _Scalar("originally_available_at", _date),
    "year": _Scalar("year", _whole),
    "addedAt": _Scalar("added_at", _epoch),
    "userRating": _Scalar("user_rating", _rating),
    "rating": _Scalar("rating", _rating),
    "audienceRating": _Scalar("audience_rating", _rating),
}
"""Scalar fields by the name edits use."""

_PICTURE_LOCKS = {"thumb", "art", "theme", "clearLogo", "squareArt"}
_STRAY_KINDS = {"studio": "director"}
"""A studio sent as a tag turns up as a director (plex 4.2)."""

_VALUE = re.compile(r"(\w+)\.value")
_LOCKED = re.compile(r"(\w+)\.locked")
_INDEXED = re.compile(r"(\w+)\[(\d+)\]\.(tag\.tag|tagging\.text|tag\.thumb)")
_MINUS = re.compile(r"(\w+)\[\]\.tag\.tag-")
_CLEAR = re.compile(r"(\w+)\[\]\.tag")
_IGNORED = re.compile(r"\w+\[\d*\]\.\w+")


@dataclass
class TagEdit:
    """The change to the tags of one kind: first all or some are removed, then some are added."""

    clear: bool = False
    remove: list[str] = field(default_factory=list)
    add: list[Tag] = field(default_factory=list)

    def apply(self, current: Iterable[Tag], assumptions: Assumptions) -> list[Tag]:
        """Return the list after this edit.

        A request that names every remaining tag sets the order; else new ones are appended.
        """
        known = {tag.tag.casefold(): tag for tag in current}
        gone = {name.casefold() for name in self.remove}
        added: dict[str, Tag] = {}
        for tag in self.add:
            added.setdefault(tag.tag.casefold(), _completed(tag, known, assumptions.keep_roles))
        if self.clear or (assumptions.replace_tags and self.add):
            return list(added.values())
        kept = [name for name in known if name not in gone or name in added]
        if assumptions.reorder_tags and all(name in added for name in kept):
            return list(added.values())
        return [added.pop(name, known[name]) for name in kept] + list(added.values())


def _completed(tag: Tag, known: dict[str, Tag], keep_roles: bool) -> Tag:
    before = known.get(tag.tag.casefold())
    if before is None or not keep_roles:
        return tag
    return Tag(tag.tag, before.role if tag.role is None else tag.role, before.thumb if tag.thumb is None else tag.thumb)


@dataclass
class Edit:
    """Everything that one PUT changes. It applies equally to any number of items."""

    scalars: dict[str, Value] = field(default_factory=dict)
    locks: dict[str, bool] = field(default_factory=dict)
    tags: dict[str, TagEdit] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.scalars or self.locks or self.tags)


def parse_edit(params: Iterable[tuple[str, str]], subscription: bool) -> Edit:
    """Read an edit from decoded query parameters, ignoring those that are filters.

    Raise StatusError (400) for an unknown field, an impossible value, and for ``editionTitle`` without a subscription:
    then nothing of the PUT is applied.
    """
    edit = Edit()
    indexed: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in params:
        if found := _VALUE.fullmatch(name):
            _scalar(edit, found[1], value, subscription)
        elif found := _LOCKED.fullmatch(name):
            edit.locks[_lockable(found[1])] = value == "1"
        elif found := _INDEXED.fullmatch(name):
            slots = indexed.setdefault(_kind(found[1]), {})
            slots.setdefault(int(found[2]), {})[found[3]] = value
        elif found := _MINUS.fullmatch(name):
            # the list is split after the first decoding, then each name is decoded once more (plex 4.4)
            names = [unquote(piece) for piece in value.split(",") if piece]
            edit.tags.setdefault(_kind(found[1]), TagEdit()).remove += names
        elif found := _CLEAR.fullmatch(name):
            if value == "":
                edit.tags.setdefault(_kind(found[1]), TagEdit()).clear = True
        elif _IGNORED.fullmatch(name):
            # e.g. `actor[0].tag=Name`: accepted without effect
            continue
    for kind, slots in indexed.items():
        tags = [
            Tag(slot["tag.tag"], slot.get("tagging.text"), slot.get("tag.thumb"))
            for _, slot in sorted(slots.items())
            if slot.get("tag.tag")
        ]
        edit.tags.setdefault(kind, TagEdit()).add += tags
    return edit


def _scalar(edit: Edit, name: str, value: str, subscription: bool) -> None:
    known = SCALARS.get(name)
    if known is None:
        raise StatusError(400, "unknown field")
    if name == "editionTitle" and not subscription:
        raise StatusError(400, "editionTitle requires a subscription")
    edit.scalars[name] = known.read(value)


def _lockable(name: str) -> str:
    if name in SCALARS or name in TAG_ELEMENTS or name in _PICTURE_LOCKS:
        return name
    raise StatusError(400, "unknown field")


def _kind(name: str) -> str:
    kind = _STRAY_KINDS.get(name, name)
    if kind not in TAG_ELEMENTS:
        raise StatusError(400, "unknown tag type")
    return kind

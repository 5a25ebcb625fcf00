"""How inputs change rows: one small setter per input field.

A missing key leaves the row unchanged, an explicit null clears; lists replace; text is trimmed (stash 7.5).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .clock import utc
from .dates import validated_date
from .go_behavior import NotANumberError, atoi
from .model import StashId
from .store import Store
from .table import Table

Tables = Callable[[Store], Table[Any]]


class EditError(ValueError):
    """The change is impossible; the message is the server's."""


@dataclass(frozen=True)
class Edit:
    """The context of a change: the tables of references, and which dates are allowed."""

    store: Store
    partial_dates: bool

    def reference(self, table: Tables, value: Any, what: str) -> int | None:
        """Return the id ``value`` as a number. Raise EditError where there is no such row."""
        if value is None or value == "":
            return None
        try:
            number = atoi(str(value))
        except NotANumberError as error:
            raise EditError(f"converting {what}: {error}") from error
        if number not in table(self.store):
            raise EditError("FOREIGN KEY constraint failed")
        return number

    def references(self, table: Tables, values: Any, what: str) -> list[int]:
        """Set a list of ids, or apply a bulk change to it."""
        found = [self.reference(table, value, what) for value in values or ()]
        return list(dict.fromkeys(number for number in found if number is not None))


Setter = Callable[[Edit, Any, Any], None]


def text(name: str) -> Setter:
    """Set trimmed text; null becomes ``""``."""
    return lambda _, row, value: setattr(row, name, (value or "").strip())


def plain(name: str) -> Setter:
    """Set the value as it is."""
    return lambda _, row, value: setattr(row, name, value)


def flag(name: str) -> Setter:
    """Set a boolean; null leaves it unchanged."""
    return lambda _, row, value: setattr(row, name, getattr(row, name) if value is None else value)


def day(name: str) -> Setter:
    """Set a date, perhaps a partial one."""
    return lambda edit, row, value: setattr(row, name, validated_date(value, partial=edit.partial_dates))


def strings(name: str) -> Setter:
    """Set a list of trimmed texts."""

    def set_it(_: Edit, row: Any, value: Any) -> None:
        setattr(row, name, [item.strip() for item in _merged(getattr(row, name), value, "values")])

    return set_it


def reference(name: str, table: Tables) -> Setter:
    """One id."""
    return lambda edit, row, value: setattr(row, name, edit.reference(table, value, name.replace("_", " ")))


def references(name: str, table: Tables, *, in_order: bool = True) -> Setter:
    """Set a list of ids, or apply a bulk change to it."""

    def set_it(edit: Edit, row: Any, value: Any) -> None:
        if isinstance(value, dict):
            value = {**value, "ids": edit.references(table, value.get("ids"), name)}
        found = edit.references(table, _merged(getattr(row, name), value, "ids"), name)
        setattr(row, name, found if in_order else sorted(found))

    return set_it


def _merged(old: list[Any], change: Any, key: str) -> list[Any]:
    """Return a list after a change: a new list, or ``{mode, ids or values}`` of a bulk edit."""
    if not isinstance(change, dict):
        return list(change or ())
    given = change.get(key) or []
    if change["mode"] == "SET":
        return list(given)
    if change["mode"] == "ADD":
        return [*old, *(item for item in given if item not in old)]
    return [item for item in old if item not in given]


def first_of_list(name: str) -> Setter:
    """Set the deprecated single ``url`` of a list."""
    return lambda _, row, value: setattr(row, name, [value.strip()] if value else [])


def stash_ids(_: Edit, row: Any, value: Any) -> None:
    """Set the stash-box ids."""
    row.stash_ids = [
        StashId(item["endpoint"], item["stash_id"], item.get("updated_at") or utc()) for item in value or ()
    ]


def picture(name: str) -> Setter:
    """Set an image from base64, with or without a data URL in front; null removes it."""

    def set_it(_: Edit, row: Any, value: str | None) -> None:
        if value is None or value == "":
            setattr(row, name, None)
            return
        body = value.partition(",")[2] if value.startswith("data:") else value
        try:
            setattr(row, name, base64.b64decode(body, validate=True))
        except binascii.Error as error:
            raise EditError(f"processing {name} image: illegal base64 data at input byte 0") from error

    return set_it


def scene_groups(key: str) -> Setter:
    """Set ``groups`` (or the older ``movies``): ids with an index."""

    def set_it(edit: Edit, row: Any, value: Any) -> None:
        groups: Tables = lambda store: store.groups  # noqa: E731 (a name for the parameter)
        if isinstance(value, dict):
            ids = edit.references(groups, value.get("ids"), key)
            kept = dict(row.groups)
            merged = _merged(list(kept), {**value, "ids": ids}, "ids")
            row.groups = [(number, kept.get(number)) for number in merged]
            return
        found = [(edit.reference(groups, item[key], key), item.get("scene_index")) for item in value or ()]
        row.groups = [(number, index) for number, index in found if number is not None]

    return set_it


def sub_groups(edit: Edit, row: Any, value: Any) -> None:
    """Set the groups inside a group."""
    found = [(edit.reference(lambda store: store.groups, i["group_id"], "group id"), i) for i in value or ()]
    row.sub_groups = [(number, item.get("description") or "") for number, item in found if number is not None]


def primary_file(edit: Edit, row: Any, value: Any) -> None:
    """Set the scene's first file."""
    number = edit.reference(lambda store: store.files, value, "primary file id")
    if number is None:
        return
    if number not in row.file_ids:
        raise EditError(f"file with id {number} is not associated with scene {row.id}")
    row.file_ids = [number, *(other for other in row.file_ids if other != number)]


def no_galleries(_: Edit, __: Any, value: Any) -> None:
    """Refuse every gallery: the simulator has none."""
    given = value.get("ids") if isinstance(value, dict) else value
    if given:
        raise EditError("FOREIGN KEY constraint failed")


def custom_fields(_: Edit, row: Any, value: Any) -> None:
    """Set a map on create; apply ``full``, ``partial`` and ``remove`` on update."""
    value = value or {}
    if not set(value) <= {"full", "partial", "remove"}:
        row.custom_fields = dict(value)
        return
    fields = dict(value["full"]) if value.get("full") is not None else dict(row.custom_fields)
    fields.update(value.get("partial") or {})
    row.custom_fields = {key: fields[key] for key in fields if key not in (value.get("remove") or ())}


def apply(edit: Edit, row: Any, setters: Mapping[str, Setter], given: Mapping[str, Any]) -> None:
    """Change ``row`` by every key of ``given`` that has a setter. Raise EditError, DateError."""
    for key, value in given.items():
        setter = setters.get(key)
        if setter is not None:
            setter(edit, row, value)


_SCENE_COMMON: dict[str, Setter] = {
    **{name: text(name) for name in ("title", "code", "details", "director")},
    "url": first_of_list("urls"),
    "urls": strings("urls"),
    "date": day("date"),
    "rating100": plain("rating100"),
    "organized": flag("organized"),
    "studio_id": reference("studio_id", lambda store: store.studios),
    "gallery_ids": no_galleries,
    "performer_ids": references("performer_ids", lambda store: store.performers, in_order=False),
    "tag_ids": references("tag_ids", lambda store: store.tags),
}
SCENE: dict[str, Setter] = {
    **_SCENE_COMMON,
    "movies": scene_groups("movie_id"),
    "groups": scene_groups("group_id"),
    "cover_image": picture("cover"),
    "stash_ids": stash_ids,
    "primary_file_id": primary_file,
}
BULK_SCENE: dict[str, Setter] = {
    **_SCENE_COMMON,
    "group_ids": scene_groups("group_id"),
    "movie_ids": scene_groups("movie_id"),
}
MARKER: dict[str, Setter] = {
    "title": text("title"),
    "seconds": plain("seconds"),
    "end_seconds": plain("end_seconds"),
    "scene_id": reference("scene_id", lambda store: store.scenes),
    "primary_tag_id": reference("primary_tag_id", lambda store: store.tags),
    "tag_ids": references("tag_ids", lambda store: store.tags),
}

"""Queries for rows: candidates, search words, order, page (stash 7.3)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .criteria import like
from .filters import predicate
from .go_behavior import atoi
from .model import Group, Marker, Performer, Scene, Studio, Tag
from .store import Store
from .table import Table

DEFAULT_PAGE = 25

Key = Callable[[Store, Any], Any]


class FindError(ValueError):
    """A query that the server refuses; the message is the server's."""


@dataclass(frozen=True)
class Kind:
    """How rows of one type are found.

    ``sorts`` lists the allowed orders, ``title`` breaks ties, ``searched`` is for ``q``.
    """

    word: str
    row: type
    table: Callable[[Store], Table[Any]]
    title: Callable[[Any], str]
    searched: Callable[[Store, Any], Iterable[str]]
    sorts: Mapping[str, Key]


@dataclass(frozen=True)
class Found:
    """The rows of the page, and the number of all matches (None if not requested)."""

    rows: Sequence[Any]
    count: int | None


def by_ids(store: Store, kind: Kind, ids: Sequence[str | int]) -> list[Any]:
    """Return exactly these rows in this order. Raise FindError for a missing or duplicate id."""
    found: list[Any] = []
    seen: set[int] = set()
    table = kind.table(store)
    for text in ids:
        number = atoi(str(text))
        if number in seen:
            raise FindError(f"validating ids: duplicate id found: {number}")
        seen.add(number)
    for number in (atoi(str(text)) for text in ids):
        row = table.get(number)
        if row is None:
            raise FindError(f"{kind.word} with id {number} not found")
        found.append(row)
    return found


def find(
    store: Store, kind: Kind, wanted: Mapping[str, Any] | None, page: Mapping[str, Any] | None, *, count: bool
) -> Found:
    """Return a page of the matching rows; count all matches only if ``count``. Raise FindError."""
    page = {name: value for name, value in (page or {}).items() if value is not None}
    order = page.get("sort") or ""
    if order and order not in kind.sorts and not re.fullmatch(r"random(_\d+)?", order):
        raise FindError(f"invalid sort: {order}")
    table = kind.table(store)
    ids, rest = _id_range(kind, table, wanted or {})
    test = predicate(store, kind.row, rest)
    words = _words(page.get("q", ""))
    down = page.get("direction") == "DESC"
    per_page, number = page.get("per_page", DEFAULT_PAGE), max(1, page.get("page", 1))
    start, size = ((number - 1) * per_page, per_page) if per_page >= 0 else (0, len(ids))

    if test is None and not words and order == "id":
        picked = (ids[::-1] if down else ids)[start : start + size]
        return Found([table[i] for i in picked], len(ids) if count else None)

    def matches(row: Any) -> bool:
        return (test is None or test(row)) and (not words or _searched(kind.searched(store, row), words))

    if order == "id" and not count:
        return Found(_first(table, ids[::-1] if down else ids, matches, start, size), None)
    rows = [row for row in (table.get(i) for i in ids) if row is not None and matches(row)]
    total = len(rows)
    return Found(_sorted(store, kind, rows, order, down)[start : start + size], total if count else None)


def _first(table: Table[Any], ids: Sequence[int], matches: Callable[[Any], bool], start: int, size: int) -> list[Any]:
    """Return the page from ``start`` without checking rows after it."""
    found: list[Any] = []
    for number in ids:
        if len(found) >= start + size:
            break
        row = table.get(number)
        if row is not None and matches(row):
            found.append(row)
    return found[start:]


def _id_range(kind: Kind, table: Table[Any], wanted: Mapping[str, Any]) -> tuple[list[int], dict[str, Any]]:
    """Return the ids that pass an ``id`` criterion (by bisection), and the filter without it."""
    criterion = wanted.get("id") if kind.row is Scene else None
    rest = dict(wanted)
    if criterion and "OR" not in wanted and criterion["modifier"] in ("GREATER_THAN", "LESS_THAN"):
        del rest["id"]
        if criterion["modifier"] == "GREATER_THAN":
            return table.ids_between(above=criterion["value"]), rest
        return table.ids_between(below=criterion["value"]), rest
    return table.ids_between(), rest


def _sorted(store: Store, kind: Kind, rows: list[Any], order: str, down: bool) -> list[Any]:
    if not order:
        # no ORDER BY: the order in which SQLite walks its index on the studio (recorded)
        return sorted(rows, key=lambda row: row.studio_id or 0) if kind.row is Scene else rows
    if order.startswith("random"):
        seed = order.partition("_")[2]
        shuffled = list(rows)
        random.Random(int(seed) if seed else None).shuffle(shuffled)
        return shuffled
    key = kind.sorts[order]
    ordered = sorted(rows, key=lambda row: natural_sort_key(kind.title(row) or str(row.id)))
    return sorted(ordered, key=lambda row: _null_first(key(store, row)), reverse=down)


def _null_first(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None else (1, value)


@lru_cache(maxsize=262_144)
def natural_sort_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that compares digits as numbers and letters without case."""
    return tuple(
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.lower())
        for part in re.findall(r"[0-9]+|[^0-9]+", text)
    )


def _words(text: str) -> list[str]:
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|(\S+)', text)]


def _searched(texts: Iterable[str], words: list[str]) -> bool:
    found = list(texts)
    for word in words:
        unwanted = word.startswith("-") and len(word) > 1
        hit = any(like(text, f"%{word[1:] if unwanted else word}%") for text in found)
        if hit == unwanted:
            return False
    return True


def _attribute(name: str) -> Key:
    return lambda _, row: getattr(row, name)


def _attributes(names: str) -> dict[str, Key]:
    return {name: _attribute(name) for name in names.split()}


def _primary(name: str) -> Key:
    return lambda store, row: getattr(store.files_of(row)[0], name) if row.file_ids else None


def _studio_name(store: Store, row: Any) -> str | None:
    studio = store.studios.get(row.studio_id)
    return studio.name if studio else None


def _scene_texts(store: Store, row: Scene) -> list[str]:
    prints = [value for file in store.files_of(row) for _, value in file.fingerprints]
    return [row.title, row.details, *store.paths_of(row), *prints]


SCENES = Kind(
    "scene",
    Scene,
    lambda store: store.scenes,
    lambda row: str(row.title),
    _scene_texts,
    {
        **_attributes("id created_at updated_at date code organized play_duration resume_time"),
        "title": lambda store, row: natural_sort_key(
            row.title or (store.files_of(row)[0].basename if row.file_ids else "")
        ),
        "rating": _attribute("rating100"),
        "bitrate": _primary("bit_rate"),
        "framerate": _primary("frame_rate"),
        "duration": _primary("duration"),
        "file_mod_time": _primary("mod_time"),
        "filesize": lambda store, row: sum(file.size for file in store.files_of(row)),
        "file_count": lambda _, row: len(row.file_ids),
        "interactive": lambda _, __: 0,
        "interactive_speed": lambda _, __: None,
        "o_counter": lambda _, row: len(row.o_history),
        "last_o_at": lambda _, row: row.o_history[0] if row.o_history else None,
        "play_count": lambda _, row: len(row.play_history),
        "last_played_at": lambda _, row: row.play_history[0] if row.play_history else None,
        "performer_count": lambda _, row: len(row.performer_ids),
        "tag_count": lambda _, row: len(row.tag_ids),
        "path": lambda store, row: natural_sort_key(next(iter(store.paths_of(row)), "")),
        "studio": _studio_name,
    },
)
PERFORMERS = Kind(
    "performer",
    Performer,
    lambda store: store.performers,
    lambda row: str(row.name),
    lambda _, row: [row.name, *row.aliases],
    {**_attributes("id created_at updated_at birthdate"), "name": lambda _, row: natural_sort_key(row.name)},
)
STUDIOS = Kind(
    "studio",
    Studio,
    lambda store: store.studios,
    lambda row: str(row.name),
    lambda _, row: [row.name, *row.aliases],
    {**_attributes("id created_at updated_at"), "name": lambda _, row: natural_sort_key(row.name)},
)
TAGS = Kind(
    "tag",
    Tag,
    lambda store: store.tags,
    lambda row: str(row.sort_name or row.name),
    lambda _, row: [row.name, *row.aliases],
    {**_attributes("id created_at updated_at"), "name": lambda _, row: natural_sort_key(row.sort_name or row.name)},
)
GROUPS = Kind(
    "group",
    Group,
    lambda store: store.groups,
    lambda row: str(row.name),
    lambda _, row: [row.name, row.aliases],
    {**_attributes("id created_at updated_at date"), "name": lambda _, row: natural_sort_key(row.name)},
)
MARKERS = Kind(
    "scene marker",
    Marker,
    lambda store: store.markers,
    lambda row: str(row.title),
    lambda _, row: [row.title],
    _attributes("id created_at updated_at seconds title"),
)

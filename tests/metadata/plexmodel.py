"""A model of Plex: what an item holds after the requests of an edit, under both readings of indexed tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote

from metadata.diff import ActualState
from metadata.text import tag_key


def after(actual: ActualState, requests: Iterable[str], *, replace: bool, reorder: bool) -> ActualState:
    """The item after ``requests``. ``replace``: indexed tags are the whole list, not more of it; ``reorder``: a whole
    list also sets the order (plex 4.4)."""
    for request in requests:
        actual = _after_one(actual, request, replace, reorder)
    return actual


def _after_one(actual: ActualState, request: str, replace: bool, reorder: bool) -> ActualState:
    scalars, rating = dict(actual.scalars), actual.rating
    gone: dict[str, list[str]] = {}
    come: dict[str, list[str]] = {}
    for key, value in parse_qsl(request, keep_blank_values=True, strict_parsing=True):
        if key == "userRating.value":
            rating = float(value) if value else None
        elif key.endswith(".value"):
            scalars[key[:-6]] = value
        elif key.endswith("[].tag.tag-"):
            gone.setdefault(key.partition("[")[0], []).extend(unquote(part) for part in value.split(","))
        elif found := re.fullmatch(r"(\w+)\[(\d+)\]\.tag\.tag", key):
            come.setdefault(found[1], []).append(value)
    tags = {kind: list(names) for kind, names in actual.tags.items()}
    for kind in {*gone, *come}:
        both = {tag_key(name) for name in gone.get(kind, ())} & {tag_key(name) for name in come.get(kind, ())}
        assert not both, f"{both} is added and removed in one request"
        tags[kind] = _list(tags.get(kind, []), gone.get(kind, []), come.get(kind, []), replace, reorder)
    return ActualState(scalars, tags, rating)


def _list(old: list[str], gone: list[str], come: list[str], replace: bool, reorder: bool) -> list[str]:
    left = {tag_key(name): name for name in old if name not in gone}
    named = {tag_key(name): left.get(tag_key(name), name) for name in come}
    if (replace and come) or (reorder and left.keys() <= named.keys()):
        return list(named.values())
    return list({**left, **named}.values())

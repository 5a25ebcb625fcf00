"""The filters of the query string: which items a listing or an edit applies to (plex 3.4, 3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import TAG_ELEMENTS, Item

Test = Callable[[Item], bool]

_STRINGS: dict[str, Callable[[Item], str | None]] = {
    "title": lambda item: item.title,
    "titleSort": lambda item: item.sorted_as,
    "studio": lambda item: item.studio,
    "summary": lambda item: item.summary,
    "tagline": lambda item: item.tagline,
    "originalTitle": lambda item: item.original_title,
    "contentRating": lambda item: item.content_rating,
    "editionTitle": lambda item: item.edition_title,
}
_NUMBERS: dict[str, Callable[[Item], float | None]] = {
    "id": lambda item: item.rating_key,
    "year": lambda item: item.year,
    "decade": lambda item: item.year and item.year // 10 * 10,
    "duration": lambda item: item.duration,
    "userRating": lambda item: item.user_rating,
    "rating": lambda item: item.rating,
    "audienceRating": lambda item: item.audience_rating,
    "viewCount": lambda item: item.view_count,
    "viewOffset": lambda item: item.view_offset,
}
_TIMES: dict[str, Callable[[Item], float | None]] = {
    "addedAt": lambda item: item.added_at,
    "updatedAt": lambda item: item.updated_at,
    "lastViewedAt": lambda item: item.last_viewed_at,
    "lastRatedAt": lambda item: item.last_rated_at,
}
_FLAGS: dict[str, Test] = {
    "unwatched": lambda item: item.view_count == 0,
    "inProgress": lambda item: item.view_offset > 0,
    "trash": lambda item: item.deleted_at is not None,
    "duplicate": lambda item: len(item.media) > 1,
    "unmatched": lambda item: item.guid.startswith("local://"),
}

NOT_FILTERS = re.compile(
    r"type|sort|limit|file|push|pop|or|and|X-Plex-.*|include\w+|exclude\w+|checkFiles|skipRefresh|async\w*"
    r"|.*\.(value|locked)|\w+\[.*",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?:\w+\.)?(\w+)(!|=|!=|<|>|<<|>>)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mon": 30 * 86400, "y": 365 * 86400}
_RELATIVE = re.compile(r"-(\d+)(mon|[smhdwy])")


def matching_items(
    store: MediaStore, items: Iterable[Item], query: Iterable[tuple[str, str]], unknown: Callable[[str], None]
) -> list[Item]:
    """Return the items that pass all filters of ``query``, in their order.

    Unknown names filter nothing; each is reported to ``unknown``.
    """
    tests = _expression(store, query, unknown)
    for test in tests:
        items = filter(test, items)
    return list(items)


def _expression(store: MediaStore, query: Iterable[tuple[str, str]], unknown: Callable[[str], None]) -> list[Test]:
    """Combine parameters: a sequence means AND, ``push``/``pop`` are brackets, ``or=1`` separates alternatives."""
    levels: list[list[list[Test]]] = [[[]]]
    for name, value in query:
        if name == "push":
            levels.append([[]])
        elif name == "pop" and len(levels) > 1:
            inner = _either(levels.pop())
            levels[-1][-1].append(inner)
        elif name == "or":
            levels[-1].append([])
        elif not NOT_FILTERS.fullmatch(name):
            test = _test(store, name, value)
            if test is None:
                unknown(name)
            else:
                levels[-1][-1].append(test)
    while len(levels) > 1:
        inner = _either(levels.pop())
        levels[-1][-1].append(inner)
    groups = levels[0]
    return groups[0] if len(groups) == 1 else [_either(groups)]


def _either(groups: list[list[Test]]) -> Test:
    return lambda item: any(all(test(item) for test in group) for group in groups)


def _test(store: MediaStore, name: str, value: str) -> Test | None:
    found = _KEY.fullmatch(name)
    if found is None:
        return None
    field, operator = found[1], found[2] or ""
    # an unencoded `title==x` arrives as name `title`, value `=x`
    if value.startswith("=") and operator in {"", "!"} and field in _STRINGS:
        operator, value = operator + "=", value[1:]
    if field in TAG_ELEMENTS:
        return _tag(store, field, operator, value)
    if field in _STRINGS:
        return _string(_STRINGS[field], operator, value)
    if field in _NUMBERS:
        return _number(_NUMBERS[field], operator, [_float(piece) for piece in value.split(",")])
    if field in _TIMES:
        return _number(_TIMES[field], operator, [_moment(store, value)])
    if field == "originallyAvailableAt":
        return _string(lambda item: item.originally_available_at, operator or "=", _day(store, value))
    if field == "guid":
        return lambda item: (item.guid == value or value in item.guids) != (operator == "!")
    if field in _FLAGS:
        wanted = (value == "1") != (operator == "!")
        flag = _FLAGS[field]
        return lambda item: flag(item) == wanted
    return None


def _tag(store: MediaStore, kind: str, operator: str, value: str) -> Test:
    names = {(store.tag_table.name_of(kind, int(id_)) or "").casefold() for id_ in value.split(",") if id_.isdecimal()}
    names.discard("")

    def carries(item: Item) -> bool:
        return any(tag.tag.casefold() in names for tag in item.tag_lists.get(kind, ()))

    return (lambda item: not carries(item)) if operator == "!" else carries


def _string(read: Callable[[Item], str | None], operator: str, value: str) -> Test:
    wanted = value.casefold()
    several = {wanted, *wanted.split(",")}

    def test(item: Item) -> bool:
        text = (read(item) or "").casefold()
        if operator in {"=", "!="}:
            return (text in several) != (operator == "!=")
        if operator in {"<", ">"}:
            return text.startswith(wanted) if operator == "<" else text.endswith(wanted)
        if operator in {"<<", ">>"}:
            return bool(text) and (text < wanted if operator == "<<" else text > wanted)
        return (wanted in text) != (operator == "!")

    return test


def _number(read: Callable[[Item], float | None], operator: str, wanted: list[float]) -> Test:
    edge = wanted[0]

    def test(item: Item) -> bool:
        number = read(item)
        if operator in {">>", ">"}:
            return number is not None and number >= edge if operator == ">" else number is not None and number > edge
        if operator in {"<<", "<"}:
            return number is not None and number <= edge if operator == "<" else number is not None and number < edge
        return (number in wanted) != operator.startswith("!")

    return test


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _moment(store: MediaStore, text: str) -> float:
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return store.now() - int(relative[1]) * _SECONDS[relative[2]]
    return _float(text)


def _day(store: MediaStore, text: str) -> str:
    if "-" in text[1:]:
        return text
    return datetime.fromtimestamp(_moment(store, text), timezone.utc).date().isoformat()

"""Filter criteria as tests of one value (stash 7.3).

Each function takes a criterion as sent by the client and returns a predicate on a row's value. Where SQL's NULL makes a
comparison neither true nor false, the row does not match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

Test = Callable[[Any], bool]
Criterion = dict[str, Any]

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


class UnsupportedModifierError(Exception):
    """The server panics for such a modifier."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"Internal system error. Error <unsupported {kind} modifier>")


def integer(criterion: Criterion) -> Test:
    """Test numbers with an IntCriterionInput; None is NULL."""
    return _ordered(criterion, "int", lambda value: value, criterion.get("value2") or 0)


def timestamp(criterion: Criterion) -> Test:
    """Test text with a TimestampCriterionInput or DateCriterionInput; a number sorts below all text."""
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat(timespec="seconds")
    return _ordered(criterion, "timestamp", _sqlite_value, criterion.get("value2") or tomorrow)


def _sqlite_value(text: Any) -> tuple[int, Any]:
    """Return a sort key for a value in a column of numeric affinity: numbers first, then text."""
    return (0, float(text)) if _NUMBER.fullmatch(str(text)) else (1, str(text))


def _ordered(criterion: Criterion, kind: str, key: Callable[[Any], Any], second: Any) -> Test:
    low, high = key(criterion["value"]), key(second)
    tests: dict[str, Test] = {
        "IS_NULL": lambda value: value is None,
        "NOT_NULL": lambda value: value is not None,
        "EQUALS": lambda value: value is not None and key(value) == low,
        "NOT_EQUALS": lambda value: value is not None and key(value) != low,
        "GREATER_THAN": lambda value: value is not None and key(value) > low,
        "LESS_THAN": lambda value: value is not None and key(value) < low,
        "BETWEEN": lambda value: value is not None and low <= key(value) <= high,
        "NOT_BETWEEN": lambda value: value is not None and not low <= key(value) <= high,
    }
    return _chosen(tests, criterion, kind)


def _chosen(tests: dict[str, Test], criterion: Criterion, kind: str) -> Test:
    try:
        return tests[criterion["modifier"]]
    except KeyError:
        raise UnsupportedModifierError(kind) from None


@lru_cache(maxsize=1024)
def _like(pattern: str) -> re.Pattern[str]:
    """Return a predicate for SQL LIKE: per cent and underscore are wildcards, ASCII letters ignore case."""
    parts = {"%": ".*", "_": "."}
    expression = "".join(
        parts.get(c) or (f"[{c.lower()}{c.upper()}]" if c.isascii() and c.isalpha() else re.escape(c)) for c in pattern
    )
    return re.compile(expression, re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """Evaluate SQL's ``value LIKE pattern``."""
    return _like(pattern).fullmatch(value) is not None


def string(criterion: Criterion) -> Test:
    """Test one text with a StringCriterionInput; ``""`` and None are NULL."""
    wanted = criterion["value"]
    words = _search_words(wanted)
    tests: dict[str, Test] = {
        "EQUALS": lambda value: bool(value) and like(value, wanted),
        "NOT_EQUALS": lambda value: bool(value) and not like(value, wanted),
        "INCLUDES": lambda value: bool(value) and any(like(value, f"%{word}%") for word in words),
        "EXCLUDES": lambda value: bool(value) and not any(like(value, f"%{word}%") for word in words),
        "MATCHES_REGEX": lambda value: bool(value) and re.search(wanted, value) is not None,
        "NOT_MATCHES_REGEX": lambda value: not value or re.search(wanted, value) is None,
        "IS_NULL": lambda value: not (value or "").strip(),
        "NOT_NULL": lambda value: bool((value or "").strip()),
    }
    return _chosen(tests, criterion, "string filter")


def _search_words(text: str) -> list[str]:
    """Return the words of an INCLUDES value: any may match, unless it is in double quotes."""
    text = text.strip()
    bare = text.strip('"')
    return text.split() or [""] if bare == text else [bare]


def any_string(criterion: Criterion) -> Test:
    """Test a list of texts (paths, urls, aliases) with a StringCriterionInput: one match is enough."""
    one = string(criterion)
    return lambda values: any(one(value) for value in values or [None])


def boolean(wanted: bool) -> Test:
    """Test with a Boolean filter."""
    return lambda value: bool(value) == wanted


def numbers(criterion: Criterion, families: Callable[[set[int], int], list[set[int]]]) -> Test:
    """Test the related ids of a row with a multi or hierarchical criterion.

    ``families`` turns the wanted ids and a depth into one set per wanted id (itself and its descendants).
    """
    wanted = families({int(value) for value in criterion.get("value") or ()}, criterion.get("depth") or 0)
    banned = set[int]().union(*families({int(v) for v in criterion.get("excludes") or ()}, criterion.get("depth") or 0))
    any_wanted = set[int]().union(*wanted)
    tests: dict[str, Callable[[Collection[int]], bool]] = {
        "IS_NULL": lambda ids: not ids,
        "NOT_NULL": lambda ids: bool(ids),
        "INCLUDES": lambda ids: not wanted or bool(any_wanted & set(ids)),
        "INCLUDES_ALL": lambda ids: all(family & set(ids) for family in wanted),
        "EXCLUDES": lambda ids: not any_wanted & set(ids),
        "EQUALS": lambda ids: set(ids) == any_wanted,
        "NOT_EQUALS": lambda ids: set(ids) != any_wanted,
    }
    test = _chosen(tests, criterion, "criterion")
    return lambda ids: test(ids) and not banned & set(ids)


def stash_id(criterion: Criterion) -> Test:
    """Test a row's stash ids with a StashIDCriterionInput; endpoint "" or null means any."""
    endpoint, wanted = criterion.get("endpoint"), criterion.get("stash_id") or ""
    single = {"value": wanted, "modifier": criterion["modifier"]}

    def test(found: Sequence[Any]) -> bool:
        mine = [item.stash_id for item in found if not endpoint or item.endpoint == endpoint]
        return any_string(single)(mine)

    return test

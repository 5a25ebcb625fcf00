"""Which scenes a run compares."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from reconciliation.scopes import BadScope, Scope, parse_scope

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 20, 12, 0, tzinfo=timezone.utc).timestamp()
HOUR, DAY = 3600.0, 86_400.0
SYDNEY = ZoneInfo("Australia/Sydney")


def at(*parts: int, zone: timezone | ZoneInfo = timezone.utc) -> float:
    return datetime(*parts, tzinfo=zone).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("all", None, None),
        (" ALL ", None, None),
        ("recent", NOW - DAY, None),
        ("recent_7days", NOW - 7 * DAY, None),
        ("7days", NOW - 7 * DAY, None),
        ("24h", NOW - DAY, None),
        ("12h", NOW - 12 * HOUR, None),
        ("30d", NOW - 30 * DAY, None),
        ("30 D", NOW - 30 * DAY, None),
        ("2026-01-01..2026-02-15", at(2026, 1, 1), at(2026, 2, 16)),
        ("2026-01-01 .. 2026-01-01", at(2026, 1, 1), at(2026, 1, 2)),
        ("2026-01-01..", at(2026, 1, 1), None),
        ("..2026-01-31", None, at(2026, 2, 1)),
        ("2024-02-29..", at(2024, 2, 29), None),
        ("2026-01-01T10:00:00Z..2026-01-01T11:30:00Z", at(2026, 1, 1, 10), at(2026, 1, 1, 11, 30)),
    ],
)
def test_parse_scope_by_name_and_range(text: str, since: float | None, until: float | None) -> None:
    scope = parse_scope(text, NOW, timezone.utc)
    assert (scope.since, scope.until, scope.is_all) == (since, until, since is None and until is None)


def test_parse_scope_days_begin_in_the_zone() -> None:
    scope = parse_scope("2026-04-05..2026-04-05", NOW, SYDNEY)
    # the day on which summer time ends there has 25 hours
    assert scope.since == at(2026, 4, 5, zone=SYDNEY)
    assert scope.until is not None
    assert scope.until - scope.since == 25 * HOUR


def test_parse_scope_without_a_zone_uses_that_of_the_machine() -> None:
    assert parse_scope("2026-01-01..", NOW).since == datetime(2026, 1, 1).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "last week", "30", "30m", "0d", "-3d", "1.5d", "999999d", "2026-01-01", "..", "2026-13-01.."),
        *(
            "2026-02-30..",
            "0001-01-01..",
            "9999-12-31..9999-12-31",
            "x..y",
            "1969-12-31..",
            "2026-1-1..",
            "a..2026-01-01",
        ),
    ],
)
def test_parse_scope_of_a_bad_text_shows_examples(text: str) -> None:
    with pytest.raises(BadScope, match=r"2026-01-01\.\.2026-02-15, 2026-01-01\.\., 30d or 12h"):
        parse_scope(text, NOW, timezone.utc)


def test_parse_scope_of_a_reversed_range_names_it() -> None:
    with pytest.raises(BadScope, match="ends before it begins"):
        parse_scope("2026-02-01..2026-01-01", NOW, timezone.utc)


def test_parse_scope_of_no_text_raises_bad_scope() -> None:
    with pytest.raises(BadScope):
        parse_scope(None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("hours", [-12, -5, 0, 5.5, 11, 14])
def test_criterion_includes_every_scene_of_the_scope(hours: float) -> None:
    """Stash compares text: whatever offset a scene was written with, it must not fall through."""
    zone = timezone(timedelta(hours=hours))
    scope = parse_scope("2026-01-10..2026-01-12", NOW, timezone.utc)
    assert scope.since is not None
    assert scope.until is not None
    criterion = scope.criterion()
    assert criterion is not None
    for moment in (scope.since, scope.since + 1, scope.until - 1):
        text = datetime.fromtimestamp(moment, zone).isoformat(timespec="seconds").replace("+00:00", "Z")
        assert scope.contains(moment)
        assert criterion["value"] <= text <= criterion["value2"]
    assert not scope.contains(scope.since - 1)
    assert not scope.contains(scope.until)


@pytest.mark.parametrize(
    ("text", "modifier"),
    [("recent", "GREATER_THAN"), ("2026-01-01..2026-01-02", "BETWEEN"), ("..2026-01-02", "LESS_THAN")],
)
def test_criterion_uses_modifiers_of_stash(text: str, modifier: str) -> None:
    criterion = parse_scope(text, NOW).criterion()
    assert criterion is not None
    assert criterion["modifier"] == modifier


def test_scope_all_has_no_criterion_and_contains_everything() -> None:
    scope = Scope("all")
    assert scope.criterion() is None
    assert scope.contains(0.0)
    assert parse_scope("recent", NOW).contains(None)

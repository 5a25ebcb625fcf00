"""Times as Stash writes them, read as instants."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.iso_time import parse_instant

pytestmark = pytest.mark.unit

BASE = datetime(2026, 1, 11, 7, 7, 53, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-11T18:07:53+11:00", BASE),
        ("2026-01-11T07:07:53Z", BASE),
        ("2026-01-11t07:07:53z", BASE),
        ("2026-01-11 07:07:53", BASE),
        ("2026-01-11T07:07:53", BASE),
        ("2026-01-10T19:37:53-1130", BASE),
        (" 2026-01-11T07:07:53Z ", BASE),
        ("2026-01-11T07:07:53.25Z", BASE + 0.25),
        ("2026-01-11T18:07:53.123456789+11:00", BASE + 0.123456789),
        ("2026-01-11T07:07:53,5Z", BASE + 0.5),
        ("2026-01-11T07:07Z", BASE - 53),
        ("1970-01-01T00:00:00Z", 0.0),
        (1700000000, 1700000000.0),
        (1.5, 1.5),
    ],
)
def test_time_is_parsed(text: object, wanted: float) -> None:
    assert parse_instant(text) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, "", "yesterday", "2026", "2026-01-11", "2026-13-11T07:07:53Z", "2026-02-30T07:07:53Z"),
        *("2026-01-11T25:07:53Z", "2026-01-11T07:07:53Z and more", "2026-01-11T07:07:53+11", "<4h", [], {}, b"2026"),
        *(float("nan"), float("inf"), -float("inf"), 10**13, "1700000000", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_malformed_time_is_none(value: object) -> None:
    assert parse_instant(value) is None


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=ZONES)


@given(MOMENTS)
def test_text_written_by_datetime_is_parsed_as_the_same_time(moment: datetime) -> None:
    assert parse_instant(moment.isoformat()) == pytest.approx(moment.timestamp(), abs=1e-5)
    assert parse_instant(moment.isoformat(" ", "seconds")) == moment.replace(microsecond=0).timestamp()


@given(MOMENTS, MOMENTS)
def test_instants_are_ordered_whatever_their_offsets(one: datetime, other: datetime) -> None:
    first, second = parse_instant(one.isoformat()), parse_instant(other.isoformat())
    assert first is not None
    assert second is not None
    assert (first < second) is (one < other) or abs(one - other) < timedelta(milliseconds=1)


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?"))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    assert isinstance(parse_instant(text), (float, type(None)))


@given(st.integers() | st.floats())
def test_any_number_is_an_instant_or_none(number: float) -> None:
    assert isinstance(parse_instant(number), (float, type(None)))

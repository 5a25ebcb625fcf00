"""Parses the times that Stash writes (stash 7.2). Pure."""

import re
from datetime import datetime, timedelta, timezone

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(?:([Zz])|([+-])(\d\d):?(\d\d))?$"
)


def parse_instant(value: object) -> float | None:
    """Return the epoch seconds of an ISO time ("2026-01-11T18:07:53.25+11:00") or a number; None if it is neither.

    A time without an offset is taken as UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        number = float(value)
        return number if -1e12 < number < 1e12 else None
    if not isinstance(value, str):
        return None
    found = _RFC3339.match(value.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, off_hours, off_minutes = found.groups()
    offset = timedelta(0)
    if sign:
        offset = timedelta(hours=int(off_hours), minutes=int(off_minutes)) * (-1 if sign == "-" else 1)
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=timezone.utc
        )
        return (moment - offset).timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):
        return None

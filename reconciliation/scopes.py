"""Which scenes a run compares: all, those updated recently, or those updated in a custom range. Pure."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from common.errors import UserFacingError
from common.iso_time import parse_instant

EXAMPLES = "2026-01-01..2026-02-15, 2026-01-01.., 30d or 12h"
HOUR_S = 3_600.0
DAY_S = 86_400.0
# Stash compares times as text in the offset they were written with: ask for more, compare times here (stash 7.3).
_MARGIN_S = 14 * HOUR_S
_NAMED = {"recent": DAY_S, "recent_7days": 7 * DAY_S, "7days": 7 * DAY_S}
_SPAN = re.compile(r"(\d{1,5})\s*([dh])", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class BadScope(UserFacingError, ValueError):
    """A scope that cannot be read; the message shows how to write one."""

    code = "BadScope"


@dataclass(frozen=True)
class Scope:
    """``since`` (included) and ``until`` (excluded) bound ``updated_at`` in epoch seconds; None is no bound."""

    name: str
    since: float | None = None
    until: float | None = None

    @property
    def is_all(self) -> bool:
        """Whether the scope is all scenes."""
        return self.since is None and self.until is None

    def contains(self, updated_at: float | None) -> bool:
        """Tell whether a scene belongs to the scope. One without ``updated_at`` may: it is compared."""
        if updated_at is None:
            return True
        return (self.since is None or updated_at >= self.since) and (self.until is None or updated_at < self.until)

    def criterion(self) -> dict[str, str] | None:
        """Return Stash's filter for ``updated_at``, wide enough for every time zone; None without a bound."""
        low = None if self.since is None else _text(self.since - _MARGIN_S)
        high = None if self.until is None else _text(self.until + _MARGIN_S)
        if low is not None and high is not None:
            return {"value": low, "value2": high, "modifier": "BETWEEN"}
        if low is not None:
            return {"value": low, "modifier": "GREATER_THAN"}
        return None if high is None else {"value": high, "modifier": "LESS_THAN"}


def parse_scope(text: str, now: float | None = None, zone: tzinfo | None = None) -> Scope:
    """Parse a name (all, recent, recent_7days) or a custom range. Raise BadScope.

    Days begin and end in ``zone``, by default that of this machine. The last day of a range is included.
    """
    word = text.strip() if isinstance(text, str) else ""
    now = time.time() if now is None else now
    if word.lower() == "all":
        return Scope("all")
    if word.lower() in _NAMED:
        return Scope(word.lower(), since=now - _NAMED[word.lower()])
    span = _SPAN.fullmatch(word)
    if span is not None and int(span[1]) > 0:
        return Scope(word, since=now - int(span[1]) * (DAY_S if span[2].lower() == "d" else HOUR_S))
    first, dots, last = (part.strip() for part in word.partition(".."))
    if dots and (first or last):
        since = None if not first else _moment(first, zone, text)
        until = None if not last else _moment(last, zone, text, end=True)
        if since is None or until is None or since < until:
            return Scope(word, since, until)
        raise BadScope(f"The range {word!r} ends before it begins. Ranges are written like {EXAMPLES}")
    raise _bad(text)


def _moment(text: str, zone: tzinfo | None, whole: str, end: bool = False) -> float:
    day = _DATE.fullmatch(text)
    try:
        if day is not None:
            moment = datetime(int(day[1]), int(day[2]), int(day[3])) + timedelta(days=1 if end else 0)
            # Windows cannot convert earlier years, and Stash is younger
            if 1970 < moment.year < 3000:
                return (moment.replace(tzinfo=zone) if zone else moment).timestamp()
        elif (instant := parse_instant(text)) is not None:
            return instant
    except (ValueError, OverflowError, OSError):
        pass
    raise _bad(whole)


def _bad(text: object) -> BadScope:
    return BadScope(
        f"{str(text)[:60]!r} is not a time range. Write it like {EXAMPLES}: "
        "from one day to another, from a day on, the last 30 days, the last 12 hours"
    )


def _text(moment: float) -> str:
    return datetime.fromtimestamp(max(0.0, moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")

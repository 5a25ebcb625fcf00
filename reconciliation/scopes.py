"""Which scenes a run looks at: all, those updated lately, or those updated in a range a person wrote. Pure."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from common.errors import UserFacingError
from common.iso_time import parse_instant

FORMS = "2026-01-01..2026-02-15, 2026-01-01.., 30d or 12h"
HOUR = 3_600.0
DAY = 86_400.0
# Stash compares times as text in the offset they were written with: ask for more, compare as instants here (stash 7.3).
_MARGIN = 14 * HOUR
_NAMED = {"recent": DAY, "recent_7days": 7 * DAY, "7days": 7 * DAY}
_SPAN = re.compile(r"(\d{1,5})\s*([dh])", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class BadScope(UserFacingError, ValueError):
    """A scope that cannot be read; the message shows the forms."""

    code = "BadScope"


@dataclass(frozen=True)
class Scope:
    """``since`` (included) and ``until`` (not included) bound ``updated_at`` in epoch seconds; None is no bound."""

    name: str
    since: float | None = None
    until: float | None = None

    @property
    def is_all(self) -> bool:
        """Whether every scene is meant."""
        return self.since is None and self.until is None

    def contains(self, updated_at: float | None) -> bool:
        """Whether a scene belongs to it. One that does not say when it was updated may: it is looked at."""
        if updated_at is None:
            return True
        return (self.since is None or updated_at >= self.since) and (self.until is None or updated_at < self.until)

    def criterion(self) -> dict[str, str] | None:
        """Stash's filter for ``updated_at``, wide enough for every offset; None where there is no bound."""
        low = None if self.since is None else _text(self.since - _MARGIN)
        high = None if self.until is None else _text(self.until + _MARGIN)
        if low is not None and high is not None:
            return {"value": low, "value2": high, "modifier": "BETWEEN"}
        if low is not None:
            return {"value": low, "modifier": "GREATER_THAN"}
        return None if high is None else {"value": high, "modifier": "LESS_THAN"}


def parse_scope(text: str, now: float | None = None, zone: tzinfo | None = None) -> Scope:
    """A scope out of a name (all, recent, recent_7days) or a range a person wrote. Raises BadScope.

    Days begin and end in ``zone``, by default that of this machine; the last day of a range belongs to it.
    """
    word = text.strip() if isinstance(text, str) else ""
    now = time.time() if now is None else now
    if word.lower() == "all":
        return Scope("all")
    if word.lower() in _NAMED:
        return Scope(word.lower(), since=now - _NAMED[word.lower()])
    span = _SPAN.fullmatch(word)
    if span is not None and int(span[1]) > 0:
        return Scope(word, since=now - int(span[1]) * (DAY if span[2].lower() == "d" else HOUR))
    first, dots, last = (part.strip() for part in word.partition(".."))
    if dots and (first or last):
        since = None if not first else _moment(first, zone, text)
        until = None if not last else _moment(last, zone, text, end=True)
        if since is None or until is None or since < until:
            return Scope(word, since, until)
        raise BadScope(f"The range {word!r} ends before it begins. Ranges are written like {FORMS}")
    raise _bad(text)


def _moment(text: str, zone: tzinfo | None, whole: str, end: bool = False) -> float:
    day = _DAY.fullmatch(text)
    try:
        if day is not None:
            moment = datetime(int(day[1]), int(day[2]), int(day[3])) + timedelta(days=1 if end else 0)
            # 1970 on Windows, and nobody has older scenes
            if 1970 < moment.year < 3000:
                return (moment.replace(tzinfo=zone) if zone else moment).timestamp()
        elif (instant := parse_instant(text)) is not None:
            return instant
    except (ValueError, OverflowError, OSError):
        pass
    raise _bad(whole)


def _bad(text: object) -> BadScope:
    return BadScope(
        f"{str(text)[:60]!r} is no range of time. Write it like {FORMS}: "
        "from one day to another, from a day on, the last 30 days, the last 12 hours"
    )


def _text(moment: float) -> str:
    return datetime.fromtimestamp(max(0.0, moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")

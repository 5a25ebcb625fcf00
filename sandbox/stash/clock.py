"""Times in the server's format (stash 7.2)."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def zone(name: str | tzinfo) -> tzinfo:
    """Return the time zone of that name; without zone data on this machine, ten hours east (Sydney's winter)."""
    if isinstance(name, tzinfo):
        return name
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone(timedelta(hours=10))


class Clock:
    """The server's clock in the server's time zone."""

    def __init__(self, where: str | tzinfo) -> None:
        self.zone = zone(where)

    def seconds(self, at: float | None = None) -> str:
        """Return the time in the format of ``created_at``: local offset, whole seconds, ``Z`` only for offset zero."""
        moment = datetime.fromtimestamp(int(time.time() if at is None else at), self.zone)
        return moment.isoformat().replace("+00:00", "Z")

    def precise(self) -> str:
        """Return the time in the format of jobs and log lines: local offset, up to nine decimals."""
        nanoseconds = time.time_ns()
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, self.zone).isoformat()
        fraction = f".{nanoseconds % 1_000_000_000:09d}".rstrip("0").rstrip(".")
        return (moment[:19] + fraction + moment[19:]).replace("+00:00", "Z")

    def timestamp(self, text: str) -> str:
        """Return a ``Timestamp`` input as the UTC text of play histories. Raise ValueError."""
        return utc(self._moment(text))

    def _moment(self, text: str) -> float:
        relative = re.fullmatch(r"([<>])((?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+)", text)
        if relative:
            span = sum(float(n) * _UNITS[u] for n, u in re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", relative[2]))
            return time.time() + (span if relative[1] == ">" else -span)
        if re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", text):
            return datetime.fromisoformat(text).replace(tzinfo=self.zone).timestamp()
        return instant(text)


def instant(text: str) -> float:
    """Return the Unix seconds of an RFC 3339 text. Raise ValueError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
        raise ValueError(f"{text!r} is no RFC 3339 time")
    whole = re.sub(r"\.\d+", "", text)
    return datetime.fromisoformat(whole.upper().replace("Z", "+00:00")).timestamp()


def utc(at: float | None = None) -> str:
    """Return a time (Unix seconds, default now) in UTC with whole seconds and ``Z``."""
    moment = datetime.fromtimestamp(int(time.time() if at is None else at), timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

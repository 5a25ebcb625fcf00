"""Dates that the server accepts: ``YYYY-MM-DD`` and, since 0.30, ``YYYY-MM`` and ``YYYY`` (stash 7.2)."""

from __future__ import annotations

import re
from datetime import date


class DateError(ValueError):
    """The text is not a date; the message is the server's."""


def validated_date(text: str | None, *, partial: bool) -> str | None:
    """Return the date to store, None for an empty one. Raise :class:`DateError`."""
    text = (text or "").strip()
    if not text:
        return None
    if _is_full(text) or (partial and _month_problem(text) is None) or (partial and _year_problem(text) is None):
        return text
    whole = f"ParseDateStringAsTime failed: dateString <{text}>"
    if not partial:
        raise DateError(f"converting date: {whole}")
    problems = f"{whole} {_month_problem(text)} {_year_problem(text)}"
    raise DateError(f'converting date: failed to parse date "{text}": [{problems}]')


def _is_full(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _month_problem(text: str) -> str | None:
    """Return Go's error for ``text`` with the layout 2006-01, or None."""
    match = re.match(r"\d{4}-(\d\d)", text)
    if not match:
        return (
            f'parsing time "{text}" as "2006-01": cannot parse "{text[4:]}" as "-"'
            if _starts_with_year(text)
            else (f'parsing time "{text}" as "2006-01": cannot parse "{text}" as "2006"')
        )
    if not 1 <= int(match[1]) <= 12:
        return f'parsing time "{text}": month out of range'
    rest = text[match.end() :]
    return f'parsing time "{text}": extra text: "{rest}"' if rest else None


def _year_problem(text: str) -> str | None:
    if not _starts_with_year(text):
        return f'parsing time "{text}" as "2006": cannot parse "{text}" as "2006"'
    return f'parsing time "{text}": extra text: "{text[4:]}"' if text[4:] else None


def _starts_with_year(text: str) -> bool:
    return re.match(r"\d{4}", text) is not None

"""Behaviour that the real server has because it is written in Go: JSON, number parsing, error texts."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_EXACT = 2**53


def go_json(value: Any) -> bytes:
    """Return ``value`` as Go's encoding/json writes it: compact, UTF-8, ``<>&`` and the two line separators escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_ESCAPED).encode()


def decoded_as_any(value: Any) -> Any:
    """Return a JSON value after Go has decoded it into ``any``: keys sorted, every number a double."""
    if isinstance(value, dict):
        return {str(key): decoded_as_any(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [decoded_as_any(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return float(value)
    return value


def sorted_map(value: Any) -> Any:
    """Return a JSON value with the keys of every object sorted, as Go writes maps; numbers are unchanged."""
    if isinstance(value, dict):
        return {str(key): sorted_map(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [sorted_map(item) for item in value]
    return value


def go_float(value: float) -> int | float:
    """Return a Float of an answer: whole numbers below a million have no decimal point (stash 7.1)."""
    return int(value) if value.is_integer() and abs(value) < 1_000_000 else value


class NotANumberError(ValueError):
    """An id that is not a number; the message is that of Go's strconv."""

    def __init__(self, text: str) -> None:
        super().__init__(f'strconv.Atoi: parsing "{text}": invalid syntax')


def atoi(text: str) -> int:
    """Parse a whole number. Raise :class:`NotANumberError`."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise NotANumberError(text)
    return int(text)


def go_decode_error(error: json.JSONDecodeError) -> str:
    """Return Go's error text for a body that is not JSON, from Python's error."""
    rest = error.doc[error.pos :].lstrip()
    if not rest:
        return "unexpected EOF" if error.doc.strip() else "EOF"
    if error.msg.startswith("Extra data"):
        return f"invalid character '{rest[0]}' after top-level value"
    wanted = {
        "Expecting property name": "looking for beginning of object key string",
        "Expecting ':'": "after object key",
        "Expecting ','": "after object key:value pair",
        "Illegal trailing": "looking for beginning of value",
        "Invalid control": "in string literal",
        "Invalid \\escape": "in string escape code",
    }
    place = next((words for start, words in wanted.items() if error.msg.startswith(start)), None)
    return f"invalid character '{rest[0]}' {place or 'looking for beginning of value'}"

"""Text on its way to Plex: cleaned of what XML cannot carry, cut to what a request can.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import quote

# One field may fill a request line of 16 kB almost alone (plex 4.6).
MAX_ENCODED_LENGTH = 15_000

# All of Unicode's categories Cc and Cs but tab and line end, and what is no character.
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(value: Any) -> str:
    """Text without control characters, which XML cannot carry; line ends as one character. Nothing else is changed."""
    text = "" if value is None else str(value)
    return _CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def truncate_for_request(text: str, limit: int = MAX_ENCODED_LENGTH) -> tuple[str, bool]:
    """Text whose encoded form fits a request line (``limit`` bytes), cut at a word; and whether it was cut."""
    if len(quote(text, safe="")) <= limit:
        return text, False
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(quote(text[:middle], safe="")) <= limit - 9 else (low, middle - 1)
    cut = text[:low]
    # Scripts without spaces have no words to cut at.
    at = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:at] if at > low * 3 // 4 else cut).rstrip() + "\u2026", True


def unique_names(values: Any) -> list[str]:
    """Names in order, cleaned, without empty ones and without those Plex would hold as one tag."""
    seen: dict[str, str] = {}
    for value in values or ():
        name = clean(value)
        if name.strip():
            seen.setdefault(tag_key(name), name)
    return list(seen.values())


def tag_key(name: str) -> str:
    """What two tags that Plex holds as one have in common (plex 4.4)."""
    return unicodedata.normalize("NFC", name).casefold()

"""Text for Plex: without characters that XML cannot carry, cut to the length of a request. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

# One field may fill a request line of 16 kB almost alone (plex 4.6).
MAX_ENCODED_LENGTH = 15_000

# Unicode's categories Cc and Cs except tab and line end, and noncharacters.
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(value: object) -> str:
    """Return text without control characters, which XML cannot carry, and with ``\\n`` as line end; "" for None."""
    text = "" if value is None else str(value)
    return _CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def truncate_for_request(text: str, limit: int = MAX_ENCODED_LENGTH) -> tuple[str, bool]:
    """Return text whose encoded form fits a request line (``limit`` bytes), cut at a word, and whether it was cut."""
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


def unique_names(values: Iterable[object] | None) -> list[str]:
    """Return names in order, cleaned, without empty ones and without those that are the same tag in Plex."""
    seen: dict[str, str] = {}
    for value in values or ():
        name = clean(value)
        if name.strip():
            seen.setdefault(tag_key(name), name)
    return list(seen.values())


def tag_key(name: str) -> str:
    """Return what is equal for two names that are the same tag in Plex (plex 4.4)."""
    return unicodedata.normalize("NFC", name).casefold()

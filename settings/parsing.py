"""How a stored value becomes a setting's value, or the default and a sentence about it. Pure.

Stash stores what its settings page gives it: absent keys, emptied strings, 0 for an emptied number (stash 5).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from settings.table import Setting, SettingValue

_HTTP_ADDRESS = re.compile(r"https?://[^\s/?#]+(/\S*)?$", re.IGNORECASE)
_ON = ("true", "1", "1.0", "yes", "on")
_OFF = ("false", "0", "0.0", "no", "off")
_MAX_SHOWN = 40


class ParsedValue(NamedTuple):
    """A setting's value, and what is wrong with the stored one if the default had to replace it."""

    value: SettingValue
    problem: str | None


def parse_setting(setting: Setting, stored: object) -> ParsedValue:
    """Parse a stored value as the setting's type. An absent or empty one is the default, without a problem."""
    if stored is None or (isinstance(stored, str) and not stored.strip()):
        return ParsedValue(setting.default, None)
    if setting.kind == "STRING":
        return _parse_text(setting, str(stored))
    return _parse_switch(setting, stored) if setting.kind == "BOOLEAN" else _parse_number(setting, stored)


def address_problem(setting: Setting, url: str) -> str | None:
    """Return what is wrong with the address of a server, or None. An empty one is not a problem."""
    if not url or _HTTP_ADDRESS.match(url):
        return None
    return f"{setting.title} must be an address like http://192.168.1.10:32400, not {_shown(url)}"


def _parse_text(setting: Setting, stored: str) -> ParsedValue:
    text = stored.lstrip() if setting.keeps_trailing_space else stored.strip()
    try:
        if setting.parser is not None:
            setting.parser(text)
    except ValueError as error:
        return ParsedValue(setting.default, f"{setting.title}: {error}")
    return ParsedValue(text, None)


def _parse_switch(setting: Setting, stored: object) -> ParsedValue:
    text = str(stored).strip().lower()
    if text in _ON:
        return ParsedValue(True, None)
    if text in _OFF:
        return ParsedValue(False, None)
    return ParsedValue(setting.default, f"{setting.title} must be on or off, not {_shown(stored)}")


def _parse_number(setting: Setting, stored: object) -> ParsedValue:
    kind = "whole number" if setting.whole else "number"
    allowed = f"a {kind} from {setting.low:g} to {setting.high:g}"
    wrong = ParsedValue(setting.default, f"{setting.title} must be {allowed}, not {_shown(stored)}")
    if isinstance(stored, bool) or not isinstance(stored, (int, float, str)):
        return wrong
    try:
        number = float(stored)
    except (ValueError, OverflowError):
        return wrong
    if number == 0:
        # Stash stores an emptied number as 0 (stash 5).
        return ParsedValue(setting.default, None)
    if math.isnan(number) or not setting.low <= number <= setting.high:
        return wrong
    if setting.whole:
        return ParsedValue(int(number), None) if number == int(number) else wrong
    return ParsedValue(number, None)


def _shown(stored: object) -> str:
    return repr(str(stored)[:_MAX_SHOWN])

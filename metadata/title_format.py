"""Titles made by the user's format, like ``{studio} - {title} ({date})``. Pure.

A missing value removes the text between it and the value before; the first value also the text after it. A pair of
brackets is removed as a whole if all values in it are missing. So no separator is left over: without a studio
``{studio} - {title} ({date})`` is ``Title (2019)``, without a date ``Studio - Title``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from common.scene import SceneData
from metadata.text import clean, unique_names

# Placeholder -> key of a job's data; {filename} needs none.
DATA_KEYS = {"title": "title", "studio": "studio", "performer": "performers", "date": "date", "code": "code"}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_BRACKETS = {"(": ")", "[": "]"}


def format_title(data: SceneData, title_format: str, file_stem: str) -> str | None:
    """Return the title, or None if ``data`` lacks a key that the format needs.

    ``{title}`` is the file name if Stash has no title, since Plex cannot hold an empty one; ``{performer}`` is all
    performers; ``{date}`` is as in Stash. If all values of a format are missing, the result is the title alone.
    """
    needed = {DATA_KEYS[name] for name in _PLACEHOLDER.findall(title_format) if name in DATA_KEYS}
    if "title" not in data or not needed <= data.keys():
        return None
    filename = clean(file_stem)
    title = clean(data["title"])
    title = title if title.strip() else filename
    values = {
        "title": title,
        "filename": filename,
        "performer": ", ".join(unique_names(data.get("performers"))),
        "studio": clean(data.get("studio")),
        "date": clean(data.get("date")),
        "code": clean(data.get("code")),
    }
    formatted = _fill(title_format, values)
    return formatted if formatted is not None and formatted.strip() else title


def _fill(title_format: str, values: Mapping[str, str]) -> str | None:
    """Return the format with its values, or None if all of them are missing."""
    text, before = "", ""
    shown = cut = False
    for piece, kind in _split_format(title_format):
        if kind == "text":
            before += "" if cut and not shown else piece
            continue
        value = values[piece] if kind == "value" else _fill_group(piece, values)
        if value is not None and value.strip():
            text, shown = text + before + value, True
        else:
            cut = True
        before = ""
    return text + before if shown else None


def _fill_group(group: str, values: Mapping[str, str]) -> str | None:
    inner = _fill(group[1:-1], values)
    return None if inner is None else group[0] + inner + group[-1]


def _split_format(title_format: str) -> list[tuple[str, str]]:
    """Split a format into values (``{name}``), groups (brackets with a value inside) and the text between them."""
    pieces: list[tuple[str, str]] = []
    at = 0
    while at < len(title_format):
        end = _closing_bracket(title_format, at)
        match = _PLACEHOLDER.match(title_format, at)
        if end is not None and _PLACEHOLDER.search(title_format, at, end):
            pieces.append((title_format[at : end + 1], "group"))
            at = end + 1
        elif match:
            pieces.append((match[1], "value"))
            at = match.end()
        else:
            pieces.append((title_format[at], "text"))
            at += 1
    return pieces


def _closing_bracket(title_format: str, at: int) -> int | None:
    """Return where the bracket that opens at ``at`` is closed, or None."""
    partner = _BRACKETS.get(title_format[at])
    depth = 0
    for place in range(at, len(title_format)) if partner else ():
        depth += {title_format[at]: 1, partner: -1}.get(title_format[place], 0)
        if depth == 0:
            return place
    return None

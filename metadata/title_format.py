"""A title made by a person's format, like ``{studio} - {title} ({date})``. Pure.

A value that is missing takes along the text before it, up to the value before; where no value stands before it, also
the text after it. What stands in a pair of brackets goes as one when all of its values are missing. So no separator is
left hanging: without a studio ``{studio} - {title} ({date})`` is ``Title (2019)``, without a date ``Studio - Title``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metadata.text import clean, unique_names

# placeholder -> the key of a job's data; {filename} needs none
DATA_KEYS = {"title": "title", "studio": "studio", "performer": "performers", "date": "date", "code": "code"}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_BRACKETS = {"(": ")", "[": "]"}


def format_title(data: Mapping[str, Any], form: str, file_stem: str) -> str | None:
    """The title, or None where the data lack a key that the format needs: then nothing is known about it.

    ``{title}`` is the file name where Stash has none, since Plex cannot hold an empty title; ``{performer}`` is all of
    them; ``{date}`` is as Stash has it. A format whose values are all missing gives the title alone.
    """
    wanted = {DATA_KEYS[name] for name in _PLACEHOLDER.findall(form) if name in DATA_KEYS}
    if not {"title", *wanted} <= data.keys():
        return None
    filename = clean(file_stem)
    title = clean(data["title"])
    title = title if title.strip() else filename
    values = {
        "title": title,
        "filename": filename,
        "performer": ", ".join(unique_names(data.get("performers"))),
        **{name: clean(data.get(name)) for name in ("studio", "date", "code")},
    }
    made = _fill(form, values)
    return made if made is not None and made.strip() else title


def _fill(form: str, values: Mapping[str, str]) -> str | None:
    """The format with its values, None where all of them are missing."""
    text, before = "", ""
    shown = cut = False
    for piece, kind in _split_format(form):
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


def _split_format(form: str) -> list[tuple[str, str]]:
    """The format cut into values (``{name}``), groups (brackets that hold a value) and the text between them."""
    pieces: list[tuple[str, str]] = []
    at = 0
    while at < len(form):
        end = _closing_bracket(form, at)
        found = _PLACEHOLDER.match(form, at)
        if end is not None and _PLACEHOLDER.search(form, at, end):
            pieces.append((form[at : end + 1], "group"))
            at = end + 1
        elif found:
            pieces.append((found[1], "value"))
            at = found.end()
        else:
            pieces.append((form[at], "text"))
            at += 1
    return pieces


def _closing_bracket(form: str, at: int) -> int | None:
    """Where the bracket that opens at ``at`` is closed, None where there is none or it never is."""
    partner = _BRACKETS.get(form[at])
    depth = 0
    for place in range(at, len(form)) if partner else ():
        depth += {form[at]: 1, partner: -1}.get(form[place], 0)
        if depth == 0:
            return place
    return None

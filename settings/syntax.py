"""Parsers of the settings that hold more than one word. Pure.

Each raises ValueError with what is wrong, in words that stand behind the setting's title.
"""

from __future__ import annotations

import re

PLACEHOLDERS = ("title", "studio", "performer", "date", "filename", "code")
INTERVALS = ("never", "hourly", "daily", "weekly")
COLLECTION_KINDS = ("studio", "parent_studio", "performer", "group", "tag", "organized")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WHOLE_PATH = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")


def parse_title_format(text: str) -> str:
    """Return a format like ``{studio} - {title}`` unchanged if every placeholder is known."""
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    names = _PLACEHOLDER.findall(text)
    for name in names:
        if name not in PLACEHOLDERS:
            raise ValueError(f"unknown placeholder {{{name[:40]}}} (known: {allowed})")
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise ValueError(f"a brace is not closed or not opened (placeholders: {allowed})")
    if not names:
        raise ValueError(f"without one of {allowed} every scene would have the same title")
    return text


def parse_interval(text: str) -> str:
    """Return how often an automatic run is due, in lower case."""
    if text.casefold() not in INTERVALS:
        raise ValueError(f"must be one of {', '.join(INTERVALS)}, not {text[:40]!r}")
    return text.casefold()


def parse_web_address(text: str) -> str:
    """Return an address that a browser may be sent to, unchanged."""
    if not text.lower().startswith(("http://", "https://")) or any(character.isspace() for character in text):
        raise ValueError(f"must begin with http:// or https://, not {text[:40]!r}")
    return text


def parse_names(text: str) -> tuple[str, ...]:
    """Return the parts of a comma separated list, without empty ones."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parse_paths(text: str) -> tuple[str, ...]:
    """Return comma separated folders, files or patterns; each must be able to match a whole path."""
    paths = parse_names(text)
    for path in paths:
        if not _WHOLE_PATH.match(path) and not set("*?") & set(path):
            raise ValueError(f"use whole paths like /data/private or patterns with *, not {path[:40]!r}")
    return paths


def parse_collections(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the kinds of collections, each with its tag rules (of ``tag`` only): ``studio, tag(Solo|Series/*)``."""
    kinds = []
    for entry in _split_outside_parentheses(text):
        kind, opened, rest = (part.strip() for part in entry.partition("("))
        tags = tuple(name for name in (part.strip() for part in rest[:-1].split("|")) if name) if opened else ()
        kind = kind.casefold()
        if kind not in COLLECTION_KINDS:
            raise ValueError(f"unknown kind {kind[:40]!r} (known: {', '.join(COLLECTION_KINDS)})")
        if kind == "tag" and not tags:
            raise ValueError("tag needs names, like tag(Solo|Duo)")
        if opened and (kind != "tag" or not rest.endswith(")")):
            raise ValueError(f"only tag takes names in parentheses, like tag(Solo|Duo), not {entry[:40]!r}")
        kinds.append((kind, tags))
    return tuple(kinds)


def parse_prefixes(text: str) -> dict[str, str]:
    """Return the prefix of each kind of collections: ``studio=Studio: ; performer=Actor: ``.

    Trailing spaces are part of a prefix. A prefix that ends with a colon always gets one: at the end of the setting a
    space is invisible and easily lost.
    """
    prefixes = {}
    for rule in text.split(";"):
        if not rule.strip():
            continue
        name, equals, prefix = rule.partition("=")
        kind = name.strip().casefold()
        if not equals:
            raise ValueError(f"write rules like studio=Studio: with semicolons between them, not {rule.strip()[:40]!r}")
        if kind not in COLLECTION_KINDS:
            raise ValueError(f"unknown kind {kind[:40]!r} (known: {', '.join(COLLECTION_KINDS)})")
        prefix = prefix.lstrip()
        prefixes[kind] = prefix + " " if prefix.endswith(":") else prefix
    return prefixes


def _split_outside_parentheses(text: str) -> list[str]:
    """Split at the commas that are not inside parentheses; empty parts are left out."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        raise ValueError("a parenthesis is not closed or not opened")
    return [part.strip() for part in parts if part.strip()]

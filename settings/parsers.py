"""Settings that hold more than one word: read into plain values, or refused with what is wrong. Pure.

Each reader raises ValueError with what is wrong, for a sentence after the setting's title.
"""

from __future__ import annotations

import re

PLACEHOLDERS = ("title", "studio", "performer", "date", "filename", "code")
INTERVALS = ("never", "hourly", "daily", "weekly")
KINDS = ("studio", "parent_studio", "performer", "group", "tag", "organized")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WHOLE_PATH = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")


def title_format(text: str) -> str:
    """A format like ``{studio} - {title}``, as it is, once every placeholder is known."""
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    names = _PLACEHOLDER.findall(text)
    for name in names:
        if name not in PLACEHOLDERS:
            raise ValueError(f"only {allowed} are known, not {{{name[:40]}}}")
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise ValueError(f"a brace is without its partner; {allowed} are known")
    if not names:
        raise ValueError(f"one of {allowed} is needed, else every scene has the same title")
    return text


def interval(text: str) -> str:
    """How often something is done."""
    if text.casefold() not in INTERVALS:
        raise ValueError(f"{', '.join(INTERVALS)} are known, not {text[:40]!r}")
    return text.casefold()


def web_address(text: str) -> str:
    """An address that a browser may be sent to. Raises ValueError."""
    if not text.lower().startswith(("http://", "https://")) or any(letter.isspace() for letter in text):
        raise ValueError(f"is an address that begins with http:// or https://, not {text[:40]!r}")
    return text


def names(text: str) -> tuple[str, ...]:
    """The parts of a comma separated list, without empty ones."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def paths(text: str) -> tuple[str, ...]:
    """Comma separated folders, files or patterns; each must be able to fit a whole path."""
    found = names(text)
    for path in found:
        if not _WHOLE_PATH.match(path) and not set("*?") & set(path):
            raise ValueError(f"whole paths like /data/private or patterns with * are needed, not {path[:40]!r}")
    return found


def collections(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Kinds of collections, each with the tags it is for: ``studio, tag(Solo|Series/*)``. Only ``tag`` has any."""
    found = []
    for entry in _outside_parentheses(text):
        kind, opened, rest = (part.strip() for part in entry.partition("("))
        tags = tuple(name for name in (part.strip() for part in rest[:-1].split("|")) if name) if opened else ()
        kind = kind.casefold()
        if kind not in KINDS:
            raise ValueError(f"only {', '.join(KINDS)} are known, not {kind[:40]!r}")
        if kind == "tag" and not tags:
            raise ValueError("tag needs names behind it, like tag(Solo|Duo)")
        if opened and (kind != "tag" or not rest.endswith(")")):
            raise ValueError(f"names in parentheses stand behind tag alone, like tag(Solo|Duo), not {entry[:40]!r}")
        found.append((kind, tags))
    return tuple(found)


def prefixes(text: str) -> dict[str, str]:
    """What stands before the names of a kind: ``studio=Studio: ; performer=Actor: ``.

    Spaces behind a prefix are part of it. One that ends with a colon has a space behind it even where none was
    given: at the end of the setting it cannot be seen, and is easily lost.
    """
    found = {}
    for rule in text.split(";"):
        if not rule.strip():
            continue
        name, equals, prefix = rule.partition("=")
        kind = name.strip().casefold()
        if not equals:
            raise ValueError(f"rules are like studio=Studio: with semicolons between them, not {rule.strip()[:40]!r}")
        if kind not in KINDS:
            raise ValueError(f"only {', '.join(KINDS)} are known, not {kind[:40]!r}")
        prefix = prefix.lstrip()
        found[kind] = prefix + " " if prefix.endswith(":") else prefix
    return found


def _outside_parentheses(text: str) -> list[str]:
    """The parts between those commas that stand in no parentheses, without empty ones."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            break
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise ValueError("a parenthesis is without its partner")
    return [part.strip() for part in parts if part.strip()]

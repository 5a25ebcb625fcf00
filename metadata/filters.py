"""Which scenes are left as they are in Plex, because a person's filters say so. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from metadata.tag_rules import NO_FAMILIES, Families, naming, tags_of

_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\")


def why_left_out(data: Mapping[str, Any], config: Any, families: Families = NO_FAMILIES) -> str | None:
    """Why the scene of a job's data is left out, as the end of a sentence that begins with it; None where it is not.

    ``families`` are the tags that rules ending in ``/*`` mean. What the data do not say cannot fulfil what is asked for
    (organized, a StashID, a tag of Include tags), and is never what is excluded.
    """
    if config.only_organized and not data.get("organized"):
        return "is not organized, and Only organized scenes is on"
    if config.only_with_stash_id and not data.get("has_stash_id"):
        return "has no StashID, and Only scenes with a StashID is on"
    path = str(data.get("path") or "")
    for rule in config.excluded_paths:
        if lies_in(path, rule):
            return f"lies in {rule}, which Exclude paths names"
    tags = list(tags_of(data))
    for name, tag_id in tags:
        rule = naming(config.excluded_tags, families, name, tag_id)
        if rule is not None:
            return f"has the tag {name}, which Exclude tags names" + ("" if rule == name else f" as {rule}")
    included = config.included_tags
    if included and not any(naming(included, families, name, tag_id) for name, tag_id in tags):
        return "has none of the tags that Include tags names"
    return None


def lies_in(path: str, rule: str) -> bool:
    """Whether a path is what the rule names, or lies below it; whole components only.

    In the rule ``*`` stands for any letters, a separator too, ``?`` for one that is none. Case counts but on Windows.
    """
    windows = bool(_WINDOWS.match(path))
    wanted = _plain(rule, windows).rstrip("/")
    pattern = "".join({"*": ".*", "?": "[^/]"}.get(letter) or re.escape(letter) for letter in wanted)
    flags = re.DOTALL | (re.IGNORECASE if windows else 0)
    return bool(path) and re.fullmatch(f"{pattern}(?:/.*)?", _plain(path, windows), flags) is not None


def _plain(path: str, windows: bool) -> str:
    path = unicodedata.normalize("NFC", path)
    # elsewhere a backslash is a letter like any other
    return path.replace("\\", "/") if windows else path

"""Which scenes are left as they are in Plex, because a person's filters say so. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of

_WINDOWS_PATH = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\")


def filter_reason(data: Mapping[str, Any], config: Any, descendants: TagDescendants = NO_DESCENDANTS) -> str | None:
    """Why the scene of a job's data is left out, as the end of a sentence that begins with it; None where it is not.

    ``descendants`` are the tags that rules ending in ``/*`` mean. A key that ``data`` does not have never satisfies a
    filter that requires something (organized, a StashID, Include tags) and never matches one that excludes.
    """
    if config.only_organized and not data.get("organized"):
        return "is not organized, and Only organized scenes is on"
    if config.only_with_stash_id and not data.get("has_stash_id"):
        return "has no StashID, and Only scenes with a StashID is on"
    path = str(data.get("path") or "")
    for rule in config.excluded_paths:
        if is_below(path, rule):
            return f"lies in {rule}, which Exclude paths names"
    tags = list(tags_of(data))
    for name, tag_id in tags:
        rule = tag_rule_for(config.excluded_tags, descendants, name, tag_id)
        if rule is not None:
            return f"has the tag {name}, which Exclude tags names" + ("" if rule == name else f" as {rule}")
    included = config.included_tags
    if included and not any(tag_rule_for(included, descendants, name, tag_id) for name, tag_id in tags):
        return "has none of the tags that Include tags names"
    return None


def is_below(path: str, rule: str) -> bool:
    """Whether a path is what the rule names, or lies below it; whole components only.

    In the rule ``*`` stands for any letters, a separator too, ``?`` for one that is none. Case counts but on Windows.
    """
    windows = bool(_WINDOWS_PATH.match(path))
    wanted = _normalized(rule, windows).rstrip("/")
    pattern = "".join({"*": ".*", "?": "[^/]"}.get(letter) or re.escape(letter) for letter in wanted)
    flags = re.DOTALL | (re.IGNORECASE if windows else 0)
    return bool(path) and re.fullmatch(f"{pattern}(?:/.*)?", _normalized(path, windows), flags) is not None


def _normalized(path: str, windows: bool) -> str:
    path = unicodedata.normalize("NFC", path)
    # elsewhere a backslash is a letter like any other
    return path.replace("\\", "/") if windows else path

"""The user's filters: which scenes are skipped, and left in Plex as they are. Pure."""

from __future__ import annotations

import re
import unicodedata

from common.scene import SceneData
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of
from settings.config import Stash2PlexConfig

_WINDOWS_PATH = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\")


def filter_reason(
    data: SceneData, config: Stash2PlexConfig, descendants: TagDescendants = NO_DESCENDANTS
) -> str | None:
    """Return why the filters skip a scene, as the end of a sentence that begins with the scene; None if they do not.

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
            return f"is in {rule}, which Exclude paths lists"
    tags = list(tags_of(data))
    for name, tag_id in tags:
        excluding = tag_rule_for(config.excluded_tags, descendants, name, tag_id)
        if excluding is not None:
            return f"has the tag {name}, which Exclude tags lists" + ("" if excluding == name else f" as {excluding}")
    included = config.included_tags
    if included and not any(tag_rule_for(included, descendants, name, tag_id) for name, tag_id in tags):
        return "has none of the tags that Include tags lists"
    return None


def is_below(path: str, rule: str) -> bool:
    """Return whether a path is the one that the rule names, or below it; only whole components count.

    In the rule ``*`` matches any characters, separators too, ``?`` one that is not a separator. Only Windows paths
    ignore case.
    """
    windows = bool(_WINDOWS_PATH.match(path))
    wanted = _normalized(rule, windows).rstrip("/")
    pattern = "".join({"*": ".*", "?": "[^/]"}.get(character) or re.escape(character) for character in wanted)
    flags = re.DOTALL | (re.IGNORECASE if windows else 0)
    return bool(path) and re.fullmatch(f"{pattern}(?:/.*)?", _normalized(path, windows), flags) is not None


def _normalized(path: str, windows: bool) -> str:
    path = unicodedata.normalize("NFC", path)
    # Elsewhere a backslash is an ordinary character.
    return path.replace("\\", "/") if windows else path

"""The user's tag rules: names or ids, and ``Name/*`` for a tag with all tags below it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from common.scene import SceneData
from metadata.text import clean, tag_key

# For each rule that ends in /*: the tags it means, name by id. Only Stash knows them (stash.tags).
TagDescendants = Mapping[str, Mapping[str, str]]
NO_DESCENDANTS: TagDescendants = {}


def tags_of(data: SceneData) -> Iterator[tuple[str, str | None]]:
    """Yield a scene's tags: each name with its id, None if the data have no ids."""
    names, ids = data.get("tags") or [], data.get("tag_ids") or []
    if len(ids) != len(names):
        ids = [None] * len(names)
    for name, tag_id in zip(names, ids, strict=True):
        yield clean(name), None if tag_id is None else str(tag_id)


def tag_rule_for(rules: Iterable[str], descendants: TagDescendants, name: str, tag_id: str | None) -> str | None:
    """Return the first of the rules that means this tag, or None.

    A rule of digits alone is an id, anything else a name, compared as Plex compares tags. ``Name/*`` always means the
    tag itself; ``descendants`` has the tags below it.
    """
    return next((rule for rule in rules if _matches(rule, descendants, name, tag_id)), None)


def _matches(rule: str, descendants: TagDescendants, name: str, tag_id: str | None) -> bool:
    below = descendants.get(rule, {})
    if tag_id is not None and tag_id in below:
        return True
    if tag_id is None and any(tag_key(name) == tag_key(other) for other in below.values()):
        return True
    root = rule[:-2].strip() if rule.endswith("/*") else rule
    return tag_id == root if root.isdecimal() else tag_key(name) == tag_key(root)

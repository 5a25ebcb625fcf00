"""A person's rules for tags: names or ids, and ``Name/*`` for a tag with all that is below it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metadata.text import clean, tag_key

# The tags, name by id, that each rule ending in /* means: Stash alone knows (stash.tags).
TagDescendants = Mapping[str, Mapping[str, str]]
NO_DESCENDANTS: TagDescendants = {}


def tags_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """A job's tags: each name with its id, None where the job does not tell."""
    names, ids = data.get("tags") or (), data.get("tag_ids") or ()
    known = len(ids) == len(names)
    for place, name in enumerate(names):
        yield clean(name), str(ids[place]) if known and ids[place] is not None else None


def tag_rule_for(rules: Iterable[str], descendants: TagDescendants, name: str, tag_id: str | None) -> str | None:
    """The first of the rules that means this tag, or None.

    A rule of digits alone is an id, anything else a name, compared as Plex compares tags. ``Name/*`` always means the
    tag itself; what is below it is known from ``descendants``.
    """
    return next((rule for rule in rules if _matches(rule, descendants, name, tag_id)), None)


def _matches(rule: str, descendants: TagDescendants, name: str, tag_id: str | None) -> bool:
    family = descendants.get(rule, {})
    if tag_id is not None and tag_id in family:
        return True
    if tag_id is None and any(tag_key(name) == tag_key(other) for other in family.values()):
        return True
    alone = rule[:-2].strip() if rule.endswith("/*") else rule
    return tag_id == alone if alone.isdecimal() else tag_key(name) == tag_key(alone)

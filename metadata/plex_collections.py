"""Collections: which ones a scene belongs to, and what becomes of those that an item has in Plex. Pure.

Ours are those the ledger says we added to the item. All others are people's: they stay, also where they have the name
of one that we wish for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of
from metadata.text import tag_key, unique_names

ORGANIZED = "Organized"

# kind -> the key of a job's data that tells
_DATA_KEYS = {
    "studio": "studio",
    "parent_studio": "parent_studio",
    "performer": "performers",
    "group": "groups",
    "tag": "tags",
    "organized": "organized",
}


def collections_for(
    data: Mapping[str, Any], config: Any, descendants: TagDescendants = NO_DESCENDANTS
) -> tuple[list[str], bool] | None:
    """The collections that a scene belongs to, and whether these are all; None where the data tell of none.

    They are not all where the data lack the key of a kind that the settings ask for: then none that we added before
    may go, since it may be of that kind.
    """
    kinds = config.collection_kinds
    told = [(kind, rules) for kind, rules in kinds if _DATA_KEYS[kind] in data]
    if kinds and not told:
        return None
    names = [
        config.collection_prefixes.get(kind, "") + name
        for kind, rules in told
        for name in unique_names(_names(kind, rules, data, descendants))
    ]
    return unique_names(names), len(told) == len(kinds)


def _names(kind: str, rules: Sequence[str], data: Mapping[str, Any], descendants: TagDescendants) -> list[Any]:
    if kind == "tag":
        return [name for name, tag_id in tags_of(data) if tag_rule_for(rules, descendants, name, tag_id)]
    value = data[_DATA_KEYS[kind]]
    if kind == "organized":
        return [ORGANIZED] if value else []
    return list(value or ()) if kind in ("performer", "group") else [value]


def merge_collections(there: Sequence[str], wish: Sequence[str], owned: Collection[str], *, whole: bool) -> list[str]:
    """The collections an item should have: those ``there``, without the ``owned`` that are not wished for any more, and
    the wished-for ones that are missing. Nothing goes unless the wish is ``whole``."""
    wanted = {tag_key(name) for name in wish}
    gone = {tag_key(name) for name in owned} - wanted if whole else set()
    kept = [name for name in there if tag_key(name) not in gone]
    known = {tag_key(name) for name in kept}
    return [*kept, *(name for name in wish if tag_key(name) not in known)]


def owned_after_write(
    owned: Collection[str], there: Sequence[str], *, added: Collection[str] = (), removed: Collection[str] = ()
) -> list[str]:
    """The collections of an item that are ours after a write: what was ``owned`` and was ``there``, without what we
    ``removed``, with what we ``added``. One that a person took the item out of is not ours any more: put back by hand
    it would be theirs."""
    shown = {tag_key(name) for name in there} - {tag_key(name) for name in removed}
    return unique_names([*(name for name in owned if tag_key(name) in shown), *added])

"""Collections: which ones a scene belongs to, and what becomes of those that an item has in Plex. Pure.

Ours are those the ledger says we added to the item. All others are people's: they stay, also where they have the name
of one that we wish for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from metadata.tag_rules import NO_FAMILIES, Families, naming, tags_of
from metadata.text import tag_key, unique

ORGANIZED = "Organized"

# kind -> the key of a job's data that tells
_KEYS = {
    "studio": "studio",
    "parent_studio": "parent_studio",
    "performer": "performers",
    "group": "groups",
    "tag": "tags",
    "organized": "organized",
}


def wished(data: Mapping[str, Any], config: Any, families: Families = NO_FAMILIES) -> tuple[list[str], bool] | None:
    """The collections that a scene belongs to, and whether these are all; None where the data tell of none.

    They are not all where the data lack the key of a kind that the settings ask for: then none that we added before
    may go, since it may be of that kind.
    """
    kinds = config.collection_kinds
    told = [(kind, rules) for kind, rules in kinds if _KEYS[kind] in data]
    if kinds and not told:
        return None
    names = [
        config.collection_prefixes.get(kind, "") + name
        for kind, rules in told
        for name in unique(_names(kind, rules, data, families))
    ]
    return unique(names), len(told) == len(kinds)


def _names(kind: str, rules: Sequence[str], data: Mapping[str, Any], families: Families) -> list[Any]:
    if kind == "tag":
        return [name for name, tag_id in tags_of(data) if naming(rules, families, name, tag_id)]
    value = data[_KEYS[kind]]
    if kind == "organized":
        return [ORGANIZED] if value else []
    return list(value or ()) if kind in ("performer", "group") else [value]


def merged(there: Sequence[str], wish: Sequence[str], owned: Collection[str], *, whole: bool) -> list[str]:
    """The collections an item should have: those ``there``, without the ``owned`` that are not wished for any more, and
    the wished-for ones that are missing. Nothing goes unless the wish is ``whole``."""
    wanted = {tag_key(name) for name in wish}
    gone = {tag_key(name) for name in owned} - wanted if whole else set()
    kept = [name for name in there if tag_key(name) not in gone]
    known = {tag_key(name) for name in kept}
    return [*kept, *(name for name in wish if tag_key(name) not in known)]


def ours_after(
    owned: Collection[str], there: Sequence[str], *, added: Collection[str] = (), removed: Collection[str] = ()
) -> list[str]:
    """The collections of an item that are ours after a write: what was ``owned`` and was ``there``, without what we
    ``removed``, with what we ``added``. One that a person took the item out of is not ours any more: put back by hand
    it would be theirs."""
    shown = {tag_key(name) for name in there} - {tag_key(name) for name in removed}
    return unique([*(name for name in owned if tag_key(name) in shown), *added])

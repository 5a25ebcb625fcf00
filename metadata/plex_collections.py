"""The collections of a scene, and what happens to those that its item is in. Pure.

A collection is ours if the ledger says that we added the item to it. All others are the user's: they stay, even if they
have the name of a desired one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from common.scene import SceneData
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants, tag_rule_for, tags_of
from metadata.text import tag_key, unique_names
from settings.config import Stash2PlexConfig

ORGANIZED = "Organized"


def collections_for(
    data: SceneData, config: Stash2PlexConfig, descendants: TagDescendants = NO_DESCENDANTS
) -> tuple[list[str], bool] | None:
    """Return a scene's collections and whether the list is complete, or None if ``data`` has no key for any of them.

    The list is incomplete if ``data`` lacks the key of a kind that the settings ask for. Then no collection that we
    added before may be removed, since it may be of that kind.
    """
    kinds = config.collection_kinds
    names_by_kind = [(kind, _names(kind, rules, data, descendants)) for kind, rules in kinds]
    complete = [(kind, names) for kind, names in names_by_kind if names is not None]
    if kinds and not complete:
        return None
    prefixes = config.collection_prefixes
    names = [prefixes.get(kind, "") + name for kind, names in complete for name in unique_names(names)]
    return unique_names(names), len(complete) == len(kinds)


def _names(kind: str, rules: Sequence[str], data: SceneData, descendants: TagDescendants) -> list[str | None] | None:
    """Return the names of one kind of collections, or None if ``data`` lacks its key."""
    if kind == "tag" and "tags" in data:
        return [name for name, tag_id in tags_of(data) if tag_rule_for(rules, descendants, name, tag_id)]
    if kind == "organized" and "organized" in data:
        return [ORGANIZED] if data["organized"] else []
    if kind == "studio" and "studio" in data:
        return [data["studio"]]
    if kind == "parent_studio" and "parent_studio" in data:
        return [data["parent_studio"]]
    if kind == "performer" and "performers" in data:
        return list(data["performers"] or ())
    if kind == "group" and "groups" in data:
        return list(data["groups"] or ())
    return None


def merge_collections(
    present: Sequence[str], desired: Sequence[str], owned: Collection[str], *, complete: bool
) -> list[str]:
    """Return the collections an item should be in: the ``present`` ones and the ``desired`` ones that are missing.

    An ``owned`` collection that is not desired any more is left out, but only if ``desired`` is ``complete``.
    """
    wanted = {tag_key(name) for name in desired}
    obsolete = {tag_key(name) for name in owned} - wanted if complete else set()
    kept = [name for name in present if tag_key(name) not in obsolete]
    kept_keys = {tag_key(name) for name in kept}
    return [*kept, *(name for name in desired if tag_key(name) not in kept_keys)]


def owned_after_write(
    owned: Collection[str], present: Sequence[str], *, added: Collection[str] = (), removed: Collection[str] = ()
) -> list[str]:
    """Return the collections of an item that are ours after a write.

    These are the ``owned`` ones that were still ``present``, without the ``removed`` and with the ``added``. A
    collection that the user took the item out of is no longer ours: if the user adds it again, it is theirs.
    """
    shown = {tag_key(name) for name in present} - {tag_key(name) for name in removed}
    return unique_names([*(name for name in owned if tag_key(name) in shown), *added])

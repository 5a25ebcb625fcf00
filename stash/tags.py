"""The tags that rules ending in ``/*`` mean: a tag and all tags below it, as Stash knows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from stash import queries
from stash.client import StashClient, parsing_answer

DESCENDANTS_SUFFIX = "/*"


def tag_descendants(client: StashClient, rules: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the tags, name by id, that each rule ending in ``/*`` means. Two requests; none without such a rule.

    Digits alone before the ``/*`` are an id, anything else is a name. A rule whose tag Stash does not have means none.
    Raise StashError.
    """
    wanted = {
        rule: _normalized(rule[: -len(DESCENDANTS_SUFFIX)]) for rule in rules if rule.endswith(DESCENDANTS_SUFFIX)
    }
    if not wanted:
        return {}
    answer = client.call(queries.TAG_NAMES)
    with parsing_answer():
        names = {str(tag["id"]): str(tag["name"]) for tag in answer["findTags"]["tags"]}
        ids = {_normalized(name): tag_id for tag_id, name in names.items()}
        roots = {rule: root if root.isdecimal() else ids.get(root) for rule, root in wanted.items()}
        root_ids = sorted({int(root) for root in roots.values() if root in names})
    below = client.call(queries.tag_descendants_query(root_ids)) if root_ids else {}
    with parsing_answer():
        return {
            rule: {root: names[root], **{str(tag["id"]): str(tag["name"]) for tag in below[f"t{int(root)}"]["tags"]}}
            if root in names
            else {}
            for rule, root in roots.items()
        }


def _normalized(name: str) -> str:
    # As metadata.text.tag_key compares names of tags.
    return unicodedata.normalize("NFC", name.strip()).casefold()

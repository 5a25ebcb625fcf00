"""Rules for tags that end in ``/*`` mean a tag with all that is below it: Stash is asked which those are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from stash import queries
from stash.client import StashClient, parsing_answer

DESCENDANTS_SUFFIX = "/*"


def tag_descendants(client: StashClient, rules: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the tags, name by id, that each rule ending in ``/*`` means. Two requests; none without such a rule.

    A rule of digits alone before the ``/*`` is an id, anything else a name. Where Stash has no such tag the rule means
    none. Raises StashError.
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
        known = sorted({int(root) for root in roots.values() if root in names})
    below = client.call(queries.tag_descendants_query(known)) if known else {}
    with parsing_answer():
        return {
            rule: {root: names[root], **{str(tag["id"]): str(tag["name"]) for tag in below[f"t{int(root)}"]["tags"]}}
            if root in names
            else {}
            for rule, root in roots.items()
        }


def _normalized(name: str) -> str:
    # as the pure side compares names of tags
    return unicodedata.normalize("NFC", name.strip()).casefold()

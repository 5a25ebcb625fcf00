"""Stash's scenes, page by page, through anything that has stashapp-tools' ``find_scenes``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciliation.detector import id_of
from reconciliation.scopes import Scope
from stash import queries
from stash.scenes import PAGE_SIZE


def pages(stash: Any, scope: Scope, page: int = PAGE_SIZE, *, after: int = 0) -> Iterator[list[dict[str, Any]]]:
    """The scenes that may belong to a scope, with all that a push needs, by id, those up to ``after`` left out.

    Raises what ``find_scenes`` raises.

    By id and not by page number: what is added or goes meanwhile shifts nothing (stash 7.3).
    """
    last = after
    wanted = scope.criterion()
    while True:
        criteria: dict[str, Any] = {} if wanted is None else {"updated_at": wanted}
        if last:
            criteria["id"] = {"value": last, "modifier": "GREATER_THAN"}
        given = stash.find_scenes(
            f=criteria,
            filter={"per_page": page, "page": 1, "sort": "id", "direction": "ASC"},
            fragment=queries.SCENE_FIELDS,
        )
        found = list(given or ())
        new = [scene for scene in found if (id_of(scene) or last + 1) > last]
        if new:
            yield new
        highest = max((id_of(scene) or 0 for scene in new), default=0)
        # Whoever gives the same page twice would do so for ever.
        if len(found) < page or highest <= last:
            return
        last = highest

"""Read Stash's scenes page by page, through anything that has stashapp-tools' ``find_scenes``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciliation.detector import id_of
from reconciliation.scopes import Scope
from stash import queries
from stash.scene_source import ScenePager
from stash.scenes import PAGE_SIZE


def scene_pages(
    stash: ScenePager, scope: Scope, page_size: int = PAGE_SIZE, *, after: int = 0
) -> Iterator[list[Mapping[str, object]]]:
    """Yield the scenes that may belong to a scope, by id, from the first behind ``after``.

    Pages begin at an id, not at a number: scenes that come or go meanwhile shift nothing (stash 7.3). Raise what
    ``find_scenes`` raises.
    """
    last_id = after
    updated_at = scope.criterion()
    while True:
        criteria: dict[str, object] = {} if updated_at is None else {"updated_at": updated_at}
        if last_id:
            criteria["id"] = {"value": last_id, "modifier": "GREATER_THAN"}
        found = stash.find_scenes(
            f=criteria,
            filter={"per_page": page_size, "page": 1, "sort": "id", "direction": "ASC"},
            fragment=queries.SCENE_FIELDS,
        )
        scenes = list(found or ())
        new = [scene for scene in scenes if (id_of(scene) or last_id + 1) > last_id]
        if new:
            yield new
        highest = max((id_of(scene) or 0 for scene in new), default=0)
        # A source that ignores the criteria would return the same page for ever.
        if len(scenes) < page_size or highest <= last_id:
            return
        last_id = highest

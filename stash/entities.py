"""The scenes that performers, studios, tags and groups are on: their ids, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stash import queries
from stash.client import StashClient, parsing_answer

PAGE_SIZE = 500

# Stash's filter for each kind of entity; performers have no children.
_FILTER_NAMES = {"performer": "performers", "studio": "studios", "tag": "tags", "group": "groups"}


@dataclass(frozen=True)
class EntityPage:
    """A page of an entity's scenes: those with ids above ``after``. ``depth`` is how many levels of what is below the
    studio or tag count too, -1 for all."""

    kind: str
    entity_id: int
    after: int = 0
    depth: int = 0

    def filter(self) -> dict[str, Any]:
        """The page as Stash's ``SceneFilterType``."""
        criterion: dict[str, Any] = {"value": [str(self.entity_id)], "modifier": "INCLUDES"}
        if self.depth:
            criterion["depth"] = self.depth
        return {"id": {"value": self.after, "modifier": "GREATER_THAN"}, _FILTER_NAMES[self.kind]: criterion}


def scene_ids(stash: Any, wanted: Sequence[EntityPage], page: int = PAGE_SIZE) -> list[list[int]]:
    """The ids of each page, ascending, at most ``page`` of them; fewer are the last page. One that is gone has none.

    One request over a StashClient, one each over anything with stashapp-tools' ``find_scenes``. Raises StashError, or
    what that ``find_scenes`` raises.
    """
    if not wanted:
        return []
    by_id = {"per_page": page, "sort": "id", "direction": "ASC"}
    filters = [one.filter() for one in wanted]
    if isinstance(stash, StashClient):
        variables = {f"w{number}": each for number, each in enumerate(filters)}
        data = stash.call(queries.scene_ids_query(len(filters)), {"page": by_id, **variables})
        with parsing_answer():
            return [_ids(data[f"w{number}"]["scenes"]) for number in range(len(filters))]
    return [_ids(stash.find_scenes(f=each, filter=by_id, fragment="id")) for each in filters]


def _ids(scenes: Iterable[Mapping[str, Any]]) -> list[int]:
    return [int(scene["id"]) for scene in scenes]

"""The ids of the scenes that a performer, studio, tag or group is on, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stash import queries
from stash.client import StashClient, parsing_answer
from stash.scene_source import ScenePager

PAGE_SIZE = 500

# The field of Stash's scene filter for each kind of entity.
_FILTER_FIELDS = {"performer": "performers", "studio": "studios", "tag": "tags", "group": "groups"}


@dataclass(frozen=True)
class EntityPage:
    """A page of an entity's scenes: those with ids above ``after``.

    ``depth``: how many levels below a studio or tag count too, -1 for all.
    """

    kind: str
    entity_id: int
    after: int = 0
    depth: int = 0

    def filter(self) -> dict[str, object]:
        """Return the page as Stash's ``SceneFilterType``."""
        criterion: dict[str, object] = {"value": [str(self.entity_id)], "modifier": "INCLUDES"}
        if self.depth:
            criterion["depth"] = self.depth
        return {"id": {"value": self.after, "modifier": "GREATER_THAN"}, _FILTER_FIELDS[self.kind]: criterion}


def scene_ids(
    stash: StashClient | ScenePager, pages: Sequence[EntityPage], page_size: int = PAGE_SIZE
) -> list[list[int]]:
    """Return the scene ids of each page, ascending, at most ``page_size``; fewer on an entity's last page.

    An entity that does not exist has none. One request over a StashClient, else one per page. Raise StashError, or what
    ``find_scenes`` raises.
    """
    if not pages:
        return []
    by_id: dict[str, object] = {"per_page": page_size, "sort": "id", "direction": "ASC"}
    filters = [page.filter() for page in pages]
    if isinstance(stash, StashClient):
        variables = {f"w{number}": page_filter for number, page_filter in enumerate(filters)}
        data = stash.call(queries.scene_ids_query(len(filters)), {"page": by_id, **variables})
        with parsing_answer():
            return [_ids(data[f"w{number}"]["scenes"]) for number in range(len(filters))]
    return [_ids(stash.find_scenes(f=page_filter, filter=by_id, fragment="id")) for page_filter in filters]


def _ids(scenes: Iterable[Mapping[str, object]]) -> list[int]:
    return [int(str(scene["id"])) for scene in scenes]

"""Ten edits that a user might make, each on a scene that it suits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.library import LibraryScene
from sandbox.stash import StashSim

SAVE = "mutation Save($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }"

# A description and the GraphQL input; ids are those of the generated library.
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("title", {"title": "A corrected title"}),
    ("details", {"details": "Details on two lines,\nthe second one with an umlaut: Übergröße."}),
    ("tags replaced", {"tag_ids": ["4", "5", "8"]}),
    ("performers replaced", {"performer_ids": ["1", "2", "5"]}),
    ("date", {"date": "2021-12-24"}),
    ("studio changed", {"studio_id": "3"}),
    ("rating", {"rating100": 85}),
    ("title and tags together", {"title": "A new title, with tags", "tag_ids": ["1", "12"]}),
    ("details removed again", {"details": ""}),
    ("date with only a year", {"date": "2018"}),
)
_CLEARED, _FILLED = 8, 1


@dataclass(frozen=True)
class Edit:
    """One save: a description, the scene, and the input without the id."""

    what: str
    scene_id: int
    change: dict[str, Any]

    def save(self, stash: StashSim) -> None:
        """Save the scene as Stash's page does: over HTTP, waiting for the answer."""
        stash.gql(SAVE, {"input": {"id": str(self.scene_id), **self.change}})


def choose_edits(scenes: list[LibraryScene], count: int) -> list[Edit]:
    """Return ``count`` edits of scenes with files and full metadata. "details cleared" undoes an earlier edit."""
    rich = [s for s in scenes if s.files and s.studio_id and s.performer_ids and s.tag_ids and s.title]
    step = max(1, len(rich) // count)
    edits: list[Edit] = []
    for number in range(count):
        what, change = _KINDS[number % len(_KINDS)]
        scene_id = rich[number * step % len(rich)].id
        if number % len(_KINDS) == _CLEARED:
            scene_id = edits[number - _CLEARED + _FILLED].scene_id
        edits.append(Edit(what, scene_id, change))
    return edits

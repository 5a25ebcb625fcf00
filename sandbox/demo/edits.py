"""Ten edits that a person might make, each on a scene that lends itself to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.library import LibraryScene
from sandbox.stash import StashSim

SAVE = "mutation Save($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }"

# What is said of it, and the input; numbers stand for the n-th tag, performer or studio of the library.
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("title", {"title": "A title that was mistyped before"}),
    ("details", {"details": "Two lines of details:\nthe second – with an umlaut: Übergröße."}),
    ("tags replaced", {"tag_ids": ["4", "5", "8"]}),
    ("performers replaced", {"performer_ids": ["1", "2", "5"]}),
    ("date", {"date": "2021-12-24"}),
    ("studio changed", {"studio_id": "3"}),
    ("rating", {"rating100": 85}),
    ("title and tags together", {"title": "A new title, with tags", "tag_ids": ["1", "12"]}),
    ("details cleared again", {"details": ""}),
    ("only the year of a date", {"date": "2018"}),
)
_CLEARED, _FILLED = 8, 1


@dataclass(frozen=True)
class Edit:
    """One save: what it is about, the scene, and the input besides its id."""

    what: str
    scene_id: int
    change: dict[str, Any]

    def save(self, stash: StashSim) -> None:
        """Save it as Stash's own page does: over HTTP, waiting for the answer."""
        stash.gql(SAVE, {"input": {"id": str(self.scene_id), **self.change}})


def choose_edits(scenes: list[LibraryScene], count: int) -> list[Edit]:
    """So many edits over scenes that have files and enough to say. The clearing takes back an earlier one."""
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

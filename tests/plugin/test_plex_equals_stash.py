"""Plex equals Stash, field by field, for a library with every combination of fields. Judged without the plugin."""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo import expectations
from sandbox.library import generate
from sandbox.plex.model import Item, Tag
from sandbox.stash import Scene, jpeg, png
from tests.installation import Installation

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=38)]

SCENES = 300
TAGS = "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { id } }"
STUDIO = "mutation($i: StudioUpdateInput!) { studioUpdate(input: $i) { id } }"
PERFORMER = "mutation($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }"
DIFFICULT = ",&%/'\"+ 🎬"


def cover(data: bytes, scene: Scene) -> None:
    scene.cover = data


def furnish(installation: Installation) -> None:
    """Return a cover for every fourth scene, JPEG and PNG in turn."""
    for scene in installation.stash.scenes:
        if scene.id % 4 == 0:
            shade = (scene.id * 37 % 256, scene.id % 256, 90)
            data = jpeg(32, 18, shade) if scene.id % 8 else png(16, 9, shade)
            installation.stash.store.scenes.change(scene.id, functools.partial(cover, data))


def sync(installation: Installation) -> None:
    installation.task("Sync All Scenes")
    installation.task("Process Queue")
    installation.wait_until_idle(60)


def meant(installation: Installation) -> list[Scene]:
    """Return the scenes to be written: those with metadata and a file that no other scene has."""
    taken: dict[str, int] = {}
    for scene in installation.stash.scenes:
        for path in installation.stash.paths(scene.id):
            taken[path] = taken.get(path, 0) + 1
    return [
        scene
        for scene in installation.stash.scenes
        if expectations.why_not_in_plex(installation.stash, scene) is None
        and all(taken[path] == 1 for path in installation.stash.paths(scene.id))
    ]


def differences(installation: Installation) -> list[str]:
    found = []
    for scene in meant(installation):
        should = expectations.expected_values(installation.stash, scene)
        for item in expectations.items_of(installation.stash, installation.plex, scene.id):
            now = expectations.shown_values(item)
            now["collections"] -= {"favourites"}
            found += [
                f"scene {scene.id} {name}: {now[name]!r} instead of {should[name]!r}"
                for name in expectations.FIELDS
                if now[name] != should[name]
            ]
    return found


def writes(installation: Installation) -> tuple[int, int]:
    """Return the number of edits and pictures sent so far."""
    counters = installation.plex.counters
    return installation.plex.puts, sum(n for what, n in counters.items() if what.startswith("POST "))


def favourites(installation: Installation) -> list[Item]:
    return [item for item in installation.plex.items if "Favourites" in item.tags("collection")]


@pytest.mark.parametrize(("replacing", "size"), [(False, SCENES), (True, SCENES // 3)], ids=["adding", "replacing"])
def test_plex_equals_stash_after_a_sync_and_after_every_kind_of_edit(
    tmp_path: Path, python: str, replacing: bool, size: int
) -> None:
    installation = Installation(tmp_path, generate(7, size), python=python)
    installation.plex.assumptions.replace_tags = replacing
    try:
        installation.start()
        furnish(installation)
        chosen = installation.plex.items[::9]
        for item in chosen:
            item.tag_list("collection").append(Tag("Favourites"))
        assert len(meant(installation)) > size * 0.9

        sync(installation)
        assert differences(installation) == []
        before = writes(installation)
        sync(installation)
        assert writes(installation) == before

        edit_at_random(installation, random.Random(3))
        sync(installation)
        assert differences(installation) == []
        assert favourites(installation) == chosen
        before = writes(installation)
        sync(installation)
        assert writes(installation) == before
        assert installation.plex.hidden_reloads == 0
        assert installation.logged_errors() == []
    finally:
        installation.stop()


def edit_at_random(installation: Installation, dice: random.Random) -> None:
    """Removals, clearings, replacements, other covers; then renames of a tag, a studio and a performer."""
    stash = installation.stash
    for scene in dice.sample(meant(installation), len(meant(installation)) * 2 // 5):
        change: dict[str, Any] = {}
        for name, values in (
            ("title", ["", f"New title {DIFFICULT}"]),
            ("details", ["", "x" * 3_000, "日本語" * 400]),
            ("date", ["", "2020", "2020-05", "2019-12-31"]),
            ("rating100", [5, 55, 100]),
            ("director", ["", "Somebody Else"]),
            ("studio_id", [None, "2"]),
            ("tag_ids", [[], [str(one) for one in scene.tag_ids[1:]], ["1", "4", "9", "12"]]),
            ("performer_ids", [[], [str(one) for one in reversed(scene.performer_ids)], ["2", "5"]]),
        ):
            if dice.random() < 0.4:
                change[name] = dice.choice(values)
        # One that says nothing any more would be left as it is: the gate.
        change["details"] = change.get("details") or "Something to say"
        installation.save(scene.id, **change)
        if dice.random() < 0.2:
            picture = jpeg(32, 18, (dice.randrange(256), dice.randrange(256), 1))
            stash.store.scenes.change(scene.id, functools.partial(cover, picture))
    stash.gql(TAGS, {"i": {"id": "1", "name": f"Renamed {DIFFICULT}"}})
    stash.gql(STUDIO, {"i": {"id": "2", "name": "Renamed studio, Ltd."}})
    stash.gql(PERFORMER, {"i": {"id": "2", "name": "Renamed Performer"}})

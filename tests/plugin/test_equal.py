"""Plex equals Stash, field by field, for a library with every combination of fields; judged without the plugin."""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo import truth
from sandbox.library import generate
from sandbox.plex.model import Item, Tag
from sandbox.stash import Scene, jpeg, png
from tests.house import House

SCENES = 300
TAGS = "mutation($i: TagUpdateInput!) { tagUpdate(input: $i) { id } }"
STUDIO = "mutation($i: StudioUpdateInput!) { studioUpdate(input: $i) { id } }"
PERFORMER = "mutation($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }"
DIFFICULT = ",&%/'\"+ 🎬"


def cover(data: bytes, scene: Scene) -> None:
    scene.cover = data


def furnish(house: House) -> None:
    """A cover for every fourth scene, JPEG and PNG by turns."""
    for scene in house.stash.scenes:
        if scene.id % 4 == 0:
            shade = (scene.id * 37 % 256, scene.id % 256, 90)
            data = jpeg(32, 18, shade) if scene.id % 8 else png(16, 9, shade)
            house.stash.store.scenes.change(scene.id, functools.partial(cover, data))


def sync(house: House) -> None:
    house.task("Sync All Scenes")
    house.task("Process Queue")
    house.quiet(60)


def meant(house: House) -> list[Scene]:
    """The scenes that are to be written: with something to say, and a file that no other scene has."""
    taken: dict[str, int] = {}
    for scene in house.stash.scenes:
        for path in house.stash.paths(scene.id):
            taken[path] = taken.get(path, 0) + 1
    return [
        scene
        for scene in house.stash.scenes
        if truth.reason_not_in_plex(house.stash, scene) is None
        and all(taken[path] == 1 for path in house.stash.paths(scene.id))
    ]


def differences(house: House) -> list[str]:
    found = []
    for scene in meant(house):
        should = truth.wanted(house.stash, scene)
        for item in truth.items_of(house.stash, house.plex, scene.id):
            now = truth.found(item)
            now["collections"] -= {"favourites"}
            found += [
                f"scene {scene.id} {name}: {now[name]!r} instead of {should[name]!r}"
                for name in truth.FIELDS
                if now[name] != should[name]
            ]
    return found


def writes(house: House) -> tuple[int, int]:
    """Edits and pictures sent so far."""
    counters = house.plex.counters
    return house.plex.puts, sum(n for what, n in counters.items() if what.startswith("POST "))


def favourites(house: House) -> list[Item]:
    return [item for item in house.plex.items if "Favourites" in item.tags("collection")]


@pytest.mark.parametrize(("replacing", "size"), [(False, SCENES), (True, SCENES // 3)], ids=["adding", "replacing"])
def test_plex_equals_stash_after_a_sync_and_after_every_kind_of_edit(
    tmp_path: Path, python: str, replacing: bool, size: int
) -> None:
    house = House(tmp_path, generate(7, size), python=python)
    house.plex.readings.replace_tags = replacing
    try:
        house.start()
        furnish(house)
        chosen = house.plex.items[::9]
        for item in chosen:
            item.tag_list("collection").append(Tag("Favourites"))
        assert len(meant(house)) > size * 0.9

        sync(house)
        assert differences(house) == []
        before = writes(house)
        sync(house)
        assert writes(house) == before

        edit_at_random(house, random.Random(3))
        sync(house)
        assert differences(house) == []
        assert favourites(house) == chosen
        before = writes(house)
        sync(house)
        assert writes(house) == before
        assert house.plex.hidden_reloads == 0
        assert house.complaints() == []
    finally:
        house.stop()


def edit_at_random(house: House, dice: random.Random) -> None:
    """Removals, clearings, replacements, other covers; then renames of a tag, a studio and a performer."""
    stash = house.stash
    for scene in dice.sample(meant(house), len(meant(house)) * 2 // 5):
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
        house.save(scene.id, **change)
        if dice.random() < 0.2:
            picture = jpeg(32, 18, (dice.randrange(256), dice.randrange(256), 1))
            stash.store.scenes.change(scene.id, functools.partial(cover, picture))
    stash.gql(TAGS, {"i": {"id": "1", "name": f"Renamed {DIFFICULT}"}})
    stash.gql(STUDIO, {"i": {"id": "2", "name": "Renamed studio, Ltd."}})
    stash.gql(PERFORMER, {"i": {"id": "2", "name": "Renamed Performer"}})

"""Give Back to Plex: Plex is as it was before, and stays so until a person asks."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import requests

from sandbox.plex.model import Item, Tag
from sandbox.stash import png
from tests.house import House
from tests.plugin.test_preview import cover, items, operation, said

DESTROY = "mutation($i: SceneDestroyInput!) { sceneDestroy(input: $i) }"


def state(item: Item) -> dict[str, Any]:
    """All that a sync may touch, locks included."""
    return {
        "texts": (item.title, item.summary, item.studio, item.originally_available_at, item.tagline, item.title_sort),
        "tags": {kind: item.tags(kind) for kind in ("actor", "genre", "director", "collection", "label")},
        "rating": item.user_rating,
        "locks": set(item.locks),
        "pictures": {place: slot.selected and slot.selected.key for place, slot in item.images.items()},
    }


def whole(house: House) -> dict[int, dict[str, Any]]:
    return {item.rating_key: state(item) for item in items(house)}


def people_were_here(house: House) -> None:
    """A library that is not bare: fields, lists, locks and collections of people, and pictures looked at once."""
    for number, item in enumerate(items(house)):
        for place in ("posters", "arts"):  # what the simulator makes when it is first asked for
            url = f"{house.plex.url}/library/metadata/{item.rating_key}/{place}"
            requests.get(url, headers={"X-Plex-Token": house.plex.token}, timeout=5).raise_for_status()
        if number % 3 == 0:
            item.summary, item.user_rating = "Theirs", 3.0
            item.tag_list("genre").extend([Tag("theirs"), Tag("more, of them")])
            item.tag_list("collection").append(Tag("Favourites"))
            item.locks.update({"summary", "genre"})
        if number % 4 == 0:
            item.tag_list("actor").append(Tag("Somebody"))


@pytest.fixture(params=["adding", "replacing"])
def either(request: pytest.FixtureRequest, house: House) -> None:
    """Both readings of indexed tags (plex 4.4)."""
    house.plex.readings.replace_tags = request.param == "replacing"


@pytest.mark.usefixtures("either")
def test_the_whole_library_there_and_back(house: House) -> None:
    people_were_here(house)
    for scene_id in house.with_file(3):
        cover(house, scene_id, png())
    before = whole(house)
    house.task("Sync All Scenes")
    house.quiet()
    after = whole(house)
    assert after != before

    house.plex.reset_counters()
    job = house.task("Give Back to Plex")
    assert (job.status, job.progress) == ("FINISHED", 1)
    assert {kind.split()[0] for kind in house.plex.counters} == {"GET"}
    assert house.queue()["waiting"] == 0
    assert whole(house) == after
    shown = house.stash.processes[-1].output
    assert shown["would_change"] == len({key for key in before if after[key] != before[key]})
    assert shown["pictures"] == 6
    assert "run it with the argument confirm" in said(house)
    assert "unlocked: " in said(house)

    house.task("Give Back to Plex", confirm="true")
    house.quiet()
    assert whole(house) == before
    assert "are queued to be given back" in said(house)
    assert house.complaints() == []

    house.plex.reset_counters()
    for scene_id in house.with_file(5):
        house.save(scene_id, title="Saved again")
    house.quiet()
    assert whole(house) == before
    assert house.plex.puts == 0

    result = operation(house, "all")
    assert result["given_back"] == shown["scenes"]
    assert "had been given back to Plex" in said(house, "Warning")
    house.quiet()
    assert house.differences(int(scene.id) for scene in house.library.scenes) == []
    house.save(house.with_file(1)[0], title="And saves arrive again")
    house.shows(house.with_file(1)[0], title="And saves arrive again")


def test_only_the_scenes_that_were_asked_for(house: House) -> None:
    one, two = house.with_file(2)
    before = state(house.item(one))
    house.task("Sync All Scenes")
    house.quiet()
    kept = state(house.item(two))
    result = operation(house, "give_back", scenes=[one], confirm=True)
    assert (result["scenes"], result["items"]) == (1, 1)
    house.quiet()
    assert state(house.item(one)) == before
    assert state(house.item(two)) == kept
    assert operation(house, "sync", scenes=[one, 9999]) == {
        "scenes": 1,
        "queued": 1,
        "already_waiting": 0,
        "gated": 0,
        "given_back": 1,
        "gone": 1,
    }
    house.quiet()
    assert house.differences([one]) == []


def test_as_the_readme_says_and_sync_recent_writes_again(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="Of today")
    house.quiet()
    readme = (house.root / "README.md").read_text(encoding="utf-8")
    [words] = re.findall(r"mutation \{.*give_back.*\}", readme)
    assert house.stash.gql(words)["runPluginOperation"]["scenes"] == 1
    house.quiet()
    assert house.item(scene).title != "Of today"
    house.task("Sync Recent Scenes")
    house.shows(scene, title="Of today")


def test_what_waits_to_be_written_is_not_written_after(house: House) -> None:
    """By hand or not: whoever gives back takes that back too."""
    one, two = house.with_file(2)
    before = state(house.item(one)), state(house.item(two))
    house.save(one, title="Written")
    house.shows(one, title="Written")
    house.quiet()
    house.configure(enabled=False)
    operation(house, "sync", scenes=[one, two])
    house.paused()
    house.save(one, title="Never written")
    operation(house, "give_back", scenes=[one, two], confirm=True)
    assert "Enabled is off" in said(house, "Warning")
    assert house.queue()["waiting"] == 2
    house.configure()
    house.quiet()
    assert (state(house.item(one)), state(house.item(two))) == before


def test_a_sync_by_hand_after_it_is_the_last_word(house: House) -> None:
    """Both wait at once, and the drainer takes them together."""
    [scene] = house.with_file()
    house.save(scene, title="Written")
    house.shows(scene, title="Written")
    house.quiet()
    house.configure(enabled=False)
    operation(house, "give_back", scenes=[scene], confirm=True)
    house.paused()
    operation(house, "all")
    house.configure()
    house.quiet()
    assert house.differences([scene]) == []
    house.save(scene, title="Goes on")
    house.shows(scene, title="Goes on")


def test_it_is_not_forgotten_while_a_scene_says_nothing(house: House) -> None:
    """A scene that is emptied, filtered or loses its place and comes back is still one that was given back."""
    [scene] = house.with_file()
    house.save(scene, title="Written")
    house.shows(scene, title="Written")
    house.quiet()
    operation(house, "give_back", confirm=True)
    house.quiet()
    before = state(house.item(scene))
    nothing: dict[str, Any] = {"performer_ids": [], "tag_ids": [], "studio_id": None, "details": "", "date": None}
    for fields in (nothing, {"details": "It speaks again"}):
        house.save(scene, **fields)
        house.quiet()
    assert state(house.item(scene)) == before


def test_what_is_gone_on_either_side(house: House) -> None:
    deleted, lost = house.with_file(2)
    item = house.item(deleted)
    before = state(item)
    for scene in (deleted, lost):
        house.save(scene, title="Written")
        house.shows(scene, title="Written")
    house.quiet()
    house.stash.gql(DESTROY, {"i": {"id": str(deleted), "delete_file": False}})
    house.quiet()
    house.plex.remove_item(house.item(lost).rating_key)
    shown = operation(house, "give_back")
    assert (shown["scenes"], shown["items"], shown["gone_from_plex"], shown["gone_from_stash"]) == (2, 1, 1, 1)
    assert "gone from Plex" in said(house)
    assert "gone from Stash" in said(house)
    operation(house, "give_back", confirm=True)
    house.quiet()
    assert state(item) == before
    assert operation(house, "give_back")["items"] == 0


def test_items_of_another_server_are_said(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="Written")
    house.shows(scene, title="Written")
    house.quiet()
    with closing(sqlite3.connect(house.data / "state.db")) as db, db:
        db.execute("UPDATE written SET machine = 'another'")
    result = operation(house, "give_back", confirm=True)
    assert (result["scenes"], result["on_another_server"]) == (0, 1)
    assert "another Plex server" in said(house, "Warning")
    assert house.item(scene).title == "Written"


def test_nothing_to_give_back(house: House) -> None:
    assert operation(house, "give_back")["scenes"] == 0
    assert operation(house, "give_back", confirm=True)["scenes"] == 0
    assert "There is nothing to give back" in said(house)
    with pytest.raises(Exception, match="confirm is true or false"):
        operation(house, "give_back", confirm="perhaps")

"""Give Back to Plex: items show again what they showed before, until a person asks for a sync."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import requests

from sandbox.plex.model import Item, Tag
from sandbox.stash import png
from tests.installation import Installation
from tests.plugin.test_preview import cover, items, operation, said

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=21)]

DESTROY = "mutation($i: SceneDestroyInput!) { sceneDestroy(input: $i) }"


def state(item: Item) -> dict[str, Any]:
    """Return everything that a sync may change, locks included."""
    return {
        "texts": (item.title, item.summary, item.studio, item.originally_available_at, item.tagline, item.title_sort),
        "tags": {kind: item.tags(kind) for kind in ("actor", "genre", "director", "collection", "label")},
        "rating": item.user_rating,
        "locks": set(item.locks),
        "pictures": {place: slot.selected and slot.selected.key for place, slot in item.images.items()},
    }


def whole(installation: Installation) -> dict[int, dict[str, Any]]:
    return {item.rating_key: state(item) for item in items(installation)}


def people_were_here(installation: Installation) -> None:
    """Give the library fields, lists, locks and collections that people set, and pictures."""
    for number, item in enumerate(items(installation)):
        for place in ("posters", "arts"):  # what the simulator makes when it is first asked for
            url = f"{installation.plex.url}/library/metadata/{item.rating_key}/{place}"
            requests.get(url, headers={"X-Plex-Token": installation.plex.token}, timeout=5).raise_for_status()
        if number % 3 == 0:
            item.summary, item.user_rating = "Theirs", 3.0
            item.tag_list("genre").extend([Tag("theirs"), Tag("more, of them")])
            item.tag_list("collection").append(Tag("Favourites"))
            item.locks.update({"summary", "genre"})
        if number % 4 == 0:
            item.tag_list("actor").append(Tag("Somebody"))


@pytest.fixture(params=["adding", "replacing"])
def either(request: pytest.FixtureRequest, installation: Installation) -> None:
    """Run with both readings of indexed tags (plex 4.4)."""
    installation.plex.assumptions.replace_tags = request.param == "replacing"


@pytest.mark.usefixtures("either")
def test_restore_of_the_whole_library_brings_back_what_was_before(installation: Installation) -> None:
    people_were_here(installation)
    for scene_id in installation.scenes_with_file(3):
        cover(installation, scene_id, png())
    before = whole(installation)
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    after = whole(installation)
    assert after != before

    installation.plex.reset_counters()
    job = installation.task("Give Back to Plex")
    assert (job.status, job.progress) == ("FINISHED", 1)
    assert {kind.split()[0] for kind in installation.plex.counters} == {"GET"}
    assert installation.queue_counts()["waiting"] == 0
    assert whole(installation) == after
    shown = installation.stash.processes[-1].output
    assert shown["would_change"] == len({key for key in before if after[key] != before[key]})
    assert shown["pictures"] == 6
    assert "run the task with the argument confirm" in said(installation)
    assert "unlocked: " in said(installation)

    installation.task("Give Back to Plex", confirm="true")
    installation.wait_until_idle()
    assert whole(installation) == before
    assert "to be restored by the background worker" in said(installation)
    assert installation.logged_errors() == []

    installation.plex.reset_counters()
    for scene_id in installation.scenes_with_file(5):
        installation.save(scene_id, title="Saved again")
    installation.wait_until_idle()
    assert whole(installation) == before
    assert installation.plex.puts == 0

    result = operation(installation, "all")
    assert result["given_back"] == shown["scenes"]
    assert "given back to Plex earlier will be written again" in said(installation, "Warning")
    installation.wait_until_idle()
    assert installation.differences(int(scene.id) for scene in installation.library.scenes) == []
    installation.save(installation.scenes_with_file(1)[0], title="And saves arrive again")
    installation.wait_until_plex_shows(installation.scenes_with_file(1)[0], title="And saves arrive again")


def test_restore_takes_only_the_chosen_scenes(installation: Installation) -> None:
    one, two = installation.scenes_with_file(2)
    before = state(installation.item(one))
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    kept = state(installation.item(two))
    result = operation(installation, "give_back", scenes=[one], confirm=True)
    assert (result["scenes"], result["items"]) == (1, 1)
    installation.wait_until_idle()
    assert state(installation.item(one)) == before
    assert state(installation.item(two)) == kept
    assert operation(installation, "sync", scenes=[one, 9999]) == {
        "scenes": 1,
        "queued": 1,
        "already_waiting": 0,
        "gated": 0,
        "given_back": 1,
        "gone": 1,
    }
    installation.wait_until_idle()
    assert installation.differences([one]) == []


def test_restored_scene_is_written_again_by_sync_recent(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Of today")
    installation.wait_until_idle()
    readme = (installation.root / "README.md").read_text(encoding="utf-8")
    [words] = re.findall(r"mutation \{.*give_back.*\}", readme)
    assert installation.stash.gql(words)["runPluginOperation"]["scenes"] == 1
    installation.wait_until_idle()
    assert installation.item(scene).title != "Of today"
    installation.task("Sync Recent Scenes")
    installation.wait_until_plex_shows(scene, title="Of today")


def test_restore_withdraws_waiting_jobs(installation: Installation) -> None:
    """Queued by a person or not, waiting jobs are withdrawn."""
    one, two = installation.scenes_with_file(2)
    before = state(installation.item(one)), state(installation.item(two))
    installation.save(one, title="Written")
    installation.wait_until_plex_shows(one, title="Written")
    installation.wait_until_idle()
    installation.configure(enabled=False)
    operation(installation, "sync", scenes=[one, two])
    installation.wait_until_paused()
    installation.save(one, title="Never written")
    operation(installation, "give_back", scenes=[one, two], confirm=True)
    assert "Enabled is off" in said(installation, "Warning")
    assert installation.queue_counts()["waiting"] == 2
    installation.configure()
    installation.wait_until_idle()
    assert (state(installation.item(one)), state(installation.item(two))) == before


def test_sync_after_a_queued_restore_wins(installation: Installation) -> None:
    """Both wait at once, and the worker claims them together."""
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Written")
    installation.wait_until_plex_shows(scene, title="Written")
    installation.wait_until_idle()
    installation.configure(enabled=False)
    operation(installation, "give_back", scenes=[scene], confirm=True)
    installation.wait_until_paused()
    operation(installation, "all")
    installation.configure()
    installation.wait_until_idle()
    assert installation.differences([scene]) == []
    installation.save(scene, title="Goes on")
    installation.wait_until_plex_shows(scene, title="Goes on")


def test_restored_scene_without_metadata_stays_restored(installation: Installation) -> None:
    """A scene that is gated, filtered or missing for a while is still restored afterwards."""
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Written")
    installation.wait_until_plex_shows(scene, title="Written")
    installation.wait_until_idle()
    operation(installation, "give_back", confirm=True)
    installation.wait_until_idle()
    before = state(installation.item(scene))
    nothing: dict[str, Any] = {"performer_ids": [], "tag_ids": [], "studio_id": None, "details": "", "date": None}
    for fields in (nothing, {"details": "It speaks again"}):
        installation.save(scene, **fields)
        installation.wait_until_idle()
    assert state(installation.item(scene)) == before


def test_restore_counts_what_is_gone_from_stash_and_plex(installation: Installation) -> None:
    deleted, lost = installation.scenes_with_file(2)
    item = installation.item(deleted)
    before = state(item)
    for scene in (deleted, lost):
        installation.save(scene, title="Written")
        installation.wait_until_plex_shows(scene, title="Written")
    installation.wait_until_idle()
    installation.stash.gql(DESTROY, {"i": {"id": str(deleted), "delete_file": False}})
    installation.wait_until_idle()
    installation.plex.remove_item(installation.item(lost).rating_key)
    shown = operation(installation, "give_back")
    assert (shown["scenes"], shown["items"], shown["gone_from_plex"], shown["gone_from_stash"]) == (2, 1, 1, 1)
    assert "No longer in Plex" in said(installation)
    assert "Deleted in Stash: 1 scene" in said(installation)
    operation(installation, "give_back", confirm=True)
    installation.wait_until_idle()
    assert state(item) == before
    assert operation(installation, "give_back")["items"] == 0


def test_restore_names_items_of_another_server(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Written")
    installation.wait_until_plex_shows(scene, title="Written")
    installation.wait_until_idle()
    with closing(sqlite3.connect(installation.data / "state.db")) as db, db:
        db.execute("UPDATE written SET machine = 'another'")
    result = operation(installation, "give_back", confirm=True)
    assert (result["scenes"], result["on_another_server"]) == (0, 1)
    assert "another Plex server" in said(installation, "Warning")
    assert installation.item(scene).title == "Written"


def test_restore_with_nothing_written_says_so(installation: Installation) -> None:
    assert operation(installation, "give_back")["scenes"] == 0
    assert operation(installation, "give_back", confirm=True)["scenes"] == 0
    assert "There is nothing to give back" in said(installation)
    with pytest.raises(Exception, match="confirm is true or false"):
        operation(installation, "give_back", confirm="perhaps")

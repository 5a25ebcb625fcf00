"""An edited performer, studio, tag or group reaches all its scenes in Plex."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from matching.index_store import file_number
from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=50)]

UPDATE = "mutation($i: {0}UpdateInput!) {{ {1}Update(input: $i) {{ id }} }}"
MERGE = "mutation($i: TagsMergeInput!) { tagsMerge(input: $i) { id } }"
DESTROY = "mutation($i: SceneDestroyInput!) { sceneDestroy(input: $i) }"


def edit(installation: Installation, kind: str, number: int, **fields: Any) -> None:
    """Edit a performer, studio, tag or group as a person does."""
    query = UPDATE.format(kind.capitalize(), kind)
    installation.stash.gql(query, {"i": {"id": str(number), **fields}})


def scenes(installation: Installation) -> list[int]:
    """Return the ids of all scenes."""
    return [scene.id for scene in installation.stash.scenes]


HOLDS: dict[str, Callable[[Any], list[int]]] = {
    "performer": lambda scene: list(scene.performer_ids),
    "studio": lambda scene: [scene.studio_id],
    "tag": lambda scene: list(scene.tag_ids),
}


def on(installation: Installation, kind: str) -> tuple[int, list[int]]:
    """Return the performer, studio or tag with the most scenes that have an item of their own, and those scenes."""
    found: dict[int, list[int]] = {}
    for scene in installation.scenes_with_file(30):
        for number in HOLDS[kind](installation.stash.scene(scene)):
            found.setdefault(number, []).append(scene)
    return max(found.items(), key=lambda one: len(one[1]))


@pytest.fixture
def synced(installation: Installation) -> Installation:
    """Return an installation in which Plex shows everything."""
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    assert installation.differences(scenes(installation)) == []
    installation.plex.reset_counters()
    installation.plex.writes.clear()
    return installation


@pytest.mark.parametrize("kind", ["performer", "studio", "tag"])
def test_renamed_entity_reaches_all_its_scenes(synced: Installation, kind: str) -> None:
    number, concerned = on(synced, kind)
    assert len(concerned) > 2
    edit(synced, kind, number, name="Renamed, and with a comma")
    synced.wait_until_idle()
    assert synced.differences(scenes(synced)) == []
    names = {"performer": "actor", "tag": "genre"}
    for scene in concerned:
        item = synced.item(scene)
        shown = [item.studio] if kind == "studio" else item.tags(names[kind])
        assert "Renamed, and with a comma" in shown
    written = {key for write in synced.plex.writes for key in write.rating_keys}
    assert written >= {synced.item(scene).rating_key for scene in concerned}
    assert synced.plex.puts == len(written)
    # once more, and nothing is different
    synced.plex.reset_counters()
    edit(synced, kind, number, name="Renamed, and with a comma", favorite=True)
    synced.wait_until_idle()
    assert synced.plex.puts == 0
    assert synced.logged_errors() == []


def test_merged_tags_become_one_genre(synced: Installation) -> None:
    source, concerned = on(synced, "tag")
    kept = next(tag for tag in synced.stash.store.tags if tag.id != source)
    synced.stash.gql(MERGE, {"i": {"source": [str(source)], "destination": str(kept.id)}})
    synced.wait_until_idle()
    assert synced.differences(scenes(synced)) == []
    assert all(kept.name in synced.item(scene).tags("genre") for scene in concerned)


def test_group_and_parent_studio_become_collections_if_set(installation: Installation) -> None:
    installation.configure(collections="parent_studio, group")
    studio = next(one for one in installation.stash.store.studios if one.parent_id)
    for scene in (chosen := installation.scenes_with_file(3)):
        installation.save(scene, studio_id=str(studio.id), groups=[{"group_id": "1"}])
    installation.wait_until_idle()
    assert studio.parent_id is not None
    edit(installation, "studio", studio.parent_id, name="The parent")
    edit(installation, "group", 1, name="The group")
    installation.wait_until_idle()
    assert [sorted(installation.item(scene).tags("collection")) for scene in chosen] == [
        ["The group", "The parent"]
    ] * 3


def test_edit_of_a_tag_reaches_scenes_of_its_descendants_if_a_rule_asks(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.configure(ignore_tags="Private/*")
    create = "mutation($i: TagCreateInput!) { tagCreate(input: $i) { id } }"
    made = [installation.stash.gql(create, {"i": {"name": name}})["tagCreate"]["id"] for name in ("Private", "Inside")]
    installation.save(scene, tag_ids=[made[1]])
    installation.wait_until_plex_shows(scene)
    installation.wait_until_idle()
    assert installation.item(scene).tags("genre") == ["Inside"]
    edit(installation, "tag", int(made[0]), name="Private", child_ids=[made[1]])
    installation.wait_until_idle()
    assert installation.item(scene).tags("genre") == []


def test_edit_of_a_field_not_shown_in_plex_is_not_queued(installation: Installation) -> None:
    edit(installation, "performer", 1, favorite=True, details="x")
    edit(installation, "studio", 1, rating100=80)
    edit(installation, "tag", 1, description="x")
    edit(installation, "group", 1, synopsis="x")
    assert not (installation.data / "queue").exists()


def test_edit_while_paused_is_kept(synced: Installation) -> None:
    synced.configure(enabled=False)
    edit(synced, "tag", 1, name="While paused")
    synced.wait_until_paused()
    assert synced.queue_counts()["waiting"] == 1
    assert synced.plex.puts == 0
    synced.configure()
    synced.wait_until_idle()
    assert synced.differences(scenes(synced)) == []


def test_worker_killed_during_an_expansion_leaves_nothing_out(synced: Installation) -> None:
    synced.plex.faults.set(write_latency=0.05)
    edit(synced, "tag", 1, name="Killed once")
    wait_for(lambda: synced.plex.puts > 1, 20, "the first scenes")
    synced.stop_worker(signal.SIGKILL)
    edit(synced, "studio", 1, name="Another edit")
    synced.plex.faults.clear()
    synced.wait_until_idle()
    assert synced.differences(scenes(synced)) == []


def test_save_during_an_expansion_arrives(synced: Installation) -> None:
    [scene] = synced.scenes_with_file()
    synced.plex.faults.set(write_latency=0.1)
    edit(synced, "tag", 1, name="Bulk")
    wait_for(lambda: synced.plex.puts > 1, 20, "the first scenes")
    synced.save(scene, title="Not behind the bulk")
    synced.wait_until_plex_shows(scene, title="Not behind the bulk")
    synced.plex.faults.clear()
    synced.wait_until_idle()
    assert synced.differences(scenes(synced)) == []


def remembered(installation: Installation, scene: int, path: str) -> dict[str, int]:
    """Count the rows about a scene in the plugin's databases."""
    asked = {
        "ledger": ("state.db", "SELECT COUNT(*) FROM ledger WHERE scene_id = ?", scene),
        "dead letter": ("state.db", "SELECT COUNT(*) FROM dead_letters WHERE scene_id = ?", scene),
        "match": ("cache.db", "SELECT COUNT(*) FROM matches WHERE file = ?", file_number(path)),
    }
    found = {}
    for name, (file, query, value) in asked.items():
        with closing(sqlite3.connect(installation.data / file)) as db:
            (found[name],) = db.execute(query, (value,)).fetchone()
    from sync_queue.operations import load_sync_timestamps

    return {**found, "timestamp": int(scene in load_sync_timestamps(str(installation.data)))}


def test_deleted_scene_is_forgotten_and_its_item_left_alone(synced: Installation) -> None:
    [scene] = synced.scenes_with_file()
    item = synced.item(scene)
    path = synced.scene(scene)["files"][0]["path"]
    before = (item.title, item.summary, item.tags("genre"), item.tags("collection"), set(item.locks))
    assert remembered(synced, scene, path) == {"ledger": 1, "dead letter": 0, "match": 1, "timestamp": 1}
    with closing(sqlite3.connect(synced.data / "state.db")) as db:
        db.execute("INSERT INTO dead_letters VALUES (?,?,'{}','PlexError','x',1,1,1,'{}')", (f"scene_{scene}", scene))
        db.commit()
    synced.configure(enabled=False)
    synced.save(scene, title="Never to arrive")
    synced.wait_until_paused()
    synced.stash.gql(DESTROY, {"i": {"id": str(scene)}})
    assert synced.queue_counts()["waiting"] == 1
    synced.configure()
    synced.wait_until_idle()
    assert set(remembered(synced, scene, path).values()) == {0}
    assert (item.title, item.summary, item.tags("genre"), item.tags("collection"), set(item.locks)) == before
    assert synced.plex.puts == 0

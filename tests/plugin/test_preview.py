"""Preview Changes shows what a sync then writes, and changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.file_locks import try_lock, unlock
from sandbox.plex.model import Item, Tag
from sandbox.stash import png
from sync_queue.operations import load_sync_timestamps
from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.measured, pytest.mark.slow(seconds=9)]

READ_ONLY = {"GET", "HEAD"}


def operation(installation: Installation, mode: str, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]


def said(installation: Installation, level: str = "Info") -> str:
    return "\n".join(line.message for line in installation.stash.log if line.level == level)


def items(installation: Installation) -> Iterator[Item]:
    for scene in installation.library.scenes:
        for file in scene.files:
            item = installation.plex.find(file.path)
            assert item is not None
            yield item


def fields_of(item: Item) -> dict[str, Any]:
    """Return an item's fields as the plugin names them, without empty ones."""
    fields: dict[str, Any] = {
        "title": item.title,
        "summary": item.summary,
        "studio": item.studio,
        "tagline": item.tagline,
        "originallyAvailableAt": item.originally_available_at,
        "userRating": item.user_rating,
        **{kind: sorted(item.tags(kind)) for kind in ("actor", "genre", "director", "collection")},
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def cover(installation: Installation, scene_id: int, data: bytes | None) -> None:
    installation.stash.store.scenes.change(scene_id, lambda row: setattr(row, "cover", data))


def durable(installation: Installation) -> dict[str, Any]:
    """Return everything stored: ledger, queue, timestamps and index, row by row."""
    found: dict[str, Any] = {"timestamps": load_sync_timestamps(str(installation.data))}
    for file in ("state.db", "queue/data.db", "cache.db"):
        if (installation.data / file).exists():
            with closing(sqlite3.connect(installation.data / file)) as db:
                found[file] = list(db.iterdump())
    found["files"] = sorted(
        path.name for path in installation.data.rglob("*") if not path.name.endswith(("-wal", "-shm"))
    )
    return found


def free(installation: Installation) -> bool:
    handle = try_lock(str(installation.data / "reconcile.lock"))
    if handle is not None:
        unlock(handle)
    return handle is not None


def as_set(value: Any) -> Any:
    return (sorted(value) if isinstance(value, list) else value) or None


def written_fields(installation: Installation) -> dict[int, set[str]]:
    """Return the fields that edits have set since the start, by rating key."""
    found: dict[int, set[str]] = {}
    for write in installation.plex.writes:
        names = {re.split(r"[.\[]", name)[0] for name, _ in write.params if not name.endswith(".locked")}
        for key in write.rating_keys:
            found.setdefault(key, set()).update(names - {"type", "id", "rating", "key", "identifier"})
    return found


def test_preview_shows_what_a_sync_then_writes(installation: Installation) -> None:
    corrupted = installation.item(installation.scenes_with_file(1)[0])
    corrupted.title, corrupted.summary = "Of another time", "Other words"
    corrupted.tag_list("genre").append(Tag("nobody's"))
    for scene_id in installation.scenes_with_file(3):
        cover(installation, scene_id, png())
    before = {item.rating_key: fields_of(item) for item in items(installation)}
    installation.plex.reset_counters()
    answer = operation(installation, "preview", scope="all")
    assert {kind.split()[0] for kind in installation.plex.counters} <= READ_ONLY
    assert not installation.plex.writes
    assert (answer["scenes"], answer["next"]) == (60, None)
    assert answer["left_alone"] == {"gated": 60 - answer["would_change"]}

    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    expected = {
        item["rating_key"]: {change["field"]: change for change in item["changes"]}
        for scene in answer["changes"]
        for item in scene["items"]
    }
    for item in items(installation):
        old, new = before[item.rating_key], fields_of(item)
        changes = expected.get(item.rating_key, {})
        assert {name for name in {*old, *new} if old.get(name) != new.get(name)} == set(changes)
        for name, change in changes.items():
            assert as_set(change["old"]) == old.get(name)
            assert as_set(change["new"]) == new.get(name)
    assert written_fields(installation) == {key: set(changes) for key, changes in expected.items() if changes}
    uploaded = [slot.selected.data for item in items(installation) for slot in item.images.values() if slot.selected]
    assert (
        answer["pictures"]
        == {"uploads": 6, "bytes": sum(map(len, uploaded))}
        == {
            "uploads": 6,
            "bytes": 6 * len(png()),
        }
    )
    again = operation(installation, "preview", scope="all")
    assert (again["would_change"], again["pictures"]["uploads"]) == (0, 0)
    assert again["equal"] == answer["would_change"]


def test_preview_changes_nothing(installation: Installation) -> None:
    """New items, edited scenes and a moved file: everything that the worker would store."""
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    one, two = installation.scenes_with_file(2)
    installation.save(one, title="Foretold")
    cover(installation, two, png())
    installation.save(two, organized=True)
    installation.plex.add_item(installation.section, [("/data/without scene.mp4", 7, 1.0)])
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    installation.stop_worker()
    wait_for(lambda: free(installation), 30, "the comparison after the start of Stash to end")
    before = durable(installation)
    installation.plex.reset_counters()
    writes = len(installation.plex.writes)
    installation.configure(trigger_plex_scan=True)
    job = installation.task("Preview Changes", scope="all")
    assert job.status == "FINISHED"
    assert job.progress == 1
    assert {kind.split()[0] for kind in installation.plex.counters} <= READ_ONLY
    assert not any("refresh" in kind for kind in installation.plex.counters)
    assert len(installation.plex.writes) == writes
    assert durable(installation) == before
    assert installation.worker_pid() is None
    assert 'title: "' in said(installation)
    assert '-> "Foretold"' in said(installation)
    assert "1 upload," not in said(installation)
    assert "2 uploads," in said(installation)
    assert installation.logged_errors() == []


def test_preview_before_the_first_sync_reads_plex(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    found = operation(installation, "preview", scene=scene)
    [told] = found["changes"]
    assert told["scene_id"] == scene
    assert {change["field"] for change in told["items"][0]["changes"]} >= {"studio", "collection"}
    assert not {path.name for path in installation.data.iterdir()} & {
        "state.db",
        "cache.db",
        "queue",
        "sync_timestamps.json",
    }


def test_preview_says_which_scenes_are_left_alone_and_why(installation: Installation) -> None:
    given, doubtful, missing, private = installation.scenes_with_file(4)
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    operation(installation, "give_back", scenes=[given], confirm=True)
    installation.wait_until_idle()
    path = Path(installation.scene(doubtful)["files"][0]["path"])
    for item in (installation.item(doubtful), installation.item(missing)):
        installation.plex.remove_item(item.rating_key)
    for folder in ("x", "y"):
        installation.plex.add_item(installation.section, [(f"/data/{folder}/{path.name}", 1, 1.0)])
    installation.configure(exclude_paths=installation.scene(private)["files"][0]["path"])
    ids = [given, doubtful, missing, private, 3, 9999]
    found = operation(installation, "preview", scenes=",".join(map(str, ids)))
    left = {row["scene_id"]: row for row in found["left_out"]}
    assert {scene_id: left[scene_id]["verdict"] for scene_id in ids} == {
        given: "restored",
        doubtful: "ambiguous",
        missing: "not in Plex",
        private: "filtered",
        3: "gated",
        9999: "gone",
    }
    assert "until you sync the scene yourself" in left[given]["reason"]
    assert {"/data/x/", "/data/y/"} <= {row["path"].replace(path.name, "") for row in left[doubtful]["candidates"]}
    assert "Exclude paths" in left[private]["reason"]
    assert f"Scene {doubtful}: " in said(installation)
    assert "/data/x/" in said(installation)


def test_preview_is_paged(installation: Installation) -> None:
    seen: list[int] = []
    after, scenes = 0, 0
    for _ in range(10):
        page = operation(installation, "preview", scope="all", after=after, limit=25, pictures="false")
        scenes += page["scenes"]
        seen += [row["scene_id"] for row in page["changes"] + page["left_out"]]
        after = page["next"]
        if after is None:
            break
    assert (scenes, sorted(seen)) == (60, [int(scene.id) for scene in installation.library.scenes])


def test_preview_without_scope_takes_recent_scenes(installation: Installation) -> None:
    installation.configure(enabled=False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Of today")
    installation.task("Preview Changes")
    output = installation.stash.processes[-1].output
    assert ([row["scene_id"] for row in output["changes"]], output["scenes"]) == ([scene], 1)
    assert operation(installation, "preview", scope="12h")["scenes"] == 1
    assert operation(installation, "preview", range="2001-01-01..2001-01-02")["scenes"] == 0


def test_preview_of_two_scenes_with_one_item_writes_one(installation: Installation) -> None:
    """Merged versions: the item is shown with the scene of its first file, as a sync would write it."""
    one, two = installation.scenes_with_file(2)
    files = [installation.scene(scene)["files"][0]["path"] for scene in (one, two)]
    for scene in (one, two):
        installation.plex.remove_item(installation.item(scene).rating_key)
    known = {file.path: file for scene in installation.library.scenes for file in scene.files}
    merged = installation.plex.add_item(installation.section, [(p, known[p].size, known[p].duration) for p in files])
    found = operation(installation, "preview", scenes=[one, two])
    assert [(row["scene_id"], row["items"][0]["rating_key"]) for row in found["changes"]] == [(one, merged.rating_key)]
    assert [(row["scene_id"], row["verdict"]) for row in found["left_out"]] == [(two, "shared")]


def test_preview_during_an_outage_is_an_error(installation: Installation) -> None:
    installation.plex.faults.refuse()
    with pytest.raises(Exception, match="Plex cannot be reached"):
        operation(installation, "preview", scope="all")
    installation.plex.faults.accept()


def test_preview_with_bad_arguments_is_an_error(installation: Installation) -> None:
    for args, sentence in (
        ({"scope": "sometimes"}, "is not a time range"),
        ({"scenes": "one"}, "scenes are ids of Stash"),
        ({"scenes": []}, "scenes names no scene"),
        ({"scenes": [True]}, "scenes are ids of Stash"),
        ({"after": "x"}, "after is a whole number"),
        ({"pictures": "perhaps"}, "pictures is true or false"),
    ):
        with pytest.raises(Exception, match=sentence):
            operation(installation, "preview", **args)
    with pytest.raises(Exception, match="sync takes scenes"):
        operation(installation, "sync")

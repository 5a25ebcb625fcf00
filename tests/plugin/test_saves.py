"""A scene saved in Stash is in Plex a moment later."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.installation import BULK, Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=10)]


def test_saved_title_is_in_plex_a_moment_later(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="A new title")
    installation.wait_until_plex_shows(scene, title="A new title")
    assert installation.item(scene).locks >= {"title"}
    assert installation.logged_errors() == []


def test_every_field_of_a_scene_arrives_and_is_cleared_again(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, details="One\ntwo <b>&amp;</b> 日本語", date="2021-03", rating100=75, tag_ids=["1", "2"])
    installation.wait_until_idle()
    assert installation.differences([scene]) == []
    installation.save(scene, details="", date=None, tag_ids=[], performer_ids=[], rating100=None)
    installation.wait_until_idle()
    item = installation.item(scene)
    assert (item.summary, item.originally_available_at, item.tags("genre"), item.tags("actor"), item.user_rating) == (
        "", None, [], [], None,
    )  # fmt: skip
    assert installation.differences([scene]) == []


def test_five_saves_at_once_arrive_with_one_worker(installation: Installation) -> None:
    scenes = installation.scenes_with_file(5)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda scene: installation.save(scene, title=f"At once {scene}"), scenes))
    for scene in scenes:
        installation.wait_until_plex_shows(scene, title=f"At once {scene}")
    # one worker; the other request is from the reconciliation after a start of Stash
    assert installation.plex.counters["GET /"] <= 2


def test_newer_of_two_saves_wins(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    for title in ("first", "second", "third"):
        installation.save(scene, title=title)
    installation.wait_until_plex_shows(scene, title="third")
    installation.wait_until_idle()
    assert installation.item(scene).title == "third"


def test_bulk_edit_reaches_every_scene(installation: Installation) -> None:
    scenes = installation.scenes_with_file(20)
    installation.stash.gql(BULK, {"i": {"ids": [str(s) for s in scenes], "tag_ids": {"ids": ["3"], "mode": "ADD"}}})
    installation.wait_until_idle()
    assert installation.differences(scenes) == []
    assert installation.plex.puts == len(scenes)


def test_save_goes_before_waiting_bulk_work(installation: Installation) -> None:
    *bulk, scene = installation.scenes_with_file(30)
    installation.plex.faults.write_latency = 0.1
    installation.task("Sync All Scenes")
    wait_for(lambda: installation.plex.puts > 2, 20, "the bulk to be under way")
    installation.save(scene, title="Before all the others")
    installation.wait_until_plex_shows(scene, title="Before all the others")
    assert installation.queue_counts()["waiting"] > 5
    installation.plex.faults.clear()
    installation.wait_until_idle()
    assert installation.differences([*bulk, scene]) == []


def test_changed_scene_costs_one_put_and_an_unchanged_one_none(installation: Installation) -> None:
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    items = {key for write in installation.plex.writes for key in write.rating_keys}
    assert installation.plex.puts == len(items) > 40
    installation.plex.reset_counters()
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    assert installation.plex.puts == 0
    assert installation.plex.hidden_reloads == 0
    assert installation.differences(int(scene.id) for scene in installation.library.scenes) == []


def test_organized_click_and_save_without_changes_write_nothing(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="As it is")
    installation.wait_until_idle()
    installation.plex.reset_counters()
    installation.save(scene, organized=True)
    installation.save(scene, title="As it is")
    installation.wait_until_idle()
    assert installation.plex.puts == 0


def test_play_count_is_not_queued(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, play_duration=12.0)
    assert not (installation.data / "queue").exists()


def test_scene_without_metadata_is_left_alone(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    before = installation.item(scene).title
    installation.save(scene, details="", date=None, tag_ids=[], performer_ids=[], studio_id=None, title="Only a title")
    installation.wait_until_idle()
    assert installation.item(scene).title == before
    assert installation.plex.puts == 0


def test_every_file_of_a_scene_is_written(installation: Installation) -> None:
    [scene] = installation.scenes_with_file(multiple_files=True)
    installation.save(scene, title="Two versions")
    installation.wait_until_idle()
    paths = [file["path"] for file in installation.scene(scene)["files"]]
    assert len(paths) > 1
    assert {installation.plex.find(path).title for path in paths} == {"Two versions"}  # type: ignore[union-attr]


def test_deleted_scene_is_forgotten_and_plex_left_alone(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Soon gone")
    installation.wait_until_plex_shows(scene, title="Soon gone")
    installation.wait_until_idle()
    item = installation.item(scene)
    installation.stash.gql("mutation($i: SceneDestroyInput!) { sceneDestroy(input: $i) }", {"i": {"id": str(scene)}})
    installation.wait_until_idle()
    from sync_queue.operations import load_sync_timestamps

    wait_for(lambda: scene not in load_sync_timestamps(str(installation.data)), 10, "the timestamp to go")
    assert item.title == "Soon gone"


def test_scanned_file_arrives_once_it_is_tagged(installation: Installation) -> None:
    scene = installation.stash.scan_new_file("/data/new/fresh.mp4", 1234, 60.0)
    installation.plex.add_item(installation.section, [("/data/new/fresh.mp4", 1234, 60.0)])
    installation.wait_until_idle()
    installation.save(scene, title="Fresh", details="Just in")
    installation.wait_until_plex_shows(scene, title="Fresh", summary="Just in")


def test_sync_timestamp_is_the_version_that_was_read(installation: Installation) -> None:
    from common.iso_time import parse_instant
    from sync_queue.operations import load_sync_timestamps

    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Timed")
    installation.wait_until_idle()
    assert load_sync_timestamps(str(installation.data))[scene] == parse_instant(installation.scene(scene)["updated_at"])


def test_save_leaves_no_secret_behind(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Secret")
    installation.wait_until_plex_shows(scene, title="Secret")
    pid = installation.worker_pid()
    cookies = [json.loads(p.stdin)["server_connection"]["SessionCookie"]["Value"] for p in installation.stash.processes]
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read()
    with open(f"/proc/{pid}/environ", "rb") as file:
        words += file.read()
    for path in installation.data.rglob("*"):
        if path.is_file():
            words += path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0, path
    assert installation.plex.token.encode() not in words
    assert not any(cookie.encode() in words for cookie in cookies)

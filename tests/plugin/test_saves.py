"""A scene saved in Stash is in Plex a moment later, whatever else is going on."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.house import BULK, House, wait


def test_a_saved_title_is_in_plex_and_nobody_did_anything(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="A new title")
    house.shows(scene, title="A new title")
    assert house.item(scene).locks >= {"title"}
    assert house.complaints() == []


def test_everything_of_a_scene_arrives_and_leaves_again(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, details="One\ntwo <b>&amp;</b> 日本語", date="2021-03", rating100=75, tag_ids=["1", "2"])
    house.quiet()
    assert house.differences([scene]) == []
    house.save(scene, details="", date=None, tag_ids=[], performer_ids=[], rating100=None)
    house.quiet()
    item = house.item(scene)
    assert (item.summary, item.originally_available_at, item.tags("genre"), item.tags("actor"), item.user_rating) == (
        "", None, [], [], None,
    )  # fmt: skip
    assert house.differences([scene]) == []


def test_five_saves_at_once_all_arrive_with_one_drainer(house: House) -> None:
    scenes = house.with_file(5)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda scene: house.save(scene, title=f"At once {scene}"), scenes))
    for scene in scenes:
        house.shows(scene, title=f"At once {scene}")
    # one drainer; the other greeting is from the comparison after a start of Stash
    assert house.plex.counters["GET /"] <= 2


def test_the_newer_of_two_saves_wins(house: House) -> None:
    [scene] = house.with_file()
    for title in ("first", "second", "third"):
        house.save(scene, title=title)
    house.shows(scene, title="third")
    house.quiet()
    assert house.item(scene).title == "third"


def test_a_bulk_edit_reaches_every_scene(house: House) -> None:
    scenes = house.with_file(20)
    house.stash.gql(BULK, {"i": {"ids": [str(s) for s in scenes], "tag_ids": {"ids": ["3"], "mode": "ADD"}}})
    house.quiet()
    assert house.differences(scenes) == []
    assert house.plex.puts == len(scenes)


def test_a_save_goes_before_the_bulk_that_waits(house: House) -> None:
    *bulk, scene = house.with_file(30)
    house.plex.faults.write_latency = 0.1
    house.task("Sync All Scenes")
    wait(lambda: house.plex.puts > 2, 20, "the bulk to be under way")
    house.save(scene, title="Before all the others")
    house.shows(scene, title="Before all the others")
    assert house.queue()["waiting"] > 5
    house.plex.faults.clear()
    house.quiet()
    assert house.differences([*bulk, scene]) == []


def test_each_changed_scene_costs_one_put_and_an_unchanged_one_none(house: House) -> None:
    house.task("Sync All Scenes")
    house.quiet()
    items = {key for write in house.plex.writes for key in write.rating_keys}
    assert house.plex.puts == len(items) > 40
    house.plex.reset_counters()
    house.task("Sync All Scenes")
    house.quiet()
    assert house.plex.puts == 0
    assert house.plex.hidden_reloads == 0
    assert house.differences(int(scene.id) for scene in house.library.scenes) == []


def test_an_organized_click_and_a_save_without_changes_write_nothing(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="As it is")
    house.quiet()
    house.plex.reset_counters()
    house.save(scene, organized=True)
    house.save(scene, title="As it is")
    house.quiet()
    assert house.plex.puts == 0


def test_a_play_count_is_not_even_queued(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, play_duration=12.0)
    assert not (house.data / "queue").exists()


def test_a_scene_that_says_nothing_is_left_alone(house: House) -> None:
    [scene] = house.with_file()
    before = house.item(scene).title
    house.save(scene, details="", date=None, tag_ids=[], performer_ids=[], studio_id=None, title="Only a title")
    house.quiet()
    assert house.item(scene).title == before
    assert house.plex.puts == 0


def test_every_file_of_a_scene_is_written(house: House) -> None:
    [scene] = house.with_file(several=True)
    house.save(scene, title="Two versions")
    house.quiet()
    paths = [file["path"] for file in house.scene(scene)["files"]]
    assert len(paths) > 1
    assert {house.plex.find(path).title for path in paths} == {"Two versions"}  # type: ignore[union-attr]


def test_a_destroyed_scene_is_forgotten_and_plex_left_alone(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="Soon gone")
    house.shows(scene, title="Soon gone")
    house.quiet()
    item = house.item(scene)
    house.stash.gql("mutation($i: SceneDestroyInput!) { sceneDestroy(input: $i) }", {"i": {"id": str(scene)}})
    house.quiet()
    from sync_queue.operations import load_sync_timestamps

    wait(lambda: scene not in load_sync_timestamps(str(house.data)), 10, "the timestamp to go")
    assert item.title == "Soon gone"


def test_a_scanned_file_arrives_once_it_is_tagged(house: House) -> None:
    scene = house.stash.scan_new_file("/data/new/fresh.mp4", 1234, 60.0)
    house.plex.add_item(house.section, [("/data/new/fresh.mp4", 1234, 60.0)])
    house.quiet()
    house.save(scene, title="Fresh", details="Just in")
    house.shows(scene, title="Fresh", summary="Just in")


def test_the_sync_timestamp_is_the_version_that_was_read(house: House) -> None:
    from stash.instants import parse_instant
    from sync_queue.operations import load_sync_timestamps

    [scene] = house.with_file()
    house.save(scene, title="Timed")
    house.quiet()
    assert load_sync_timestamps(str(house.data))[scene] == parse_instant(house.scene(scene)["updated_at"])


def test_nothing_secret_is_left_behind(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="Secret")
    house.shows(scene, title="Secret")
    pid = house.drainer()
    cookies = [json.loads(p.stdin)["server_connection"]["SessionCookie"]["Value"] for p in house.stash.processes]
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read()
    with open(f"/proc/{pid}/environ", "rb") as file:
        words += file.read()
    for path in house.data.rglob("*"):
        if path.is_file():
            words += path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0, path
    assert house.plex.token.encode() not in words
    assert not any(cookie.encode() in words for cookie in cookies)

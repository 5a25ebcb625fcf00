"""The drainer's life: one at a time, gone when it should be, back when it should be, and nothing lost in between."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from tests.house import House, alive, small_library, wait


def first_save(house: House, title: str = "First") -> int:
    [scene] = house.with_file()
    house.save(scene, title=title)
    house.shows(scene, title=title)
    return scene


def test_saves_before_the_settings_are_there_wait_and_then_arrive_by_themselves(bare_house: House) -> None:
    house = bare_house
    house.start(configured=False)
    [scene] = house.with_file()
    house.save(scene, title="Before the settings")
    wait(lambda: "Plex URL and Plex token" in (house.attention() or ""), 20, "the reason to be said")
    house.save(scene, title="Still before")
    assert any("Plex URL" in line.message for line in house.stash.log if line.level == "Warning")
    house.configure()
    house.shows(scene, title="Still before")
    house.quiet()
    wait(lambda: house.attention() is None, 10, "the reason to be taken back")


def test_a_wrong_token_keeps_every_save_until_it_is_mended(house: House) -> None:
    house.configure(plex_token="wrong")
    [scene] = house.with_file()
    house.save(scene, title="With a wrong token")
    wait(lambda: "token" in (house.attention() or ""), 20, "the token to be complained of")
    house.task("View Queue Status")
    assert any("does not accept the token" in line.message for line in house.stash.log)
    house.configure()
    house.shows(scene, title="With a wrong token")
    wait(lambda: house.attention() is None, 10, "the complaint to be taken back")


def test_a_library_that_is_not_there_is_named_with_those_that_are(house: House) -> None:
    house.plex.add_section("Series", ["/series"], type="show")
    house.configure(plex_library="Nowhere")
    [scene] = house.with_file()
    house.save(scene, title="Lost library")
    wait(lambda: "'Nowhere' is not on the server. There are: Scenes" in (house.attention() or ""), 20, "the reason")
    house.configure(plex_library="Series")
    wait(lambda: "is of type show" in (house.attention() or ""), 20, "the other reason")
    house.configure(plex_library=" scenes ")
    house.shows(scene, title="Lost library")


def test_the_pause_queues_and_writes_nothing(house: House) -> None:
    house.configure(enabled=False)
    [scene] = house.with_file()
    house.save(scene, title="Paused")
    house.paused()
    assert house.plex.puts == 0
    assert house.queue()["waiting"] == 1
    house.configure(enabled=True)
    house.shows(scene, title="Paused")


def test_a_changed_setting_counts_from_the_next_save_on(house: House) -> None:
    scene = first_save(house)
    house.quiet()
    house.configure(sync_summary=False)
    before = house.item(scene).summary
    house.save(scene, title="Second", details="Not for Plex")
    house.shows(scene, title="Second")
    assert house.item(scene).summary == before


def test_plex_away_and_back_again(house: House) -> None:
    scene = first_save(house)
    house.quiet()
    house.plex.faults.refuse()
    house.save(scene, title="While Plex is away")
    wait(lambda: "waits for Plex" in (house.attention() or ""), 20, "the outage to be said")
    house.plex.faults.accept()
    house.shows(scene, title="While Plex is away")
    house.quiet()
    wait(lambda: house.attention() is None, 10, "the outage to be over")


def test_the_hook_does_not_care_how_plex_is(house: House) -> None:
    scene = first_save(house)
    house.plex.faults.hang = True
    house.save(scene, title="Hanging")
    hook = house.stash.processes[-1]
    assert hook.exit_code == 0
    assert hook.output == "ok"
    house.plex.faults.clear()


def test_stash_away_and_back_again(house: House) -> None:
    scene = first_save(house)
    house.quiet()
    item = house.item(scene)
    house.stash.faults.resolver_error = "database is locked"
    house.stash.gql(
        "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }",
        {"i": {"id": str(scene), "title": "Locked database"}},
        through_faults=True,
    )
    time.sleep(0.5)
    assert item.title == "First"
    house.stash.faults.clear()
    house.shows(scene, title="Locked database")


def test_a_killed_drainer_loses_nothing(house: House) -> None:
    scenes = house.with_file(25)
    house.plex.faults.write_latency = 0.1
    for scene in scenes[:24]:
        house.save(scene, title=f"Killed {scene}")
    wait(lambda: house.plex.puts > 2, 20, "writing to begin")
    house.end_drainer(signal.SIGKILL)
    house.plex.faults.clear()
    house.save(scenes[24], title=f"Killed {scenes[24]}")
    for scene in scenes:
        house.shows(scene, title=f"Killed {scene}")
    house.quiet()


def test_a_drainer_that_is_told_to_stop_gives_its_rows_back(house: House) -> None:
    scenes = house.with_file(12)
    house.plex.faults.write_latency = 0.15
    house.task("Sync All Scenes")
    wait(lambda: house.plex.puts > 1, 20, "writing to begin")
    house.end_drainer()
    counts = house.queue()
    assert counts["in_flight"] == 0
    assert counts["waiting"] > 0
    house.plex.faults.clear()
    house.task("Process Queue")
    house.quiet()
    assert house.differences(scenes) == []


def test_a_disabled_plugin_stops_before_the_next_write(house: House) -> None:
    scene = first_save(house)
    house.quiet()
    house.plex.faults.write_latency = 0.1
    house.task("Sync All Scenes")
    house.stash.set_plugin_enabled("Stash2Plex", False)
    wait(lambda: not house.locked(), 20, "the drainer to leave")
    assert house.queue()["waiting"] > 0
    house.plex.faults.clear()
    house.stash.set_plugin_enabled("Stash2Plex", True)
    house.save(scene, title="Enabled again")
    house.shows(scene, title="Enabled again")
    house.quiet()


def test_an_update_of_the_plugin_gets_a_new_drainer(house: House) -> None:
    scene = first_save(house)
    house.quiet()
    old = house.drainer()
    manifest = house.data.parent / "Stash2Plex.yml"
    text = manifest.read_text()
    manifest.unlink()
    manifest.write_text(text)
    wait(lambda: house.drainer() not in (None, old), 30, "the successor")
    house.save(scene, title="After the update")
    house.shows(scene, title="After the update")
    assert old is not None
    assert not alive(old)


def test_a_session_cookie_of_three_seconds_is_kept_fresh(tmp_path: Path) -> None:
    house = House(tmp_path, small_library(), username="someone", password="secret", max_session_age=3.0)
    house.start()
    try:
        scene = first_save(house)
        pid = house.drainer()
        for _ in range(10):  # the browser's own session lasts as briefly
            time.sleep(0.5)
            house.scene(scene)
        house.task("Sync Recent Scenes")
        house.quiet()
        house.save(scene, title="Five seconds later")
        house.shows(scene, title="Five seconds later")
        assert house.drainer() == pid
    finally:
        house.stop()


def test_the_next_drainer_sits_out_its_pause_unless_a_person_asks(house: House) -> None:
    (house.data / "drainer.wait").write_text(f"{time.time() + 300} 300")
    [scene] = house.with_file()
    house.save(scene, title="Held back")
    wait(house.locked, 10, "the lock to be held")
    time.sleep(0.7)
    assert house.queue()["waiting"] == 1
    assert house.plex.puts == 0
    house.task("Process Queue")
    house.shows(scene, title="Held back")


def test_what_the_drainer_has_to_say_stands_in_stashs_log(house: House) -> None:
    from sandbox.plex.faults import Faults

    assert isinstance(house.plex.faults, Faults)
    scene = first_save(house)
    house.quiet()
    house.plex.faults.set(status=400, only="PUT")
    house.save(scene, title="Refused")
    wait(lambda: any("was given up" in line.message for line in house.stash.log), 20, "the dead letter to be said")
    house.plex.faults.clear()
    house.task("View Queue Status")
    assert any(f"scene {scene}: Plex refused" in line.message for line in house.stash.log)
    house.save(scene, title="Taken")
    house.shows(scene, title="Taken")
    house.quiet()
    result = house.stash.gql('mutation { runPluginOperation(plugin_id: "Stash2Plex", args: {mode: "queue_status"}) }')[
        "runPluginOperation"
    ]
    assert result["dead_letters"]["count"] == 0


def test_the_drainer_says_how_it_is(house: House) -> None:
    first_save(house)
    house.quiet()
    wait(lambda: json.loads((house.data / "drainer.json").read_text()).get("state") == "ready", 10, "it to be ready")
    status = json.loads((house.data / "drainer.json").read_text())
    assert status["breaker"] == "closed"
    assert status["written"] == 1
    assert status["pid"] != os.getpid()
    log = (house.data / "stash2plex.log").read_text()
    assert "Updated metadata (overwrite mode): First" in log


def test_a_corrected_address_is_tried_without_waiting_for_the_breaker(house: House) -> None:
    house.configure(plex_url="http://127.0.0.1:9")
    scenes = house.with_file(4)
    for scene in scenes:
        house.save(scene, title=f"Wrong address {scene}")
    wait(lambda: "waits for Plex" in (house.attention() or ""), 20, "the outage to be said")
    house.configure()
    for scene in scenes:
        house.shows(scene, title=f"Wrong address {scene}")


def test_the_status_names_a_scene_that_is_not_in_plex(bare_house: House) -> None:
    house = bare_house
    house.start(in_plex=lambda path: False)
    [scene] = house.with_file()
    house.save(scene, title="Nowhere to be seen")
    wait(lambda: house.queue() == {"waiting": 1, "in_flight": 0, "acknowledged": 0, "failed": 0}, 20, "the first try")
    wait(lambda: house.plex.counters["GET /library/sections/{k}/all"] > 0, 20, "a look into Plex")
    wait(lambda: house.queue()["in_flight"] == 0, 20, "the try to end")
    house.task("View Queue Status")
    words = "\n".join(line.message for line in house.stash.log)
    assert "Scenes last seen as not in Plex: 1" in words
    assert f"scene {scene}: Plex has no item with the file {house.scene(scene)['files'][0]['path']}" in words


def test_the_status_knows_a_drainer_that_was_killed(house: House) -> None:
    first_save(house)
    house.quiet()
    house.end_drainer(signal.SIGKILL)
    house.task("View Queue Status")
    assert any("none at work" in line.message for line in house.stash.log)

"""The life of the worker: one at a time, when it stops and starts, and that no save is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.installation import Installation, is_process_alive, small_library, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=28)]


def first_save(installation: Installation, title: str = "First") -> int:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title=title)
    installation.wait_until_plex_shows(scene, title=title)
    return scene


def test_saves_before_the_settings_arrive_once_they_are_set(
    bare_installation: Installation,
) -> None:
    installation = bare_installation
    installation.start(configured=False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Before the settings")
    wait_for(lambda: "Plex URL and Plex token" in (installation.attention() or ""), 20, "the reason to be said")
    installation.save(scene, title="Still before")
    assert any("Plex URL" in line.message for line in installation.stash.log if line.level == "Warning")
    installation.configure()
    installation.wait_until_plex_shows(scene, title="Still before")
    installation.wait_until_idle()
    wait_for(lambda: installation.attention() is None, 10, "the reason to be taken back")


def test_wrong_token_keeps_every_save_until_it_is_corrected(installation: Installation) -> None:
    installation.configure(plex_token="wrong")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="With a wrong token")
    wait_for(lambda: "token" in (installation.attention() or ""), 20, "the token to be complained of")
    installation.task("View Queue Status")
    assert any("does not accept the token" in line.message for line in installation.stash.log)
    installation.configure()
    installation.wait_until_plex_shows(scene, title="With a wrong token")
    wait_for(lambda: installation.attention() is None, 10, "the complaint to be taken back")


def test_missing_library_is_named_with_those_that_exist(installation: Installation) -> None:
    installation.plex.add_section("Series", ["/series"], type="show")
    installation.configure(plex_library="Nowhere")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Lost library")
    wait_for(
        lambda: "'Nowhere' is not on the server. There are: Scenes" in (installation.attention() or ""),
        20,
        "the reason",
    )
    installation.configure(plex_library="Series")
    wait_for(lambda: "is of type show" in (installation.attention() or ""), 20, "the other reason")
    installation.configure(plex_library=" scenes ")
    installation.wait_until_plex_shows(scene, title="Lost library")


def test_pause_queues_and_writes_nothing(installation: Installation) -> None:
    installation.configure(enabled=False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Paused")
    installation.wait_until_paused()
    assert installation.plex.puts == 0
    assert installation.queue_counts()["waiting"] == 1
    installation.configure(enabled=True)
    installation.wait_until_plex_shows(scene, title="Paused")


def test_changed_setting_counts_from_the_next_save(installation: Installation) -> None:
    scene = first_save(installation)
    installation.wait_until_idle()
    installation.configure(sync_summary=False)
    before = installation.item(scene).summary
    installation.save(scene, title="Second", details="Not for Plex")
    installation.wait_until_plex_shows(scene, title="Second")
    assert installation.item(scene).summary == before


def test_outage_of_plex_keeps_saves_and_writes_them_after_it(installation: Installation) -> None:
    scene = first_save(installation)
    installation.wait_until_idle()
    installation.plex.faults.refuse()
    installation.save(scene, title="While Plex is away")
    wait_for(lambda: "is waiting for Plex" in (installation.attention() or ""), 20, "the outage to be said")
    installation.plex.faults.accept()
    installation.wait_until_plex_shows(scene, title="While Plex is away")
    installation.wait_until_idle()
    wait_for(lambda: installation.attention() is None, 10, "the outage to be over")


def test_hook_is_as_fast_during_an_outage_of_plex(installation: Installation) -> None:
    scene = first_save(installation)
    installation.plex.faults.hang = True
    installation.save(scene, title="Hanging")
    hook = installation.stash.processes[-1]
    assert hook.exit_code == 0
    assert hook.output == "ok"
    installation.plex.faults.clear()


def test_outage_of_stash_keeps_saves_and_writes_them_after_it(installation: Installation) -> None:
    scene = first_save(installation)
    installation.wait_until_idle()
    item = installation.item(scene)
    installation.stash.faults.resolver_error = "database is locked"
    installation.stash.gql(
        "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }",
        {"i": {"id": str(scene), "title": "Locked database"}},
        through_faults=True,
    )
    time.sleep(0.5)
    assert item.title == "First"
    installation.stash.faults.clear()
    installation.wait_until_plex_shows(scene, title="Locked database")


def test_killed_worker_loses_nothing(installation: Installation) -> None:
    scenes = installation.scenes_with_file(25)
    installation.plex.faults.write_latency = 0.1
    for scene in scenes[:24]:
        installation.save(scene, title=f"Killed {scene}")
    wait_for(lambda: installation.plex.puts > 2, 20, "writing to begin")
    installation.stop_worker(signal.SIGKILL)
    installation.plex.faults.clear()
    installation.save(scenes[24], title=f"Killed {scenes[24]}")
    for scene in scenes:
        installation.wait_until_plex_shows(scene, title=f"Killed {scene}")
    installation.wait_until_idle()


def test_stopped_worker_returns_its_rows_to_the_queue(installation: Installation) -> None:
    scenes = installation.scenes_with_file(12)
    installation.plex.faults.write_latency = 0.15
    installation.task("Sync All Scenes")
    wait_for(lambda: installation.plex.puts > 1, 20, "writing to begin")
    installation.stop_worker()
    counts = installation.queue_counts()
    assert counts["in_flight"] == 0
    assert counts["waiting"] > 0
    installation.plex.faults.clear()
    installation.task("Process Queue")
    installation.wait_until_idle()
    assert installation.differences(scenes) == []


def test_disabled_plugin_stops_before_the_next_write(installation: Installation) -> None:
    scene = first_save(installation)
    installation.wait_until_idle()
    installation.plex.faults.write_latency = 0.1
    installation.task("Sync All Scenes")
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    wait_for(lambda: not installation.is_worker_lock_held(), 20, "the worker to leave")
    assert installation.queue_counts()["waiting"] > 0
    installation.plex.faults.clear()
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    installation.save(scene, title="Enabled again")
    installation.wait_until_plex_shows(scene, title="Enabled again")
    installation.wait_until_idle()


def test_update_of_the_plugin_replaces_the_worker(installation: Installation) -> None:
    scene = first_save(installation)
    installation.wait_until_idle()
    old = installation.worker_pid()
    manifest = installation.data.parent / "Stash2Plex.yml"
    text = manifest.read_text()
    manifest.unlink()
    manifest.write_text(text)
    wait_for(lambda: installation.worker_pid() not in (None, old), 30, "the successor")
    installation.save(scene, title="After the update")
    installation.wait_until_plex_shows(scene, title="After the update")
    assert old is not None
    assert not is_process_alive(old)


def test_session_cookie_of_three_seconds_is_kept_fresh(tmp_path: Path) -> None:
    installation = Installation(tmp_path, small_library(), username="someone", password="secret", max_session_age=3.0)
    installation.start()
    try:
        scene = first_save(installation)
        pid = installation.worker_pid()
        for _ in range(10):  # the browser's own session lasts as briefly
            time.sleep(0.5)
            installation.scene(scene)
        installation.task("Sync Recent Scenes")
        installation.wait_until_idle()
        installation.save(scene, title="Five seconds later")
        installation.wait_until_plex_shows(scene, title="Five seconds later")
        assert installation.worker_pid() == pid
    finally:
        installation.stop()


def test_worker_waits_out_its_pause_unless_a_person_starts_a_task(installation: Installation) -> None:
    (installation.data / "worker.wait").write_text(f"{time.time() + 300} 300")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Held back")
    wait_for(installation.is_worker_lock_held, 10, "the lock to be held")
    time.sleep(0.7)
    assert installation.queue_counts()["waiting"] == 1
    assert installation.plex.puts == 0
    installation.task("Process Queue")
    installation.wait_until_plex_shows(scene, title="Held back")


def test_lines_of_the_worker_are_in_stashs_log(installation: Installation) -> None:
    from sandbox.plex.faults import Faults

    assert isinstance(installation.plex.faults, Faults)
    scene = first_save(installation)
    installation.wait_until_idle()
    installation.plex.faults.set(status=400, only="PUT")
    installation.save(scene, title="Refused")
    wait_for(
        lambda: any("was given up" in line.message for line in installation.stash.log), 20, "the dead letter to be said"
    )
    installation.plex.faults.clear()
    installation.task("View Queue Status")
    assert any(f"Scene {scene}: Plex refused" in line.message for line in installation.stash.log)
    installation.save(scene, title="Taken")
    installation.wait_until_plex_shows(scene, title="Taken")
    installation.wait_until_idle()
    result = installation.stash.gql(
        'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: {mode: "queue_status"}) }'
    )["runPluginOperation"]
    assert result["dead_letters"]["count"] == 0


def test_worker_writes_its_status(installation: Installation) -> None:
    first_save(installation)
    installation.wait_until_idle()
    wait_for(
        lambda: json.loads((installation.data / "worker_status.json").read_text()).get("state") == "ready",
        10,
        "it to be ready",
    )
    status = json.loads((installation.data / "worker_status.json").read_text())
    assert status["breaker"] == "closed"
    assert status["written"] == 1
    assert status["pid"] != os.getpid()
    log = (installation.data / "stash2plex.log").read_text()
    assert "Updated metadata (overwrite mode): First" in log


def test_corrected_address_is_tried_without_waiting_for_the_breaker(installation: Installation) -> None:
    installation.configure(plex_url="http://127.0.0.1:9")
    scenes = installation.scenes_with_file(4)
    for scene in scenes:
        installation.save(scene, title=f"Wrong address {scene}")
    wait_for(lambda: "is waiting for Plex" in (installation.attention() or ""), 20, "the outage to be said")
    installation.configure()
    for scene in scenes:
        installation.wait_until_plex_shows(scene, title=f"Wrong address {scene}")


def test_status_names_a_scene_that_is_not_in_plex(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(in_plex=lambda path: False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Nowhere to be seen")
    wait_for(
        lambda: installation.queue_counts() == {"waiting": 1, "in_flight": 0, "acknowledged": 0, "failed": 0},
        20,
        "the first try",
    )
    wait_for(lambda: installation.plex.counters["GET /library/sections/{k}/all"] > 0, 20, "a look into Plex")
    wait_for(lambda: installation.queue_counts()["in_flight"] == 0, 20, "the try to end")
    installation.task("View Queue Status")
    words = "\n".join(line.message for line in installation.stash.log)
    assert "Not in Plex: 1" in words
    assert f"Scene {scene}: Plex has no item with the file {installation.scene(scene)['files'][0]['path']}" in words


def test_status_recognises_a_killed_worker(installation: Installation) -> None:
    first_save(installation)
    installation.wait_until_idle()
    installation.stop_worker(signal.SIGKILL)
    installation.task("View Queue Status")
    assert any("not running" in line.message for line in installation.stash.log)

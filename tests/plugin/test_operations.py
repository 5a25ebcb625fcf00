"""The page's operations, through Stash. Every answer must fit the contract and show no token."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from common.errors import PermanentError
from common.job_rows import PRIORITY_BULK, new_job
from sandbox.plex.model import Item
from sync_queue.dlq import DeadLetterQueue
from tests.api.answer_shapes import check_answer
from tests.installation import Installation, files_of, wait_for
from tests.plugin.test_matching import doubtful

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.measured, pytest.mark.slow(seconds=32)]

NASTY = "<script>alert('1')</script> \"&quot;\" javascript:alert(1) \u202egnp.exe \u2028 \\n"


def ask(installation: Installation, mode: str, **args: Any) -> Any:
    """Return an operation's answer after checking its shape and that it holds no token."""
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    answer = installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]
    check_answer(mode, answer)
    assert installation.plex.token not in json.dumps(answer)
    return answer


def of(installation: Installation, scene_id: int) -> Any:
    return ask(installation, "scene", ids=[scene_id])["scenes"][str(scene_id)]


def add_dead_letter(installation: Installation, scene_id: int, error: Exception, **detail: Any) -> None:
    job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    DeadLetterQueue(str(installation.data)).add(job, error, 3, detail=detail)


def doubt(installation: Installation) -> tuple[int, list[Item]]:
    """Return a scene with a doubtful match, and its two candidates."""
    scene, items = doubtful(installation)
    installation.save(scene, title="Which of the two", details="Some details")
    wait_for(lambda: ask(installation, "status")["needs_you"] == 1, 20, "the doubt")
    installation.wait_until_idle()
    return scene, items


def test_operations_before_the_first_save_answer_with_defaults(bare_installation: Installation) -> None:
    bare_installation.start(configured=False)
    found = ask(bare_installation, "status")
    assert found["server"] == {"name": None, "version": None, "machine": None}
    assert (found["queue"], found["in_step"], found["needs_you"]) == ({"waiting": 0, "in_flight": 0}, 0, 0)
    assert (found["moving"], found["compared"], found["outage"], found["enabled"]) == (False, None, None, True)
    assert of(bare_installation, 1)["state"] == "unknown"
    assert ask(bare_installation, "attention")["rows"] == []
    assert ask(bare_installation, "history")["events"] == []
    assert "Plex URL" in ask(bare_installation, "sections")["error"]
    assert "Plex URL" in ask(bare_installation, "bind", scene=1, rating_key=1)["error"]


def test_scene_after_a_save_is_waiting_then_in_step(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.plex.faults.set(write_latency=1.0)
    installation.save(scene, title=NASTY)
    assert of(installation, scene)["state"] == "waiting"
    assert ask(installation, "status")["moving"]
    installation.wait_until_idle()
    found = of(installation, scene)
    item = installation.item(scene)
    assert (found["state"], found["verdict"], found["waiting"], found["bound"]) == ("in step", "written", None, None)
    path = installation.scene(scene)["files"][0]["path"]
    [held] = found["items"]
    expected = {"rating_key": item.rating_key, "section": installation.section.key, "library": "Scenes", "path": path}
    assert held == {**expected, "proof": "same path"}
    after = ask(installation, "status")
    assert (
        after["server"]["machine"]
        == ask(installation, "scene", ids=[scene])["machine"]
        == installation.plex.identity.machine_identifier
    )
    assert after["server"]["name"]
    assert after["server"]["version"]
    assert (after["in_step"], after["drainer"]["alive"], after["drainer"]["written"]) == (1, True, 1)
    assert after["drainer"]["rate"] > 0
    assert after["plex_web_url"] == "https://app.plex.tv/desktop"
    told = ask(installation, "history")
    assert len(told["buckets"]) == 24
    assert told["buckets"][-1]["written"] + told["buckets"][-2]["written"] == 1
    assert ("written", scene) in {(event["kind"], event["scene_id"]) for event in told["events"]}
    assert len(ask(installation, "history", hours=720)["buckets"]) == 30
    assert "24 or 720" in ask(installation, "history", hours=5)["error"]


def test_status_during_an_outage_reports_it_from_the_first_failure(installation: Installation) -> None:
    first, second = installation.scenes_with_file(2)
    installation.save(first, title="Before")
    installation.wait_until_idle()
    installation.plex.faults.refuse()
    installation.save(second, title="While it is away")
    wait_for(lambda: ask(installation, "status")["outage"] is not None, 5, "the outage to be told")
    found = ask(installation, "status")
    assert (found["outage"]["waiting"], found["moving"]) == (1, True)
    assert "cannot be reached" in found["outage"]["reason"]
    assert "is waiting for Plex" in found["attention"]
    installation.plex.faults.accept()
    installation.wait_until_plex_shows(second, title="While it is away")
    wait_for(lambda: ask(installation, "status")["outage"] is None, 5, "the outage to be over")
    [outage] = ask(installation, "history")["outages"]
    assert outage["ended"] > outage["began"]


def test_bind_writes_the_chosen_item_and_unbind_lets_it_be_restored(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, (other, item) = doubt(installation)
    before = (item.title, item.summary)
    answer = ask(installation, "attention")
    [row] = answer["rows"]
    assert (row["kind"], row["scene_id"], row["title"]) == ("doubtful", scene, "Which of the two")
    assert {one["rating_key"] for one in row["candidates"]} == {item.rating_key, other.rating_key}
    assert {one["library"] for one in row["candidates"]} == {"Scenes"}
    assert row["files"][0]["path"] == row["path"] == installation.scene(scene)["files"][0]["path"]
    assert [(group["kind"], group["count"]) for group in answer["groups"]] == [("doubtful", 1)]
    assert of(installation, scene)["state"] == "doubtful"
    assert ask(installation, "bind", scene=scene, rating_key=99_999)["error"] == "Plex has no item 99999 with a file"

    assert ask(installation, "bind", scene=scene, rating_key=item.rating_key)["bound"] == item.rating_key
    wait_for(lambda: item.title == "Which of the two", 20, "the chosen item to be written")
    installation.wait_until_idle()
    found = of(installation, scene)
    assert (found["state"], found["bound"], found["items"][0]["proof"]) == (
        "in step",
        item.rating_key,
        "chosen by you",
    )
    assert ask(installation, "status")["needs_you"] == 0
    installation.save(scene, title="Saved again")
    wait_for(lambda: item.title == "Saved again", 20, "the next save")
    assert ask(installation, "preview", scenes=[scene])["equal"] == 1
    second = installation.scenes_with_file(2)[1]
    refused = ask(installation, "bind", scene=second, rating_key=item.rating_key)["error"]
    assert f"was chosen for scene {scene}:" in refused

    assert ask(installation, "unbind", scene=scene) == {"version": 1, "unbound": True, "can_give_back": True}
    assert of(installation, scene)["state"] == "doubtful"
    ask(installation, "give_back", scenes=[scene], confirm=True)
    wait_for(lambda: (item.title, item.summary) == before, 20, "what it was before")
    installation.wait_until_idle()
    assert of(installation, scene)["state"] == "left alone"
    assert ask(installation, "unbind", scene=scene)["unbound"] is False


def test_bind_item_of_a_scene_never_synced_is_an_error(
    installation: Installation,
) -> None:
    first, second, third = installation.scenes_with_file(3)
    item = installation.item(second)
    assert f"belongs to scene {second}:" in ask(installation, "bind", scene=first, rating_key=item.rating_key)["error"]
    [part] = item.parts()
    part.size = (part.size or 0) + 1  # at the same place, but not the same file
    assert ask(installation, "bind", scene=first, rating_key=item.rating_key)["bound"] == item.rating_key
    # A scene with a manual match no longer owns its previous item.
    assert ask(installation, "bind", scene=third, rating_key=installation.item(first).rating_key)["bound"]
    assert f"belongs to scene {third}" not in json.dumps(
        ask(installation, "bind", scene=second, rating_key=installation.item(third).rating_key)
    )


def test_bind_item_of_another_scene_by_path_map_is_an_error(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/media"])
    for path, size, duration in files_of(installation.library):
        installation.plex.add_item(installation.section, [(path.replace("/data/", "/media/", 1), size, duration)])
    installation.stash.start()
    assert installation.stash.add_plugin(installation.root) is not None
    installation.configure(path_map="/data => /media")
    first, second = installation.scenes_with_file(2)
    place = installation.scene(second)["files"][0]["path"].replace("/data/", "/media/", 1)
    item = installation.plex.find(place)
    assert item is not None
    assert (
        f"belongs to scene {second}: both have the file {place}"
        in ask(installation, "bind", scene=first, rating_key=item.rating_key)["error"]
    )


def test_refuse_one_candidate_keeps_the_others_and_unbind_takes_it_back(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, items = doubt(installation)
    shown, unseen = sorted(item.rating_key for item in items)
    assert of(installation, scene)["refused"] == 0
    assert ask(installation, "refuse", scene=scene, rating_keys=[shown])["refused"] == [shown]
    assert of(installation, scene)["refused"] == 1
    wait_for(lambda: ask(installation, "status")["needs_you"] == 1, 20, "to be asked about the other one")
    [row] = ask(installation, "attention")["rows"]
    assert [one["rating_key"] for one in row["candidates"]] == [unseen]
    assert ask(installation, "unbind", scene=scene) == {"version": 1, "unbound": True, "can_give_back": False}
    installation.wait_until_idle()
    assert of(installation, scene)["refused"] == 0
    [row] = ask(installation, "attention")["rows"]
    assert {one["rating_key"] for one in row["candidates"]} == {shown, unseen}


def test_status_with_a_wrong_token_says_what_the_worker_waits_for(installation: Installation) -> None:
    installation.configure(plex_token="wrong")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Waits")
    wait_for(
        lambda: ask(installation, "status")["drainer"]["state"] == "waiting for a person", 20, "the wait for a person"
    )
    found = ask(installation, "status")
    assert found["enabled"]
    assert "token" in found["attention"]


def test_status_while_writing_names_the_scenes(installation: Installation) -> None:
    scenes = installation.scenes_with_file(7)
    installation.plex.faults.set(write_latency=2.0)
    installation.save(scenes[0], title="Seen on its way")
    wait_for(lambda: ask(installation, "status")["writing"] == [scenes[0]], 10, "the scene to be named")
    installation.plex.faults.clear()
    installation.wait_until_idle()
    assert ask(installation, "status")["writing"] == []


def test_refuse_all_candidates_asks_again_only_for_new_ones(bare_installation: Installation) -> None:
    installation = bare_installation
    scene, items = doubt(installation)
    assert "is not a candidate" in ask(installation, "refuse", scene=scene, rating_keys=[4711])["error"]
    assert ask(installation, "refuse", scene=scene)["refused"] == sorted(item.rating_key for item in items)
    installation.wait_until_idle()
    assert (of(installation, scene)["state"], of(installation, scene)["verdict"]) == ("left alone", "not in Plex")
    installation.save(scene, title="Once more")
    installation.wait_until_idle()
    installation.configure(reconcile_missing=False)
    installation.task("Reconcile Library (All)")
    installation.wait_until_idle()
    assert ask(installation, "status")["needs_you"] == 0
    runs = ask(installation, "history")["reconciliations"]
    assert [(run["scope"], run["error"]) for run in runs if run["scope"] == "all"] == [("all", None)]
    assert ask(installation, "status")["compared"]["complete"]
    name = installation.scene(scene)["files"][0]["path"].rsplit("/", 1)[1]
    new = [installation.plex.add_item(installation.section, [(f"/elsewhere/{n}/{name}", n, 5.0)]) for n in (3, 4)]
    installation.save(scene, title="Once more, again")
    wait_for(lambda: ask(installation, "status")["needs_you"] == 1, 20, "to be asked again")
    [row] = ask(installation, "attention")["rows"]
    assert {one["rating_key"] for one in row["candidates"]} == {item.rating_key for item in new}
    assert ask(installation, "unbind", scene=scene) == {"version": 1, "unbound": True, "can_give_back": False}
    installation.wait_until_idle()
    [row] = ask(installation, "attention")["rows"]
    assert len(row["candidates"]) == 4


def test_dead_letters_are_retried_and_discarded_by_id_and_by_cause(installation: Installation) -> None:
    scenes = installation.scenes_with_file(4)
    for scene in scenes:
        add_dead_letter(
            installation, scene, PermanentError(NASTY), scene={"title": NASTY}, files=[{"path": f"/data/{NASTY}.mp4"}]
        )
    answer = ask(installation, "attention", limit=3)
    assert [row["message"] for row in answer["rows"]] == [NASTY] * 3
    assert [row["title"] for row in answer["rows"]] == [NASTY] * 3
    [last] = ask(installation, "attention", limit=3, after=answer["next"])["rows"]
    assert of(installation, scenes[0])["state"] == "failed"
    assert ask(installation, "retry", ids=[last["id"]])["queued"] == 1
    installation.wait_until_idle()
    assert of(installation, last["scene_id"])["state"] == "in step"
    assert ask(installation, "discard", ids=[answer["rows"][0]["id"], "scene_0"])["discarded"] == 1
    assert ask(installation, "status")["needs_you"] == 2
    assert ask(installation, "retry", cause=answer["rows"][0]["cause"])["queued"] == 2
    installation.wait_until_idle()
    assert ask(installation, "status")["needs_you"] == 0
    assert "rows of attention" in ask(installation, "discard", ids=[3])["error"]


def test_attention_leaves_out_jobs_that_an_outage_ended(installation: Installation) -> None:
    from plex.exceptions import PlexNotFound, PlexServerDown

    first, second = installation.scenes_with_file(2)
    add_dead_letter(installation, first, PlexServerDown("away"))
    add_dead_letter(installation, second, PlexNotFound("not there"), files=[{"path": "/data/x.mp4"}])
    assert ask(installation, "status")["needs_you"] == 1
    answer = ask(installation, "attention")
    assert [(group["kind"], group["by_itself"]) for group in answer["groups"]] == [("missing", False), ("dead", True)]
    assert [row["kind"] for row in answer["rows"]] == ["missing"]
    assert of(installation, second)["state"] == "missing"


def test_attention_lists_missing_files_by_folder_with_a_rule(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.plex.start()
    installation.section = installation.plex.add_section("Scenes", ["/media"])
    scenes = installation.scenes_with_file(2)
    there = {scene.files[0].path for scene in installation.library.scenes if scene.id == scenes[0]}
    for path, size, duration in files_of(installation.library):
        if path in there:
            installation.plex.add_item(installation.section, [(path.replace("/data/", "/media/", 1), size, duration)])
    installation.stash.start()
    assert installation.stash.add_plugin(installation.root) is not None
    installation.configure()
    for scene in scenes:
        installation.save(scene, title="Where is it")
    wait_for(lambda: of(installation, scenes[0])["state"] == "in step", 20, "the one that is there")
    wait_for(lambda: of(installation, scenes[1])["verdict"] == "not in Plex", 20, "the one that is not")
    assert of(installation, scenes[0])["items"][0]["proof"] == "same name and size"
    assert of(installation, scenes[1])["waiting"]["for_file"]
    [folder] = ask(installation, "attention")["folders"]
    assert (folder["count"], folder["rule"]) == (1, "/data => /media")
    assert ask(installation, "paths")["learned"] == [
        {"stash": "/data", "plex": "/media", "files": 1, "rule": "/data => /media"}
    ]
    installation.configure(path_map="/data => /media; /none => /nothing")
    installation.save(scenes[0], title="With a rule")
    wait_for(
        lambda: [rule["used"] for rule in ask(installation, "paths")["rules"]] == [True, False],
        20,
        "the use of the rules",
    )
    assert ask(installation, "paths")["learned"][0]["rule"] is None
    assert of(installation, scenes[0])["items"][0]["proof"] == "same path by Path map"
    installation.configure(path_map="nonsense")
    assert "is not a rule" in ask(installation, "paths")["error"]


def test_sections_lists_the_libraries_to_choose_from(installation: Installation) -> None:
    installation.plex.add_section("Films <b>", ["/films"])
    installation.configure(plex_library="Scenes, Gone")
    answer = ask(installation, "sections")
    assert [(one["name"], one["chosen"], one["folders"]) for one in answer["sections"]] == [
        ("Scenes", True, ["/data"]),
        ("Films <b>", False, ["/films"]),
    ]
    assert (answer["missing"], answer["all_chosen"]) == (["Gone"], False)
    installation.configure(plex_library="")
    assert [one["chosen"] for one in ask(installation, "sections")["sections"]] == [True, True]
    installation.configure(plex_token="wrong")
    assert "token" in ask(installation, "sections")["error"]
    installation.configure()
    installation.plex.faults.refuse()
    assert "cannot be reached" in ask(installation, "sections")["error"]
    installation.plex.faults.accept()
    assert ask(installation, "health")["checks"]


def test_sync_now_queues_before_all_other_jobs(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.configure(enabled=False)
    installation.save(scene, title="Paused")
    installation.wait_until_paused()
    wait_for(lambda: not ask(installation, "status")["enabled"], 10, "the pause to be known")
    assert ask(installation, "sync_now", ids=[scene, str(scene)])["queued"] == 1
    [row] = rows(installation)
    assert (row["priority"], row["by_hand"]) == (0, True)
    installation.configure()
    installation.wait_until_plex_shows(scene, title="Paused")
    assert "ids" in ask(installation, "sync_now", ids=["x"])["error"]
    assert "ids" in ask(installation, "sync_now")["error"]


def rows(installation: Installation) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(installation.data / "queue" / "data.db")) as db:
        return [json.loads(data) for (data,) in db.execute("SELECT data FROM ack_queue_default WHERE status < 3")]

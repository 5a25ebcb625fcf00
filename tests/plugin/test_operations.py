"""What the page asks for, through Stash as the page does; every answer is held to the contract and shows no token."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.read_model import PURGE_AFTER_DAYS
from api.scene import STATES
from api.status import status
from common.errors import PermanentError
from common.jobs import PRIORITY_BULK, new_job
from common.verdicts import Verdict
from matching.low_confidence import LowConfidence
from sandbox.plex.model import Item
from state import database
from state.events import OUTAGE_BEGAN, Event, Events
from state.ledger import Ledger, LedgerRow
from sync_queue.dlq import DeadLetterQueue
from sync_queue.setup import open_writer
from tasks.modes import MODES
from tests.installation import ROOT, Installation, files_of, wait_for
from tests.plugin.shapes import SHAPES, check
from tests.plugin.test_matching import doubtful

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.measured, pytest.mark.slow(seconds=52)]

NASTY = "<script>alert('1')</script> \"&quot;\" javascript:alert(1) \u202egnp.exe \u2028 \\n"


def ask(installation: Installation, mode: str, **args: Any) -> Any:
    """An operation's answer, as it should be and without a token in it."""
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    answer = installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]
    check(mode, answer)
    assert installation.plex.token not in json.dumps(answer)
    return answer


def of(installation: Installation, scene_id: int) -> Any:
    return ask(installation, "scene", ids=[scene_id])["scenes"][str(scene_id)]


def letter(installation: Installation, scene_id: int, error: Exception, **detail: Any) -> None:
    job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    DeadLetterQueue(str(installation.data)).add(job, error, 3, detail=detail)


def doubt(installation: Installation) -> tuple[int, list[Item]]:
    """A scene that has been found doubtful, with its two candidates."""
    scene, items = doubtful(installation)
    installation.save(scene, title="Which of the two", details="Some details")
    wait_for(lambda: ask(installation, "status")["needs_you"] == 1, 20, "the doubt")
    installation.wait_until_idle()
    return scene, items


def test_the_contract_names_what_there_is() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert named == set(SHAPES) | {"preview"}
    assert named <= set(MODES)


def test_lists_that_are_kept_twice_agree() -> None:
    assert set(STATES) == {verdict.value for verdict in Verdict}


def test_before_the_first_save_there_is_little_to_say(bare_installation: Installation) -> None:
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


def test_a_save_is_seen_waiting_then_written(installation: Installation) -> None:
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


def test_an_outage_is_told_from_the_first_failure_on(installation: Installation) -> None:
    first, second = installation.scenes_with_file(2)
    installation.save(first, title="Before")
    installation.wait_until_idle()
    installation.plex.faults.refuse()
    installation.save(second, title="While it is away")
    wait_for(lambda: ask(installation, "status")["outage"] is not None, 5, "the outage to be told")
    found = ask(installation, "status")
    assert (found["outage"]["waiting"], found["moving"]) == (1, True)
    assert "cannot be reached" in found["outage"]["reason"]
    assert "waits for Plex" in found["attention"]
    installation.plex.faults.accept()
    installation.wait_until_plex_shows(second, title="While it is away")
    wait_for(lambda: ask(installation, "status")["outage"] is None, 5, "the outage to be over")
    [outage] = ask(installation, "history")["outages"]
    assert outage["ended"] > outage["began"]


def test_a_doubtful_scene_is_given_an_item_by_hand_and_taken_from_it(bare_installation: Installation) -> None:
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
        "chosen by hand",
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


def test_an_item_that_proves_another_scene_is_refused_before_anybody_looked_at_that_scene(
    installation: Installation,
) -> None:
    first, second, third = installation.scenes_with_file(3)
    item = installation.item(second)
    assert f"belongs to scene {second}:" in ask(installation, "bind", scene=first, rating_key=item.rating_key)["error"]
    [part] = item.parts()
    part.size = (part.size or 0) + 1  # at the same place, but not the same file
    assert ask(installation, "bind", scene=first, rating_key=item.rating_key)["bound"] == item.rating_key
    # What was given another item by hand owns its own no more.
    assert ask(installation, "bind", scene=third, rating_key=installation.item(first).rating_key)["bound"]
    assert f"belongs to scene {third}" not in json.dumps(
        ask(installation, "bind", scene=second, rating_key=installation.item(third).rating_key)
    )


def test_by_path_map_too_an_item_is_another_scene_s(bare_installation: Installation) -> None:
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


def test_none_of_those_shown_leaves_the_others_and_can_be_taken_back(bare_installation: Installation) -> None:
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


def test_what_the_worker_waits_for_a_person_for_is_told(installation: Installation) -> None:
    installation.configure(plex_token="wrong")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Waits")
    wait_for(
        lambda: ask(installation, "status")["drainer"]["state"] == "waiting for a person", 20, "the wait for a person"
    )
    found = ask(installation, "status")
    assert found["enabled"]
    assert "token" in found["attention"]


def test_the_scenes_being_written_are_named(installation: Installation) -> None:
    scenes = installation.scenes_with_file(7)
    installation.plex.faults.set(write_latency=2.0)
    installation.save(scenes[0], title="Seen on its way")
    wait_for(lambda: ask(installation, "status")["writing"] == [scenes[0]], 10, "the scene to be named")
    installation.plex.faults.clear()
    installation.wait_until_idle()
    assert ask(installation, "status")["writing"] == []


def test_none_of_these_is_asked_again_for_a_new_candidate_only(bare_installation: Installation) -> None:
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


def test_dead_letters_are_retried_and_discarded_by_row_and_by_cause(installation: Installation) -> None:
    scenes = installation.scenes_with_file(4)
    for scene in scenes:
        letter(
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


def test_an_outage_that_ended_jobs_needs_nobody(installation: Installation) -> None:
    from plex.exceptions import PlexNotFound, PlexServerDown

    first, second = installation.scenes_with_file(2)
    letter(installation, first, PlexServerDown("away"))
    letter(installation, second, PlexNotFound("not there"), files=[{"path": "/data/x.mp4"}])
    assert ask(installation, "status")["needs_you"] == 1
    answer = ask(installation, "attention")
    assert [(group["kind"], group["by_itself"]) for group in answer["groups"]] == [("missing", False), ("dead", True)]
    assert [row["kind"] for row in answer["rows"]] == ["missing"]
    assert of(installation, second)["state"] == "missing"


def test_missing_files_are_told_by_folder_with_the_rule(bare_installation: Installation) -> None:
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
    assert "is no rule" in ask(installation, "paths")["error"]


def test_libraries_to_choose_from(installation: Installation) -> None:
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


def test_sync_now_goes_before_everything(installation: Installation) -> None:
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


# without Stash: the same answers out of a data directory


@pytest.fixture
def stocked(tmp_path: Path, much: Path) -> str:
    """A data directory in which much has happened."""
    return str(shutil.copytree(much, tmp_path / "data"))


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, to copy from."""
    now = time.time()
    folder = tmp_path_factory.mktemp("much") / "data"
    data_dir = str(folder)
    with closing(open_writer(data_dir)) as writer:
        jobs = [new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=now) for number in range(1, 301)]
        writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
    with closing(database.connect(data_dir)) as db:
        ledger = Ledger(db)
        db.execute("BEGIN")
        for number, verdict in enumerate(list(Verdict) * 60, 1):
            paths = [{"path": f"/data/{number % 70}/{number}.mp4", "size": 1, "duration": 1.0}]
            items = [{"rating_key": number, "section": 1, "file": paths[0]["path"]}]
            ledger.put(LedgerRow(number, verdict, now, files=paths, items=items))
        Events(db).record(Event(now, "written", number, "x" * 400) for number in range(450))
        Events(db).record([Event(now, OUTAGE_BEGAN, None, "away", 7)])
        db.execute("COMMIT")
    dlq = DeadLetterQueue(data_dir)
    for number in range(1, 451):
        job = new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=now)
        dlq.add(job, PermanentError("no") if number % 2 else LowConfidence.__new__(LowConfidence), 1, detail={})
    return folder


def quick(data_dir: str, mode: str, **args: Any) -> Any:
    from tasks.runner import run

    answer = run({"mode": mode, **args}, {}, str(ROOT), data_dir)
    check(mode, json.loads(json.dumps(answer)))
    return answer


def test_long_lists_come_in_pages(stocked: str) -> None:
    for mode, name, key in (("attention", "rows", "id"), ("history", "events", "id")):
        seen: list[Any] = []
        after: dict[str, Any] = {}
        while True:
            answer = quick(stocked, mode, limit=1000, **after)
            seen += [row[key] for row in answer[name]]
            if answer["next"] is None:
                break
            assert len(answer[name]) == 200
            after = {"after": answer["next"]}
        assert len(seen) == len(set(seen)) == (450 if mode == "attention" else 451)
    assert len(quick(stocked, "attention")["folders"]) == 50
    assert len(quick(stocked, "scene", ids=list(range(1, 201)))["scenes"]) == 200
    assert "at most 200" in quick(stocked, "scene", ids=list(range(1, 202)))["error"]


def test_an_outage_goes_on_until_it_ends(stocked: str) -> None:
    found = quick(stocked, "status")
    assert found["outage"] == {"began": found["outage"]["began"], "reason": "away", "waiting": 300}
    assert (found["moving"], found["in_step"], found["needs_you"]) == (True, 120, 450)
    assert found["drainer"]["rate"] > 0
    assert found["drainer"]["left"] > 0


def test_of_what_is_in_flight_a_few_are_named_and_damaged_rows_are_no_obstacle(stocked: str) -> None:
    with closing(sqlite3.connect(Path(stocked, "queue", "data.db"))) as db:
        db.execute("UPDATE ack_queue_default SET status = 2 WHERE _id <= 9")
        db.execute("UPDATE ack_queue_default SET data = CAST('[1]' AS BLOB) WHERE _id = 1")
        db.commit()
    found = quick(stocked, "status")
    assert (found["queue"], found["writing"]) == ({"waiting": 291, "in_flight": 9}, [2, 3, 4, 5])


@pytest.mark.parametrize(("more", "moves"), [({}, False), ({"last_error": "no"}, True)], ids=["waits", "fails"])
@pytest.mark.parametrize("awaits", [False, True])
def test_a_row_that_fails_moves_and_one_that_only_waits_does_not(
    tmp_path: Path, more: dict[str, Any], moves: bool, awaits: bool
) -> None:
    data_dir = str(tmp_path / "data")
    job = new_job(1, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    job.update({"next_retry_at": time.time() + 200, **more}, **({"awaits_file": True} if awaits else {}))
    with closing(open_writer(data_dir)) as writer:
        writer.fold_all([(json.dumps(job), job["job_key"])])
    assert quick(data_dir, "status")["moving"] is (moves and not awaits)


def test_a_letter_for_a_letter_changes_what_the_list_is_asked_for_by(stocked: str) -> None:
    before = quick(stocked, "status")
    dlq = DeadLetterQueue(stocked)
    dlq.discard("scene_1")
    dlq.add(new_job(900, "metadata", {}, priority=PRIORITY_BULK, now=time.time()), PermanentError("new"))
    after = quick(stocked, "status")
    assert after["needs_you"] == before["needs_you"]
    assert after["newest_letter"] > before["newest_letter"]
    dlq.clear()
    assert quick(stocked, "status")["newest_letter"] is None


def test_what_a_purge_would_delete_is_counted_whatever_the_error(stocked: str) -> None:
    from plex.exceptions import PlexServerDown

    dlq = DeadLetterQueue(stocked)
    for number, error in enumerate((PlexServerDown("away"), PermanentError("no")), 900):
        job = new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
        dlq.add(job, error, now=time.time() - PURGE_AFTER_DAYS * 86_400 - 60)
    told = quick(stocked, "attention")["old"]
    assert told == dlq.purge(PURGE_AFTER_DAYS) == 2


def test_an_older_state_and_damaged_notes_are_no_obstacle(stocked: str, tmp_path: Path) -> None:
    with closing(database.connect(stocked)) as db:
        for table in ("known", "bindings", "refused"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 4")
    for name in ("reconciliation_state.json", "worker_status.json", "reconcile.due"):
        Path(stocked, name).write_text("{")
    found: Any = status({}, stocked)
    assert (found["compared"], found["next_run"], found["drainer"]["alive"]) == (None, None, False)
    Path(stocked, "reconciliation_state.json").write_text('{"last_run_time": 5.0, "last_error": "Plex is away"}')
    assert quick(stocked, "status")["compared"] == {"when": 5.0, "scope": "", "complete": False}
    assert quick(str(tmp_path / "nothing"), "status")["in_step"] == 0
    assert not (tmp_path / "nothing").exists()


HEAVY = {
    "plexapi",
    "requests",
    "stashapi",
    "dataclasses",
    "inspect",
    "logging",
    "typing",
    "http.client",
    "stash.client",
}


@pytest.mark.parametrize("mode", ["status", "scene"])
def test_the_questions_asked_all_the_time_import_little_and_ask_nobody(stocked: str, mode: str) -> None:
    home = Path(stocked).parent / "parent"
    home.mkdir()
    (home / "default").symlink_to(stocked)
    # Nobody listens at this address: a question to Stash would fail.
    connection = {"Scheme": "http", "Host": "127.0.0.1", "Port": 1, "SessionCookie": None}
    document = json.dumps({"server_connection": connection, "args": {"mode": mode, "ids": [451, 452]}})
    script = [sys.executable, "-S", "-X", "importtime", str(ROOT / "Stash2Plex.py")]
    env = {**os.environ, "STASH_PLUGIN_DATA": str(home)}
    (home / "default").rename(home / "default-1")
    done = subprocess.run(script, input=document.encode(), capture_output=True, env=env, check=True)
    assert json.loads(done.stdout)["output"]["version"] == 1
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines() if "import time" in line}
    assert not imported & HEAVY

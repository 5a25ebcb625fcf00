"""Reconcile Library and Gap Report, run as Stash runs them."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from reconciliation.launch import ensure
from reconciliation.scheduler import ReconciliationScheduler
from sync_queue import due as trigger
from tests.house import House, wait


def said(house: House, level: str = "Info") -> str:
    return "\n".join(line.message for line in house.stash.log if line.level == level)


def operation(house: House, mode: str, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return house.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]


def everything(house: House) -> list[str]:
    return house.differences(int(scene.id) for scene in house.library.scenes)


def test_a_fresh_library_is_brought_into_step_and_stays_there(house: House) -> None:
    assert house.task("Reconcile Library (All)").progress == 1
    house.quiet()
    assert everything(house) == []
    house.plex.reset_counters()
    again = operation(house, "reconcile_all")
    assert (again["enqueued"], again["total_gaps"]) == (0, again["gaps"]["missing"])
    assert house.plex.puts == 0
    assert house.complaints() == []
    state = ReconciliationScheduler(str(house.data)).load_state()
    assert (state.last_scope, state.last_scenes_checked, state.last_enqueued) == ("all", 60, 0)


def test_a_save_whose_hook_was_lost_is_found(house: House) -> None:
    house.task("Sync All Scenes")
    house.quiet()
    house.stash.set_plugin_enabled("Stash2Plex", False)
    one, two = house.with_file(2)
    house.save(one, title="Nobody was told")
    house.stash.autotag(two, tag_ids=[7])
    house.stash.set_plugin_enabled("Stash2Plex", True)
    result = operation(house, "reconcile_recent")
    assert (result["gaps"]["stale_sync"], result["enqueued"]) == (2, 2)
    house.quiet()
    assert house.differences([one, two]) == []
    assert house.item(one).title == "Nobody was told"


def test_missing_scenes_are_told_by_folder(bare_house: House) -> None:
    house = bare_house
    house.start(in_plex=lambda path: "/Unsorted/" not in path)
    house.configure(enabled=False)
    house.task("Gap Report")
    found = house.stash.processes[-1].output
    [group] = [one for one in found["missing_by_folder"] if one["folder"] == "/data/Unsorted"]
    assert (group["scenes"], group["in_a_library"]) == (found["gaps"]["missing"], True)
    assert "below /data/Unsorted" in said(house)
    assert f"Every finding is in {house.data}/gap_report.csv" in said(house)
    with (house.data / "gap_report.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum("missing" in row["gaps"] for row in rows) == found["gaps"]["missing"]
    assert house.queue()["waiting"] == 0


def test_what_stash_does_not_know_is_listed_too(house: House) -> None:
    for name in ("one", "two"):
        house.plex.add_item(house.section, [(f"/data/strange/{name}.mp4", 5, 1.0)])
    found = operation(house, "gap_report")
    assert (found["unknown_to_stash"], found["unknown_by_folder"]) == (2, [{"folder": "/data/strange", "items": 2}])
    rows = (house.data / "unknown_to_stash.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["/data/strange/one.mp4", "/data/strange/two.mp4"]


def test_plex_away_gives_what_is_known_and_says_so(house: House) -> None:
    house.task("Sync All Scenes")
    house.quiet()
    house.end_drainer()
    house.plex.faults.refuse()
    result = operation(house, "reconcile_all")
    assert result["complete"] is False
    assert "Plex cannot be reached" in result["errors"][0]
    assert "Plex cannot be reached" in said(house, "Warning")
    house.plex.faults.accept()
    assert operation(house, "reconcile_all")["complete"] is True


@pytest.mark.parametrize("given", ["30d", "2020-01-01..", "2020-01-01..2030-01-01"])
def test_a_range_of_ones_own(house: House, given: str) -> None:
    house.configure(enabled=False)
    result = operation(house, "reconcile_custom", range=given)
    assert result["scope"] == given
    assert result["scenes_checked"] == (0 if given == "30d" else 60)


def test_a_bad_range_is_answered_with_the_forms(house: House) -> None:
    with pytest.raises(Exception, match=r"30d or 12h"):
        operation(house, "reconcile_custom", range="lately")


def test_only_one_at_a_time(house: House) -> None:
    from sync_queue.locks import try_lock, unlock

    house.data.mkdir(exist_ok=True)
    handle = try_lock(str(house.data / "reconcile.lock"))
    assert handle is not None
    try:
        with pytest.raises(Exception, match=r"at work already"):
            operation(house, "reconcile_all")
    finally:
        unlock(handle)


def test_a_save_during_a_run_is_not_held_up(house: House) -> None:
    [scene, another] = house.with_file(2)
    house.save(another, title="The drainer is at work")
    house.shows(another, title="The drainer is at work")
    over(house)
    # The run waits for its listing; the drainer asks for single items.
    house.plex.faults.set(latency=1.5, only="^GET .*/all")
    run = threading.Thread(target=house.task, args=("Reconcile Library (All)",))
    run.start()
    wait(lambda: locked(house), 10, "the run to begin")
    began = time.monotonic()
    house.save(scene, title="In the middle of it")
    house.shows(scene, title="In the middle of it")
    assert locked(house)
    assert time.monotonic() - began < 5
    house.plex.faults.clear()
    run.join()


def test_a_run_that_is_killed_in_the_middle_loses_no_gap(house: House) -> None:
    house.plex.faults.set(latency=2.0, only="^GET .*/all")
    house.stash.set_plugin_enabled("Stash2Plex", False)
    [scene] = house.with_file()
    house.save(scene, title="Missed by the hooks")
    house.stash.set_plugin_enabled("Stash2Plex", True)
    assert look(house)
    wait(lambda: runs(house) != [], 10, "the run to begin")
    time.sleep(0.5)
    for pid in runs(house):
        os.kill(pid, signal.SIGKILL)
    over(house)
    house.plex.faults.clear()
    house.task("Reconcile Library (Recent)")
    house.shows(scene, title="Missed by the hooks")


def runs(house: House) -> list[int]:
    """The processes that compare on their own for this house."""
    found = [(process, arguments(process)) for process in Path("/proc").iterdir() if process.name.isdigit()]
    return [int(p.name) for p, words in found if b"reconcile" in words and str(house.data).encode() in words]


def locked(house: House) -> bool:
    from sync_queue.locks import try_lock, unlock

    handle = try_lock(str(house.data / "reconcile.lock"))
    if handle is not None:
        unlock(handle)
    return handle is None


# without anybody asking


def look(house: House, delay: float = 0.0) -> bool:
    """What a hook does where something may be due: as if this process were Stash, which answers after ``delay``."""
    operation(house, "say", lines=[])
    house.stash.faults.delay = delay
    connection = json.loads(house.stash.processes[-1].stdin)["server_connection"]
    return ensure(str(house.data), str(house.data.parent), json.dumps(connection))


def over(house: House) -> None:
    """Wait until the process has let go of its lock."""
    wait(lambda: not locked(house), 30, "the run to end")


def test_after_a_start_of_stash_recent_scenes_are_looked_at(house: House) -> None:
    [scene] = house.with_file()
    house.stash.set_plugin_enabled("Stash2Plex", False)
    house.save(scene, title="Before the start")
    house.stash.set_plugin_enabled("Stash2Plex", True)
    house.not_compared()
    assert trigger.due(str(house.data))
    assert look(house)
    house.shows(scene, title="Before the start")
    over(house)
    state = ReconciliationScheduler(str(house.data)).load_state()
    assert (state.last_scope, state.last_scenes_checked, state.last_enqueued) == ("recent", 1, 1)
    assert not trigger.due(str(house.data))
    wait(lambda: "Reconciliation (recent): 1 scenes checked" in said(house), 10, "the words in Stash's log")


def test_a_second_look_while_one_is_at_work_starts_nothing(house: House) -> None:
    assert look(house, delay=0.5)
    assert not ensure(str(house.data), str(house.data.parent), "{}")
    over(house)


def test_a_run_that_fails_is_tried_again_later_and_not_at_once(house: House) -> None:
    [scene] = house.with_file()
    house.not_compared()
    house.plex.faults.refuse()
    house.save(scene, title="Something to compare")
    scheduler = ReconciliationScheduler(str(house.data))
    wait(lambda: scheduler.load_state().failures > 0, 20, "the run that a start of Stash brings")
    over(house)
    state = scheduler.load_state()
    assert (state.failures, "Plex cannot be reached" in state.last_error) == (1, True)
    assert not trigger.due(str(house.data))
    house.plex.faults.accept()


def test_a_plugin_that_is_not_set_up_looks_at_nothing(bare_house: House) -> None:
    house = bare_house
    house.start(configured=False)
    assert look(house)
    over(house)
    assert ReconciliationScheduler(str(house.data)).load_state().last_run_time == 0
    assert not trigger.due(str(house.data))


def test_nothing_secret_stands_in_the_arguments(house: House) -> None:
    assert look(house, delay=0.5)
    cookie = json.loads(house.stash.processes[-1].stdin)["server_connection"]["SessionCookie"]["Value"]
    wait(lambda: runs(house) != [], 10, "the run to begin")
    own = [words for words in map(arguments, Path("/proc").iterdir()) if str(house.data).encode() in words]
    assert not any(cookie.encode() in b" ".join(words) for words in own)
    over(house)


def arguments(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []

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

from common import reconcile_due as trigger
from common.detached_process import ensure_reconciliation
from reconciliation.scheduler import ReconciliationScheduler
from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=14)]


def said(installation: Installation, level: str = "Info") -> str:
    return "\n".join(line.message for line in installation.stash.log if line.level == level)


def operation(installation: Installation, mode: str, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return installation.stash.gql(query, {"a": {"mode": mode, **args}})["runPluginOperation"]


def everything(installation: Installation) -> list[str]:
    return installation.differences(int(scene.id) for scene in installation.library.scenes)


def test_reconcile_fresh_library_converges(installation: Installation) -> None:
    assert installation.task("Reconcile Library (All)").progress == 1
    installation.wait_until_idle()
    assert everything(installation) == []
    installation.plex.reset_counters()
    again = operation(installation, "reconcile_all")
    assert (again["enqueued"], again["total_gaps"]) == (0, again["gaps"]["missing"])
    assert installation.plex.puts == 0
    assert installation.logged_errors() == []
    state = ReconciliationScheduler(str(installation.data)).load_state()
    assert (state.last_scope, state.last_scenes_checked, state.last_enqueued) == ("all", 60, 0)


def test_reconcile_finds_a_save_whose_hook_was_lost(installation: Installation) -> None:
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    one, two = installation.scenes_with_file(2)
    installation.save(one, title="Nobody was told")
    installation.stash.autotag(two, tag_ids=[7])
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    result = operation(installation, "reconcile_recent")
    assert (result["gaps"]["stale_sync"], result["enqueued"]) == (2, 2)
    installation.wait_until_idle()
    assert installation.differences([one, two]) == []
    assert installation.item(one).title == "Nobody was told"


def test_reconcile_lists_missing_scenes_by_folder(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(in_plex=lambda path: "/Unsorted/" not in path)
    installation.configure(enabled=False)
    installation.task("Gap Report")
    found = installation.stash.processes[-1].output
    [group] = [one for one in found["missing_by_folder"] if one["folder"] == "/data/Unsorted"]
    assert (group["scenes"], group["in_a_library"]) == (found["gaps"]["missing"], True)
    assert "in /data/Unsorted is not in Plex" in said(installation) or "in /data/Unsorted are not in Plex" in said(
        installation
    )
    assert f"All findings are in {installation.data}/gap_report.csv" in said(installation)
    with (installation.data / "gap_report.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum("missing" in row["gaps"] for row in rows) == found["gaps"]["missing"]
    assert installation.queue_counts()["waiting"] == 0


def test_gap_report_lists_what_stash_does_not_know(installation: Installation) -> None:
    for name in ("one", "two"):
        installation.plex.add_item(installation.section, [(f"/data/strange/{name}.mp4", 5, 1.0)])
    found = operation(installation, "gap_report")
    assert (found["unknown_to_stash"], found["unknown_by_folder"]) == (2, [{"folder": "/data/strange", "items": 2}])
    rows = (installation.data / "unknown_to_stash.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["/data/strange/one.mp4", "/data/strange/two.mp4"]


def test_reconcile_during_an_outage_reports_what_is_known(installation: Installation) -> None:
    installation.task("Sync All Scenes")
    installation.wait_until_idle()
    installation.stop_worker()
    installation.plex.faults.refuse()
    result = operation(installation, "reconcile_all")
    assert result["complete"] is False
    assert "Plex cannot be reached" in result["errors"][0]
    assert "Plex cannot be reached" in said(installation, "Warning")
    installation.plex.faults.accept()
    assert operation(installation, "reconcile_all")["complete"] is True


@pytest.mark.parametrize("given", ["30d", "2020-01-01..", "2020-01-01..2030-01-01"])
def test_reconcile_custom_takes_a_range(installation: Installation, given: str) -> None:
    installation.configure(enabled=False)
    result = operation(installation, "reconcile_custom", range=given)
    assert result["scope"] == given
    assert result["scenes_checked"] == (0 if given == "30d" else 60)


def test_reconcile_custom_with_a_bad_range_names_the_forms(installation: Installation) -> None:
    with pytest.raises(Exception, match=r"30d or 12h"):
        operation(installation, "reconcile_custom", range="lately")


def test_reconcile_while_another_runs_is_an_error(installation: Installation) -> None:
    from common.file_locks import try_lock, unlock

    installation.data.mkdir(exist_ok=True)
    handle = try_lock(str(installation.data / "reconcile.lock"))
    assert handle is not None
    try:
        with pytest.raises(Exception, match=r"already running"):
            operation(installation, "reconcile_all")
    finally:
        unlock(handle)


def test_save_during_a_reconciliation_is_not_delayed(installation: Installation) -> None:
    [scene, another] = installation.scenes_with_file(2)
    installation.save(another, title="The worker runs")
    installation.wait_until_plex_shows(another, title="The worker runs")
    over(installation)
    # The run waits for its listing; the worker asks for single items.
    installation.plex.faults.set(latency=1.5, only="^GET .*/all")
    run = threading.Thread(target=installation.task, args=("Reconcile Library (All)",))
    run.start()
    wait_for(lambda: locked(installation), 10, "the run to begin")
    began = time.monotonic()
    installation.save(scene, title="In the middle of it")
    installation.wait_until_plex_shows(scene, title="In the middle of it")
    assert locked(installation)
    assert time.monotonic() - began < 5
    installation.plex.faults.clear()
    run.join()


def test_reconcile_killed_midway_loses_no_gap(installation: Installation) -> None:
    installation.plex.faults.set(latency=2.0, only="^GET .*/all")
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Missed by the hooks")
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    assert look(installation)
    wait_for(lambda: runs(installation) != [], 10, "the run to begin")
    time.sleep(0.5)
    for pid in runs(installation):
        os.kill(pid, signal.SIGKILL)
    over(installation)
    installation.plex.faults.clear()
    installation.task("Reconcile Library (Recent)")
    installation.wait_until_plex_shows(scene, title="Missed by the hooks")


def runs(installation: Installation) -> list[int]:
    """Return the processes of automatic reconciliations of this installation."""
    found = [(process, arguments(process)) for process in Path("/proc").iterdir() if process.name.isdigit()]
    return [int(p.name) for p, words in found if b"reconcile" in words and str(installation.data).encode() in words]


def locked(installation: Installation) -> bool:
    from common.file_locks import try_lock, unlock

    handle = try_lock(str(installation.data / "reconcile.lock"))
    if handle is not None:
        unlock(handle)
    return handle is None


# without anybody asking


def look(installation: Installation, delay: float = 0.0) -> bool:
    """Start an automatic run as a hook does. This process plays Stash, which answers after ``delay``."""
    operation(installation, "say", lines=[])
    installation.stash.faults.delay = delay
    connection = json.loads(installation.stash.processes[-1].stdin)["server_connection"]
    return ensure_reconciliation(str(installation.data), str(installation.data.parent), json.dumps(connection))


def over(installation: Installation) -> None:
    """Wait until the process has released its lock."""
    wait_for(lambda: not locked(installation), 30, "the run to end")


def test_start_of_stash_reconciles_recent_scenes(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.stash.set_plugin_enabled("Stash2Plex", False)
    installation.save(scene, title="Before the start")
    installation.stash.set_plugin_enabled("Stash2Plex", True)
    installation.make_reconciliation_due()
    assert trigger.due(str(installation.data))
    assert look(installation)
    installation.wait_until_plex_shows(scene, title="Before the start")
    over(installation)
    state = ReconciliationScheduler(str(installation.data)).load_state()
    assert (state.last_scope, state.last_scenes_checked, state.last_enqueued) == ("recent", 1, 1)
    assert not trigger.due(str(installation.data))
    wait_for(lambda: "Reconciliation (recent): 1 scenes checked" in said(installation), 10, "the words in Stash's log")


def test_automatic_run_while_another_runs_starts_nothing(installation: Installation) -> None:
    assert look(installation, delay=0.5)
    assert not ensure_reconciliation(str(installation.data), str(installation.data.parent), "{}")
    over(installation)


def test_automatic_run_that_fails_is_tried_again_later(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.make_reconciliation_due()
    installation.plex.faults.refuse()
    installation.save(scene, title="Something to compare")
    scheduler = ReconciliationScheduler(str(installation.data))
    wait_for(lambda: scheduler.load_state().failures > 0, 20, "the run that a start of Stash brings")
    over(installation)
    state = scheduler.load_state()
    assert (state.failures, "Plex cannot be reached" in state.last_error) == (1, True)
    assert not trigger.due(str(installation.data))
    installation.plex.faults.accept()


def test_automatic_run_without_settings_does_nothing(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(configured=False)
    assert look(installation)
    over(installation)
    assert ReconciliationScheduler(str(installation.data)).load_state().last_run_time == 0
    assert not trigger.due(str(installation.data))


def test_automatic_run_has_no_secret_in_its_arguments(installation: Installation) -> None:
    assert look(installation, delay=0.5)
    cookie = json.loads(installation.stash.processes[-1].stdin)["server_connection"]["SessionCookie"]["Value"]
    wait_for(lambda: runs(installation) != [], 10, "the run to begin")
    own = [words for words in map(arguments, Path("/proc").iterdir()) if str(installation.data).encode() in words]
    assert not any(cookie.encode() in b" ".join(words) for words in own)
    over(installation)


def arguments(process: Path) -> list[bytes]:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []

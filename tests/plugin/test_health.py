"""Health Check and Retry Dead Letters, run as Stash runs them."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any

import pytest

from common.job_rows import new_job
from plex.exceptions import PlexPermanentError
from state import database
from sync_queue.dlq import DeadLetterQueue
from sync_queue.setup import set_up
from tasks.health import check
from tests.installation import Installation, reap_child_processes, wait_for

from .test_tasks import operation, said

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.measured, pytest.mark.slow(seconds=22)]

Checks = dict[str, list[dict[str, Any]]]


def health(installation: Installation) -> Checks:
    """Return the findings by check."""
    found: Checks = {}
    for finding in operation(installation, mode="health")["checks"]:
        found.setdefault(finding["check"], []).append(finding)
    return found


def test_health_check_of_a_healthy_installation_finds_no_problem(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Before")
    installation.wait_until_idle()
    before = installation.plex.puts
    reap_child_processes()
    installation.task("Health Check")
    assert [line for line in said(installation).splitlines() if "PROBLEM" in line] == []
    assert "checks, no problems" in said(installation)
    assert "[ok] Plex token: accepted" in said(installation)
    assert "[ok] Plex address: Plex answers at http://127.0.0.1" in said(installation)
    assert "Scenes: /data" in said(installation)
    assert said(installation, "Warning") == ""
    assert installation.logged_errors() == []
    found = health(installation)
    assert [name for name, _ in check.CHECKS] == list(found)
    assert {finding["ok"] for several in found.values() for finding in several} <= {True, None}
    assert "v0.30.1-19" in found["Stash"][0]["finding"]
    assert installation.plex.identity.version in found["Plex version"][0]["finding"]
    assert f"process {installation.worker_pid()}" in found["Background worker"][0]["finding"]
    assert "plexapi 4.18" in found["Python"][0]["finding"]
    assert {one["finding"].split(":")[0] for one in found["Databases"]} == {"queue/data.db", "state.db", "cache.db"}
    assert all(one["finding"].endswith("wal") for one in found["Journal mode"])
    assert installation.plex.puts == before


def test_health_check_without_settings_names_them(bare_installation: Installation) -> None:
    bare_installation.start(configured=False)
    found = health(bare_installation)
    assert [one["ok"] for one in found["Settings"]] == [False]
    assert "Plex URL and Plex token missing" in found["Settings"][0]["finding"]
    assert found["Plex address"][0]["ok"] is None
    assert found["Stash"][0]["ok"] is True


def test_health_check_names_every_wrong_setting(installation: Installation) -> None:
    installation.configure(
        max_retries="many", reconcile_interval="sometimes", path_map="/a", enabled=False, sync_master=False
    )
    findings = [one["finding"] for one in health(installation)["Settings"]]
    assert any("Maximum retries must be a whole number" in finding for finding in findings)
    assert any("Path map: '/a' is not a rule" in finding for finding in findings)
    assert any("The default is used" in finding for finding in findings)
    assert any("Enabled is off" in finding for finding in findings)
    assert any("Sync fields is off" in finding for finding in findings)


def test_health_check_tells_an_outage_from_a_wrong_token(installation: Installation) -> None:
    installation.configure(plex_token="wrong-token")
    found = health(installation)
    assert found["Plex address"][0]["ok"] is True
    assert found["Plex token"][0]["ok"] is False
    installation.plex.faults.refuse()
    found = health(installation)
    assert (found["Plex address"][0]["ok"], found["Plex token"][0]["ok"]) == (False, None)
    assert "Is Plex running" in found["Plex address"][0]["advice"]
    assert found["Databases"][0]["ok"] is True
    installation.plex.faults.accept()


def test_health_check_names_a_missing_library_and_those_that_exist(installation: Installation) -> None:
    installation.plex.add_section("Series", ["/series"], type="show")
    installation.configure(plex_library="Scenes, Nowhere, Series")
    found = [(one["ok"], one["finding"]) for one in health(installation)["Plex libraries"]]
    assert found[0] == (True, "Scenes: /data")
    assert found[1] == (False, "The Plex library 'Nowhere' is not on the server. There are: Scenes")
    assert found[2][0] is False
    assert "is of type show" in found[2][1]


def test_health_check_with_a_guest_token_says_it_may_not_edit(installation: Installation) -> None:
    installation.plex.identity.guests.add("guest-token")
    installation.configure(plex_token="guest-token")
    found = health(installation)
    assert found["Plex token"][0]["ok"] is True
    assert found["Right to edit"][0]["ok"] is False
    assert "not the token of the server's owner" in found["Right to edit"][0]["finding"]
    assert installation.plex.puts == 0


@pytest.mark.parametrize(("status", "ok"), [(404, None), (500, None), (400, None)])
def test_right_to_edit_unknown_is_a_note(installation: Installation, status: int, ok: bool | None) -> None:
    installation.plex.faults.set(status=status, only="/:/prefs")
    [found] = health(installation)["Right to edit"]
    assert found["ok"] is ok


def test_health_check_compares_path_map_with_both_servers(installation: Installation) -> None:
    installation.configure(path_map="/data => /media; /nowhere => /data")
    found = health(installation)
    assert [one["ok"] for one in found["Path map"]] == [False, False]
    assert "Plex has no folder /media (it has /data)" in found["Path map"][0]["finding"]
    assert "Stash has no folder /nowhere" in found["Path map"][1]["finding"]
    assert found["Files"][0]["ok"] is False
    assert "0 of Stash's " in found["Files"][0]["finding"]
    installation.configure(path_map="/data => /data")
    found = health(installation)
    assert found["Path map"][0]["ok"] is True
    assert found["Files"][0]["ok"] is True


def test_health_check_names_damage_one_by_one(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Before")
    installation.wait_until_idle()
    installation.stop_worker()
    (installation.data / "cache.db").write_bytes(b"noise " * 4000)
    (installation.data / "attention").write_text("Something is the matter")
    os.chmod(installation.data, 0o755)
    found = health(installation)
    broken = {one["finding"].split(":")[0]: one["ok"] for one in found["Databases"]}
    assert broken == {"queue/data.db": True, "state.db": True, "cache.db": None}
    assert "Something is the matter" in found["Background worker"][0]["finding"]
    assert "open to other users" in found["Data directory"][0]["finding"]
    os.chmod(installation.data, 0o700)


def test_retry_dead_letters_queues_chosen_or_all(installation: Installation) -> None:
    [scene, other] = installation.scenes_with_file(2)
    installation.configure(enabled=False)
    set_up(str(installation.data))
    for one in (scene, other):
        job = new_job(one, "metadata", {}, priority=0, now=1.0)
        DeadLetterQueue(str(installation.data)).add({**job, "retry_count": 5}, PlexPermanentError("refused"), 6)
    assert "Plex rejected the change: 2" in health(installation)["Dead letters"][0]["finding"]
    assert operation(installation, mode="retry_dlq", scenes=[scene]) == {"queued": 1, "unreadable": 0}
    assert [dead_letter["scene_id"] for dead_letter in DeadLetterQueue(str(installation.data)).entries()] == [other]
    assert operation(installation, mode="retry_dlq", scenes=[scene]) == {"queued": 0, "unreadable": 0}
    installation.configure()
    installation.task("Retry Dead Letters")
    assert "Retrying 1 dead letter." in said(installation)
    installation.wait_until_idle()
    wait_for(lambda: not installation.differences([scene, other]), 20, "both to be written")
    assert DeadLetterQueue(str(installation.data)).count() == 0


def test_retry_dead_letters_counts_unreadable_ones(installation: Installation) -> None:
    installation.configure(enabled=False)
    DeadLetterQueue(str(installation.data)).add({"job_key": "odd"}, ValueError("x"))
    with closing(database.connect(str(installation.data))) as db:
        db.execute("UPDATE dead_letters SET job = 'nonsense'")
    assert operation(installation, mode="retry_dlq") == {"queued": 0, "unreadable": 1}
    with pytest.raises(Exception, match="ids of Stash"):
        operation(installation, mode="retry_dlq", scenes="all")

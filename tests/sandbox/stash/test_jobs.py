"""The job queue (stash 2.7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.stash import StashSim

from .support import ended, orders, probe_source, running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

START = 'mutation($a: Map) { runPluginTask(plugin_id: "Probe", task_name: "Sleep", args_map: $a) }'


def test_task_arguments_merge_defaults_and_the_callers(stash: StashSim) -> None:
    stash.run_task("Probe", "Hello", {"days": 5, "more": [1, 2], "x": None, "f": 1.5})
    args = {"days": 5, "f": 1.5, "flag": "true", "mode": "hello", "more": [1, 2], "x": None}
    assert stash.processes[0].input["args"] == args
    assert list(stash.processes[0].input["args"]) == sorted(args)
    stash.run_task("Probe", None)
    assert stash.processes[1].input["args"] == {}


def test_one_job_at_a_time_and_ids_from_one(stash: StashSim) -> None:
    first, second = (stash.gql(START, {"a": {"seconds": 0.2}})["runPluginTask"] for _ in range(2))
    assert (first, second) == ("1", "2")
    until(lambda: (job := stash.job(2)) is not None and job.done.is_set())
    one, two = stash.processes
    assert (one.ended or 0) <= two.started


def test_job_reports_progress_and_can_be_killed(stash: StashSim) -> None:
    number = stash.gql(START)["runPluginTask"]
    job = stash.job(number)
    assert job is not None
    until(lambda: job.progress == 0.2)
    assert stash.gql("mutation($n: ID!) { stopJob(job_id: $n) }", {"n": number}) == {"stopJob": True}
    assert job.done.wait(10)
    assert job.status == "CANCELLED"
    assert stash.processes[0].killed
    assert stash.gql('mutation { stopJob(job_id: "99") }') == {"stopJob": True}


def test_waiting_job_can_be_cancelled(stash: StashSim) -> None:
    numbers = [stash.gql(START)["runPluginTask"] for _ in range(3)]
    until(lambda: stash.processes)
    stash.gql("mutation { stopAllJobs }")
    for number in numbers:
        job = stash.job(number)
        assert job is not None
        assert job.done.wait(10)
        assert job.status == "CANCELLED"
    assert len(stash.processes) == 1


def test_last_ten_jobs_are_kept(stash: StashSim) -> None:
    for _ in range(12):
        stash.core.jobs.add("nothing", lambda job: None).done.wait(10)
    query = "query($n: ID!) { findJob(input: {id: $n}) { id } }"
    found = [number for number in range(1, 13) if stash.gql(query, {"n": number})["findJob"]]
    assert found == list(range(3, 13))


@pytest.mark.parametrize(
    ("plugin", "task", "error"),
    [
        ("Probe", "Nope", "no task with name Nope in plugin Probe"),
        ("Nope", "Hello", "no plugin with ID Nope"),
        ("Off", "Hello", "plugin Off is disabled"),
    ],
)
def test_task_that_cannot_run_fails(tmp_path: Path, plugin: str, task: str, error: str) -> None:
    with running(tmp_path) as stash:
        stash.add_plugin(probe_source(tmp_path, name="Off"))
        stash.set_plugin_enabled("Off", False)
        job = stash.run_task(plugin, task)
        assert (job.status, job.error) == ("FAILED", f"Error creating plugin task: {error}")


def test_missing_program_fails_the_job(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        stash.add_plugin(probe_source(tmp_path, "exec: [no-such-program]\ntasks:\n  - name: T\n", "Broken"))
        job = stash.run_task("Broken", "T")
        assert job.status == "FAILED"
        assert "Error running plugin task" in (job.error or "")


def test_plugin_error_still_finishes_the_job(stash: StashSim) -> None:
    job = stash.run_task("Probe", "Fail")
    assert (job.status, job.error) == ("FINISHED", None)
    assert "Plugin returned error: it failed" in [line.message for line in stash.log]


def test_stopped_scan_kills_its_hooks(stash: StashSim) -> None:
    orders(stash, sleep=30)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(stash.scan_new_file, "/data/new.mp4")
        until(lambda: stash.processes and stash.processes[0].pid)
        assert stash.gql("{ jobQueue { description status } }")["jobQueue"] == [
            {"description": "Scanning...", "status": "RUNNING"}
        ]
        stash.gql("mutation { stopAllJobs }")
    assert ended(stash, 1)[0].killed
    assert len(stash.scenes) == 31


def test_old_style_arguments_are_accepted(stash: StashSim) -> None:
    args = [
        {"key": "s", "value": {"str": "x"}},
        {"key": "i", "value": {"i": 3}},
        {"key": "b", "value": {"b": False}},
        {"key": "f", "value": {"f": 1.5}},
        {"key": "o", "value": {"o": [{"key": "k", "value": {"str": "v"}}]}},
        {"key": "a", "value": {"a": [{"i": 1}]}},
        {"key": "n"},
    ]
    query = 'mutation($a: [PluginArgInput!]) { runPluginTask(plugin_id: "Probe", task_name: "Hello", args: $a) }'
    job = stash.job(stash.gql(query, {"a": args})["runPluginTask"])
    assert job is not None
    assert job.done.wait(10)
    given = stash.processes[0].input["args"]
    assert {key: given[key] for key in "siboaf"} == {"s": "x", "i": 3, "b": False, "o": {"k": "v"}, "a": [1], "f": 1.5}

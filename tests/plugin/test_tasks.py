"""The tasks of Stash's menu, run as Stash runs them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.measured, pytest.mark.slow(seconds=18)]


def said(installation: Installation, level: str = "Info") -> str:
    return "\n".join(line.message for line in installation.stash.log if line.level == level)


def operation(installation: Installation, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return installation.stash.gql(query, {"a": args})["runPluginOperation"]


def test_sync_all_queues_every_scene_with_metadata(installation: Installation) -> None:
    installation.configure(enabled=False)
    assert installation.task("Sync All Scenes").status == "FINISHED"
    installation.wait_until_paused()
    result = operation(installation, mode="all")
    assert result["scenes"] == 60
    assert result["already_waiting"] + result["gated"] == 60
    assert result["queued"] == 0
    assert result["gated"] > 0
    counts = installation.queue_counts()
    assert counts["waiting"] + counts["in_flight"] == result["already_waiting"]


def test_sync_recent_takes_only_recent_scenes(installation: Installation) -> None:
    installation.configure(enabled=False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Of today")
    installation.wait_until_paused()
    installation.task("Clear Pending Queue")
    installation.task("Sync Recent Scenes")
    wait_for(lambda: installation.queue_counts()["waiting"] == 1, 10, "the one scene to wait")


def test_process_queue_follows_the_worker_to_the_end(installation: Installation) -> None:
    installation.plex.faults.write_latency = 0.02
    installation.task("Sync All Scenes")
    job = installation.task("Process Queue")
    assert installation.queue_counts()["waiting"] == 0
    assert job.progress == 1
    assert "0 waiting" in said(installation)


def test_process_queue_says_what_blocks_writing(installation: Installation) -> None:
    installation.configure(plex_library="Nowhere")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Blocked")
    installation.task("Process Queue")
    assert "'Nowhere' is not on the server" in said(installation, "Warning")
    assert "1 waiting" in said(installation)


def test_queue_status_counts_jobs_and_dead_letters(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="One")
    installation.wait_until_idle()
    installation.task("View Queue Status")
    assert "Queue: 0 waiting, 0 in progress" in said(installation)
    assert "Dead letters: none" in said(installation)


def test_queue_status_before_the_first_save(bare_installation: Installation) -> None:
    bare_installation.start(configured=False)
    bare_installation.task("View Queue Status")
    assert "Background worker: has not run yet" in said(bare_installation)


def test_clear_and_purge_delete_jobs_and_dead_letters(installation: Installation) -> None:
    installation.configure(enabled=False)
    installation.task("Sync All Scenes")
    installation.wait_until_paused()
    assert operation(installation, mode="clear_queue")["cleared"] > 40
    assert installation.queue_counts()["waiting"] == 0
    assert operation(installation, mode="clear_dlq") == {"cleared": 0}
    assert operation(installation, mode="purge_dlq", days="30") == {"purged": 0}


def test_wake_starts_the_worker_if_jobs_wait(installation: Installation) -> None:
    installation.configure(enabled=False)
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Asleep")
    installation.wait_until_paused()
    installation.stop_worker()
    installation.configure()
    assert operation(installation, mode="wake")["started"] is True
    installation.wait_until_plex_shows(scene, title="Asleep")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"plex_url": ""}, "Plex URL"),
        ({"plex_token": "  "}, "Plex token"),
        ({"plex_url": "192.168.1.5:32400"}, "must be an address like http://"),
        ({"max_retries": "many"}, "Maximum retries must be a whole number from 1 to 100, not 'many'"),
        ({"poll_interval": 5}, "Poll interval must be a number from 0.05 to 1"),
    ],
)
def test_task_with_a_missing_or_wrong_setting_fails_in_one_line(
    installation: Installation, settings: dict[str, Any], sentence: str
) -> None:
    installation.configure(**settings)
    installation.task("Sync All Scenes")
    process = installation.stash.processes[-1]
    assert sentence in str(process.error)
    assert process.exit_code == 0
    errors = [line for line in installation.logged_errors() if "[Plugin /" in line]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert "Traceback" not in said(installation, "Error")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"mode": "nonsense"}, "There is no mode 'nonsense'"),
        ({}, "There is no mode None"),
        ({"mode": "purge_dlq", "days": "soon"}, "days is the age in days"),
        ({"mode": "say", "lines": "x"}, "say takes lines"),
        ({"mode": "say", "lines": [["shout", "x"]]}, "A line is [info, warning or error, text]"),
    ],
)
def test_bad_argument_is_answered_with_what_is_allowed(
    installation: Installation, args: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Exception, match=r".*") as caught:
        operation(installation, **args)
    assert sentence in str(caught.value)


def test_task_fails_if_stash_rejects_the_session(installation: Installation) -> None:
    installation.stash.faults.unauthorized = True
    try:
        with pytest.raises(Exception, match=r"."):
            operation(installation, mode="all")
    finally:
        installation.stash.faults.clear()

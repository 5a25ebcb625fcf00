"""The tasks of Stash's menu, run as Stash runs them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import House, wait


def said(house: House, level: str = "Info") -> str:
    return "\n".join(line.message for line in house.stash.log if line.level == level)


def operation(house: House, **args: Any) -> Any:
    query = 'mutation($a: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }'
    return house.stash.gql(query, {"a": args})["runPluginOperation"]


def test_sync_all_queues_everything_but_what_says_nothing(house: House) -> None:
    house.configure(enabled=False)
    assert house.task("Sync All Scenes").status == "FINISHED"
    house.paused()
    result = operation(house, mode="all")
    assert result["scenes"] == 60
    assert result["already_waiting"] + result["gated"] == 60
    assert result["queued"] == 0
    assert result["gated"] > 0
    counts = house.queue()
    assert counts["waiting"] + counts["in_flight"] == result["already_waiting"]


def test_sync_recent_takes_only_what_was_updated_today(house: House) -> None:
    house.configure(enabled=False)
    [scene] = house.with_file()
    house.save(scene, title="Of today")
    house.paused()
    house.task("Clear Pending Queue")
    house.task("Sync Recent Scenes")
    wait(lambda: house.queue()["waiting"] == 1, 10, "the one scene to wait")


def test_process_queue_follows_the_drainer_to_the_end(house: House) -> None:
    house.plex.faults.write_latency = 0.02
    house.task("Sync All Scenes")
    job = house.task("Process Queue")
    assert house.queue()["waiting"] == 0
    assert job.progress == 1
    assert "0 wait" in said(house)


def test_process_queue_says_what_stands_in_the_way(house: House) -> None:
    house.configure(plex_library="Nowhere")
    [scene] = house.with_file()
    house.save(scene, title="Blocked")
    house.task("Process Queue")
    assert "'Nowhere' is not on the server" in said(house, "Warning")
    assert "1 wait" in said(house)


def test_the_status_names_what_waits_and_what_died(house: House) -> None:
    [scene] = house.with_file()
    house.save(scene, title="One")
    house.quiet()
    house.task("View Queue Status")
    assert "Queue: 0 wait, 0 are being written" in said(house)
    assert "Dead letters: none" in said(house)


def test_a_status_before_anything_happened(bare_house: House) -> None:
    bare_house.start(configured=False)
    bare_house.task("View Queue Status")
    assert "Background worker: has not run yet" in said(bare_house)


def test_the_queue_and_the_dead_letters_can_be_cleared(house: House) -> None:
    house.configure(enabled=False)
    house.task("Sync All Scenes")
    house.paused()
    assert operation(house, mode="clear_queue")["cleared"] > 40
    assert house.queue()["waiting"] == 0
    assert operation(house, mode="clear_dlq") == {"cleared": 0}
    assert operation(house, mode="purge_dlq", days="30") == {"purged": 0}


def test_wake_starts_what_waits(house: House) -> None:
    house.configure(enabled=False)
    [scene] = house.with_file()
    house.save(scene, title="Asleep")
    house.paused()
    house.end_drainer()
    house.configure()
    assert operation(house, mode="wake")["started"] is True
    house.shows(scene, title="Asleep")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"plex_url": ""}, "Plex URL"),
        ({"plex_token": "  "}, "Plex token"),
        ({"plex_url": "192.168.1.5:32400"}, "is an address like http://"),
        ({"max_retries": "many"}, "Tries is a whole number from 1 to 100, not 'many'"),
        ({"poll_interval": 5}, "Poll interval is a number from 0.05 to 1"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_said_in_one_line(
    house: House, settings: dict[str, Any], sentence: str
) -> None:
    house.configure(**settings)
    house.task("Sync All Scenes")
    process = house.stash.processes[-1]
    assert sentence in str(process.error)
    assert process.exit_code == 0
    errors = [line for line in house.complaints() if "[Plugin /" in line]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert "Traceback" not in said(house, "Error")


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
def test_a_bad_argument_is_answered_with_what_would_be_right(house: House, args: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Exception, match=r".*") as caught:
        operation(house, **args)
    assert sentence in str(caught.value)


def test_stash_away_is_said_by_the_task(house: House) -> None:
    house.stash.faults.unauthorized = True
    try:
        with pytest.raises(Exception, match=r"."):
            operation(house, mode="all")
    finally:
        house.stash.faults.clear()

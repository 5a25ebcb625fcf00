"""The plugin over the data of an older one, as Stash runs it."""

from __future__ import annotations

import json

import persistqueue

from sync_queue.operations import load_sync_timestamps
from tests.house import House, wait

from .test_tasks import said


def test_a_save_over_the_data_of_an_older_plugin_arrives(bare_house: House) -> None:
    house = bare_house
    house.start(compared=False)
    house.data.mkdir(mode=0o755)
    queue = persistqueue.SQLiteAckQueue(str(house.data / "queue"))
    queue.put({"scene_id": 7, "data": {"title": "Seven"}})
    queue.close()
    (house.data / "sync_timestamps.json").write_text(json.dumps({"scene_7000": {"timestamp": 1_700_000_000}}))
    [scene] = house.with_file()
    house.save(scene, title="Over the old one")
    house.shows(scene, title="Over the old one")
    wait(lambda: "Data of an older installation was found" in said(house), 20, "it to be said")
    house.task("View Queue Status")
    house.end_drainer()
    assert said(house).count("Data of an older installation was found") == 1
    assert "1 sync timestamps were taken over; left unread: queue/data.db.older" in said(house)
    assert load_sync_timestamps(str(house.data))[7000] == 1_700_000_000
    assert house.complaints() == []
    assert not [line.message for line in house.stash.log if "was missing" in line.message]


def test_a_task_comes_first_and_says_it(bare_house: House) -> None:
    house = bare_house
    house.start(compared=False)
    house.data.mkdir()
    (house.data / "sync_timestamps.json").write_text(json.dumps({"5": "2026-01-01T00:00:00Z"}))
    house.task("View Queue Status")
    assert "1 sync timestamps were taken over" in said(house)

"""The plugin over data of an older installation, as Stash runs it."""

from __future__ import annotations

import json

import persistqueue
import pytest

from sync_queue.operations import load_sync_timestamps
from tests.installation import Installation, wait_for

from .test_tasks import said

pytestmark = pytest.mark.end_to_end


def test_save_over_data_of_an_older_version_arrives(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(reconciled=False)
    installation.data.mkdir(mode=0o755)
    queue = persistqueue.SQLiteAckQueue(str(installation.data / "queue"))
    queue.put({"scene_id": 7, "data": {"title": "Seven"}})
    queue.close()
    (installation.data / "sync_timestamps.json").write_text(json.dumps({"scene_7000": {"timestamp": 1_700_000_000}}))
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Over the old one")
    installation.wait_until_plex_shows(scene, title="Over the old one")
    wait_for(lambda: "Data of an older installation was found" in said(installation), 20, "it to be said")
    installation.task("View Queue Status")
    installation.stop_worker()
    assert said(installation).count("Data of an older installation was found") == 1
    assert "1 sync timestamps were taken over; left unread: queue/data.db.older" in said(installation)
    assert load_sync_timestamps(str(installation.data))[7000] == 1_700_000_000
    assert installation.logged_errors() == []
    assert not [line.message for line in installation.stash.log if "was missing" in line.message]


def test_task_over_data_of_an_older_version_says_what_it_took_over(bare_installation: Installation) -> None:
    installation = bare_installation
    installation.start(reconciled=False)
    installation.data.mkdir()
    (installation.data / "sync_timestamps.json").write_text(json.dumps({"5": "2026-01-01T00:00:00Z"}))
    installation.task("View Queue Status")
    assert "1 sync timestamps were taken over" in said(installation)

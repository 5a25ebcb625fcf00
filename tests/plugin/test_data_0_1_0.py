"""A data directory and settings that version 0.1.0 left (``tests/data_0_1_0``), taken over by the plugin of today."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.verdicts import FORMER, Verdict
from sandbox.library import generate
from sandbox.plex.model import Item
from settings.config import Stash2PlexConfig
from state import database
from state.manual_matches import ManualMatches
from state.snapshots import Snapshots
from sync_queue.operations import get_queued_scene_ids, load_sync_timestamps
from tests.installation import ROOT, Installation, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=12)]

LEFT = ROOT / "tests" / "data_0_1_0"
FACTS: dict[str, Any] = json.loads((LEFT / "facts.json").read_text(encoding="utf-8"))
ROLES: dict[str, int] = FACTS["roles"]


def unpack(data: Path) -> None:
    """Make the data directory that version 0.1.0 left."""
    (data / "queue").mkdir(mode=0o700, parents=True)
    for name, file in (("state", "state.db"), ("queue", "queue/data.db")):
        with closing(sqlite3.connect(data / file)) as db:
            db.executescript((LEFT / "data" / f"{name}.sql").read_text(encoding="utf-8"))
    for path in (LEFT / "data").iterdir():
        if path.suffix != ".sql":
            shutil.copyfile(path, data / path.name)


def path_of(installation: Installation, role: str) -> tuple[str, int, float]:
    """Return path, size and duration of the file of a role's scene."""
    file = installation.library.scenes[ROLES[role] - 1].files[0]
    return file.path, file.size, file.duration


@pytest.fixture
def upgraded(tmp_path: Path, python: str) -> Iterator[Installation]:
    """The servers that version 0.1.0 worked with, its data directory and its settings, and the plugin of today."""
    made = Installation(tmp_path, generate(1, FACTS["scenes"]), python=python)
    not_by_name = {path_of(made, role)[0] for role in ("chosen", "doubtful", "unscanned")}
    made.start(configured=False, in_plex=lambda path: path not in not_by_name)
    name = Path(path_of(made, "doubtful")[0]).name
    for number in (1, 2):
        made.plex.add_item(made.section, [(f"/data/copies {number}/{name}", 10 + number, 5.0)])
    assert chosen_item(made).rating_key == ROLES["chosen_item"]
    unpack(made.data)
    made.configure(**FACTS["settings"])
    yield made
    made.stop()


def chosen_item(installation: Installation) -> Item:
    """Return the item that was chosen for a scene; its file has another name."""
    path = "/data/elsewhere/another name.mp4"
    return installation.plex.find(path) or installation.plex.add_item(installation.section, [(path, 77, 5.0)])


def output(installation: Installation, task: str, **args: Any) -> Any:
    """Run a task and return what it answered."""
    installation.task(task, **args)
    return installation.stash.processes[-1].output


def test_status_shows_the_numbers_of_version_0_1_0(upgraded: Installation) -> None:
    status = output(upgraded, "View Queue Status")
    assert status["queue"] == FACTS["status"]["queue"]
    verdicts = {FORMER.get(word, word): count for word, count in FACTS["status"]["verdicts"].items()}
    assert status["verdicts"] == verdicts
    assert {*verdicts} == {"written", "restored", "ambiguous", "not in Plex"}
    dead_letters = {name: status["dead_letters"][name] for name in FACTS["dead_letters"]}
    assert dead_letters == FACTS["dead_letters"]
    assert len(status["dead_letters"]["newest"][0]["detail"]["candidates"]) == 2
    assert status["reconciliation"]["last_scope"] == "all"
    assert len(load_sync_timestamps(str(upgraded.data))) == FACTS["timestamps"]
    assert upgraded.logged_errors() == []


def test_events_of_version_0_1_0_get_the_new_words(upgraded: Installation) -> None:
    with closing(database.connect(str(upgraded.data))) as db:
        kinds = {row[0] for row in db.execute("SELECT DISTINCT kind FROM events")}
    assert kinds == {"written", "restored", "reconciled", "waits", "given up"}
    assert not kinds & {*FORMER}
    assert {*FORMER.values()} <= {verdict.value for verdict in Verdict}


def test_settings_that_version_0_1_0_stored_are_read(upgraded: Installation) -> None:
    config = Stash2PlexConfig.from_settings({**FACTS["settings"], "plex_url": "http://plex", "plex_token": "token"})
    assert (config.enabled, config.max_tags, config.strict_matching) == (False, 50, True)
    assert (config.plex_library, config.obfuscate_paths) == ("Scenes", True)
    assert config.path_map == "/mnt/elsewhere => /data/elsewhere"


def test_worker_finishes_the_jobs_that_version_0_1_0_left(upgraded: Installation) -> None:
    waiting = {ROLES["waiting"], ROLES["unscanned"]}
    assert get_queued_scene_ids(str(upgraded.data / "queue")) == waiting
    upgraded.plex.add_item(upgraded.section, [path_of(upgraded, "unscanned")])
    upgraded.configure(**{**FACTS["settings"], "enabled": True})
    upgraded.task("Process Queue")
    upgraded.wait_until_idle(60)
    assert upgraded.differences(waiting) == []
    status = output(upgraded, "View Queue Status")
    assert status["dead_letters"]["by_type"] == {"LowConfidence": 1}
    assert "not in Plex" not in status["verdicts"]
    assert upgraded.logged_errors() == []


def test_manual_match_of_version_0_1_0_still_holds(upgraded: Installation) -> None:
    upgraded.configure(**{**FACTS["settings"], "enabled": True})
    upgraded.save(ROLES["chosen"], title="Saved after the update")
    item = chosen_item(upgraded)
    wait_for(lambda: item.title == "Saved after the update", 30, "the chosen item to be written")
    with closing(database.connect(str(upgraded.data))) as db:
        assert ManualMatches(db).get(ROLES["chosen"]) is not None


def test_restore_knows_the_snapshots_of_version_0_1_0(upgraded: Installation) -> None:
    upgraded.configure(**{**FACTS["settings"], "enabled": True})
    item = upgraded.item(ROLES["written"])
    title = item.title
    with closing(database.connect(str(upgraded.data))) as db:
        [snapshot] = Snapshots(db).of_scenes([ROLES["written"]])
        assert Snapshots(db).of_scenes([ROLES["restored"]]) is not None
    assert snapshot.before["fields"]["title"] == title
    assert set(snapshot.before["pictures"]) == set(snapshot.ours["pictures"]) == {"thumb", "art"}
    item.title, item.summary, item.user_rating = "Written", f"Details of scene {ROLES['written']}", 8.0
    item.locks.update({"title", "summary"})
    upgraded.task("Give Back to Plex", scenes=[ROLES["written"]], confirm="true")
    upgraded.wait_until_plex_shows(ROLES["written"], title=title, summary="", user_rating=None)
    # What version 0.1.0 had restored stays as it is.
    saved = upgraded.item(ROLES["restored"]).title
    upgraded.save(ROLES["restored"], title="Saved again")
    queue = str(upgraded.data / "queue")
    wait_for(lambda: ROLES["restored"] not in get_queued_scene_ids(queue), 30, "the save to be judged")
    assert upgraded.item(ROLES["restored"]).title == saved

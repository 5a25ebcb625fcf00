"""Operations that read our own files only, without Stash: paging, damaged files, imports, and the contract."""

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
from common.job_rows import PRIORITY_BULK, new_job
from common.scene import SceneFile
from common.verdicts import Verdict
from matching.low_confidence import LowConfidence
from state import database
from state.events import OUTAGE_BEGAN, Event, Events
from state.ledger import Ledger, LedgerItem, LedgerRow
from sync_queue.dlq import DeadLetterQueue
from sync_queue.setup import open_writer
from tasks.modes import MODES
from tests.api.answer_shapes import SHAPES, check_answer
from tests.installation import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.measured]


def test_contract_names_every_operation() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert named == set(SHAPES) | {"preview"}
    assert named <= set(MODES)


def test_scene_states_cover_every_verdict() -> None:
    assert set(STATES) == {verdict.value for verdict in Verdict}


@pytest.fixture
def data_dir(tmp_path: Path, template: Path) -> str:
    """Return a data directory with many jobs, ledger rows, events and dead letters."""
    return str(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the data directory that each test gets a copy of."""
    now = time.time()
    folder = tmp_path_factory.mktemp("template") / "data"
    data_dir = str(folder)
    with closing(open_writer(data_dir)) as writer:
        jobs = [new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=now) for number in range(1, 301)]
        writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
    with closing(database.connect(data_dir)) as db:
        ledger = Ledger(db)
        db.execute("BEGIN")
        for number, verdict in enumerate(list(Verdict) * 60, 1):
            files = (SceneFile(f"/data/{number % 70}/{number}.mp4", 1, 1.0),)
            items = (LedgerItem(number, 1, files[0].path),)
            ledger.put(LedgerRow(number, verdict, now, files=files, items=items))
        Events(db).record(Event(now, "written", number, "x" * 400) for number in range(450))
        Events(db).record([Event(now, OUTAGE_BEGAN, None, "away", 7)])
        db.execute("COMMIT")
    dlq = DeadLetterQueue(data_dir)
    for number in range(1, 451):
        job = new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=now)
        dlq.add(job, PermanentError("no") if number % 2 else LowConfidence.__new__(LowConfidence), 1, detail={})
    return folder


def ask(data_dir: str, mode: str, **args: Any) -> Any:
    from tasks.runner import run

    answer = run({"mode": mode, **args}, {}, str(ROOT), data_dir)
    check_answer(mode, json.loads(json.dumps(answer)))
    return answer


def test_long_lists_are_paged(data_dir: str) -> None:
    for mode, name, key in (("attention", "rows", "id"), ("history", "events", "id")):
        seen: list[Any] = []
        after: dict[str, Any] = {}
        while True:
            answer = ask(data_dir, mode, limit=1000, **after)
            seen += [row[key] for row in answer[name]]
            if answer["next"] is None:
                break
            assert len(answer[name]) == 200
            after = {"after": answer["next"]}
        assert len(seen) == len(set(seen)) == (450 if mode == "attention" else 451)
    assert len(ask(data_dir, "attention")["folders"]) == 50
    assert len(ask(data_dir, "scene", ids=list(range(1, 201)))["scenes"]) == 200
    assert "at most 200" in ask(data_dir, "scene", ids=list(range(1, 202)))["error"]


def test_status_reports_an_outage_that_has_not_ended(data_dir: str) -> None:
    found = ask(data_dir, "status")
    assert found["outage"] == {"began": found["outage"]["began"], "reason": "away", "waiting": 300}
    assert (found["moving"], found["in_step"], found["needs_you"]) == (True, 120, 450)
    assert found["drainer"]["rate"] > 0
    assert found["drainer"]["left"] > 0


def test_status_names_few_scenes_in_flight_and_skips_damaged_rows(data_dir: str) -> None:
    with closing(sqlite3.connect(Path(data_dir, "queue", "data.db"))) as db:
        db.execute("UPDATE ack_queue_default SET status = 2 WHERE _id <= 9")
        db.execute("UPDATE ack_queue_default SET data = CAST('[1]' AS BLOB) WHERE _id = 1")
        db.commit()
    found = ask(data_dir, "status")
    assert (found["queue"], found["writing"]) == ({"waiting": 291, "in_flight": 9}, [2, 3, 4, 5])


@pytest.mark.parametrize(("more", "moves"), [({}, False), ({"last_error": "no"}, True)], ids=["waits", "fails"])
@pytest.mark.parametrize("awaits", [False, True])
def test_status_moving_counts_failing_jobs_and_no_pending_files(
    tmp_path: Path, more: dict[str, Any], moves: bool, awaits: bool
) -> None:
    data_dir = str(tmp_path / "data")
    job = new_job(1, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    job.update({"next_retry_at": time.time() + 200, **more}, **({"awaits_file": True} if awaits else {}))
    with closing(open_writer(data_dir)) as writer:
        writer.fold_all([(json.dumps(job), job["job_key"])])
    assert ask(data_dir, "status")["moving"] is (moves and not awaits)


def test_status_newest_letter_changes_with_each_new_dead_letter(data_dir: str) -> None:
    before = ask(data_dir, "status")
    dlq = DeadLetterQueue(data_dir)
    dlq.discard("scene_1")
    dlq.add(new_job(900, "metadata", {}, priority=PRIORITY_BULK, now=time.time()), PermanentError("new"))
    after = ask(data_dir, "status")
    assert after["needs_you"] == before["needs_you"]
    assert after["newest_letter"] > before["newest_letter"]
    dlq.clear()
    assert ask(data_dir, "status")["newest_letter"] is None


def test_attention_counts_old_dead_letters_as_purge_deletes_them(data_dir: str) -> None:
    from plex.exceptions import PlexServerDown

    dlq = DeadLetterQueue(data_dir)
    for number, error in enumerate((PlexServerDown("away"), PermanentError("no")), 900):
        job = new_job(number, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
        dlq.add(job, error, now=time.time() - PURGE_AFTER_DAYS * 86_400 - 60)
    told = ask(data_dir, "attention")["old"]
    assert told == dlq.purge(PURGE_AFTER_DAYS) == 2


def test_status_reads_an_older_state_and_skips_damaged_files(data_dir: str, tmp_path: Path) -> None:
    with closing(database.connect(data_dir)) as db:
        for table in ("known", "bindings", "refused"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 4")
    for name in ("reconciliation_state.json", "worker_status.json", "reconcile.due"):
        Path(data_dir, name).write_text("{")
    found: Any = status({}, data_dir)
    assert (found["compared"], found["next_run"], found["drainer"]["alive"]) == (None, None, False)
    Path(data_dir, "reconciliation_state.json").write_text('{"last_run_time": 5.0, "last_error": "Plex is away"}')
    assert ask(data_dir, "status")["compared"] == {"when": 5.0, "scope": "", "complete": False}
    assert ask(str(tmp_path / "nothing"), "status")["in_step"] == 0
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
def test_status_and_scene_import_little_and_ask_nobody(data_dir: str, mode: str) -> None:
    home = Path(data_dir).parent / "parent"
    home.mkdir()
    (home / "default").symlink_to(data_dir)
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

"""View Queue Status is quick, and asks Stash for the settings only if they may have changed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from api import read_model
from common.errors import PermanentError
from common.job_rows import PRIORITY_BULK, new_job, scene_key, scene_row
from common.verdicts import Verdict
from reconciliation.scheduler import ReconciliationState
from state import database
from state.ledger import Ledger, LedgerRow
from state.reconciliation_state import load
from sync_queue import migration
from sync_queue.dlq import DeadLetterQueue
from sync_queue.operations import get_stats
from sync_queue.setup import open_writer
from sync_queue.sql import TABLE
from sync_queue.writer import queue_dir
from tasks import status_context
from tests.installation import PLUGIN, Installation, wait_for

from .test_tasks import said

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow(seconds=11)]

START = 'mutation { runPluginTask(plugin_id: "Stash2Plex", task_name: "View Queue Status") }'
SECRET = "/data/Holiday in Rome/beach.mp4"
# What no status may pay for. The worker asks Stash too: it must not be at work while requests are counted.
HEAVY = {
    *("plexapi", "requests", "stashapi", "http.client", "urllib.request", "ssl", "socket", "subprocess", "site"),
    *("dataclasses", "inspect", "typing", "logging", "contextlib", "importlib", "tempfile", "shutil"),
    *("stash.client", "common.redaction", "api.context", "state.ledger", "sync_queue.migration"),
}


def add_doubtful_scene(installation: Installation) -> None:
    """Add a dead letter that names a path."""
    job = new_job(1, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    candidate = {"rating_key": 7, "title": "Beach", "path": SECRET, "reasons": ["the size"]}
    DeadLetterQueue(str(installation.data)).add(job, PermanentError("doubt"), 1, detail={"candidates": [candidate]})


def config(installation: Installation) -> Path:
    return installation.folder / "stash" / "config.yml"


def age_settings(installation: Installation) -> None:
    """Make the settings look as if saved a while ago."""
    then = time.time() - 60
    os.utime(config(installation), (then, then))


def status(installation: Installation) -> int:
    """Run the task. Return the number of requests that it sent to Stash."""
    installation.stash.reset_counters()
    assert not installation.task("View Queue Status").error
    return installation.stash.counters["graphql"] - installation.stash.counters["graphql:runPluginTask"]


@pytest.fixture
def settled(installation: Installation) -> Installation:
    """Return an installation with a doubtful scene, in which the status has run since the settings were saved."""
    add_doubtful_scene(installation)
    installation.task("View Queue Status")
    age_settings(installation)
    assert status(installation) > 0
    assert SECRET in said(installation)
    return installation


def test_status_with_unchanged_settings_asks_stash_nothing(settled: Installation) -> None:
    remembered = (settled.data / "redaction.json").stat()
    assert [status(settled) for _ in range(3)] == [0, 0, 0]
    assert said(settled).count(SECRET) == 5
    assert (settled.data / "redaction.json").stat().st_mtime_ns == remembered.st_mtime_ns


def test_status_redacts_paths_as_soon_as_the_setting_is_saved(settled: Installation) -> None:
    before = said(settled).count("Rome")
    settled.configure(obfuscate_paths=True)
    assert status(settled) > 0
    assert said(settled).count("Rome") == before
    assert said(settled).count("/~") > 0
    age_settings(settled)
    assert status(settled) > 0
    # known without asking from here on
    assert status(settled) == 0
    assert said(settled).count("Rome") == before
    settled.configure(obfuscate_paths=False)
    assert status(settled) > 0
    assert said(settled).count("Rome") == before + 1


@pytest.mark.parametrize("file", ["missing", "called otherwise"])
def test_status_without_a_config_file_asks_stash_before_it_logs_a_path(
    settled: Installation, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    if file == "called otherwise":
        # A file that an older Stash left behind.
        monkeypatch.setattr("sandbox.stash.configuration.CONFIG", "mine.yml")
        then = time.time() - 600
        os.utime(config(settled), (then, then))
        assert status(settled) > 0
    before = said(settled).count("Rome")
    stored = {"plex_url": settled.plex.url, "plex_token": settled.plex.token, "obfuscate_paths": True}
    settled.stash.core.plugins.settings[PLUGIN] = stored
    for _ in range(2):
        if file == "missing":
            config(settled).unlink()  # Stash writes it when the task stores which switches are on
        assert status(settled) > 0
    assert said(settled).count("Rome") == before


def test_status_without_paths_to_log_asks_stash_nothing(settled: Installation) -> None:
    config(settled).unlink()
    DeadLetterQueue(str(settled.data)).clear()
    assert status(settled) == 0


def test_status_is_logged_though_stash_does_not_answer(settled: Installation) -> None:
    before = said(settled).count("Rome")
    settled.configure()
    settled.stash.faults.resolver_error = "database is locked"
    job = settled.stash.job(settled.stash.gql(START, through_faults=True)["runPluginTask"])
    assert job is not None
    assert job.done.wait(30)
    assert said(settled).count("Rome") == before + 1


def test_status_that_fails_redacts_paths_too(settled: Installation) -> None:
    settled.configure(obfuscate_paths=True)
    (settled.data / "state.db").rename(settled.data / "away")
    (settled.data / "state.db").mkdir()
    settled.task("View Queue Status")
    [line] = settled.logged_errors()[:1]
    assert "own files cannot be used" in line
    assert str(settled.data) not in line


def test_status_starts_the_worker_if_jobs_wait(settled: Installation) -> None:
    settled.configure(enabled=False)
    settled.save(settled.scenes_with_file()[0], title="Waits")
    settled.wait_until_paused()
    settled.stop_worker(signal.SIGKILL)
    assert settled.worker_pid() is None
    settled.task("View Queue Status")
    wait_for(lambda: settled.worker_pid() is not None, 20, "a worker to be started")


def test_status_starts_a_due_reconciliation(settled: Installation) -> None:
    remembered = (settled.data / "redaction.json").read_text()
    settled.make_reconciliation_due()
    settled.task("View Queue Status")
    wait_for(lambda: (settled.data / "reconciliation_state.json").exists(), 30, "the comparison")
    # It has asked too, and knows which process of Stash it was.
    assert (settled.data / "redaction.json").read_text() == remembered


def test_status_process_imports_little(settled: Installation) -> None:
    assert status(settled) == 0
    process = settled.stash.processes[-1]
    argv: list[Any] = [process.argv[0], "-X", "importtime", *process.argv[1:]]
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(argv, input=process.stdin, capture_output=True, check=True, env=env)
    assert json.loads(done.stdout)["output"]["dead_letters"]["count"] == 1
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines() if "import time" in line}
    assert "tasks.queue_status" in imported
    assert sorted(imported & HEAVY) == []


def test_migrated_file_is_the_one_of_the_migration() -> None:
    assert status_context.MIGRATED_FILE == migration.FILE


def test_status_counts_are_those_of_queue_and_ledger(installation: Installation) -> None:
    folder = str(installation.data)
    states = (0, 0, 0, 1, 1, 2, 5, 5, 5, 5, 9)
    with closing(open_writer(folder)) as writer:
        writer.fold_all((scene_row(one, priority=0, now=1.0), scene_key(one)) for one in range(1, len(states) + 1))
    with closing(sqlite3.connect(installation.data / "queue" / "data.db")) as db:
        db.executemany(f"UPDATE {TABLE} SET status = ? WHERE _id = ?", [(one, n) for n, one in enumerate(states, 1)])
        db.commit()
    with closing(database.connect(folder)) as db:
        for number, verdict in enumerate([*Verdict, Verdict.WRITTEN, Verdict.SHARED], 1):
            Ledger(db).put(LedgerRow(number, verdict, 1.0))
        counts = Ledger(db).counts_by_verdict()
    facts = read_model.queue_status_facts(folder)
    assert facts["queue"] == get_stats(queue_dir(folder))
    assert facts["queue"] == {"waiting": 5, "in_flight": 1, "acknowledged": 4, "failed": 1}
    assert facts["verdicts"] == counts


def test_reconciliation_state_before_the_first_run_is_the_schedulers_default(tmp_path: Path) -> None:
    assert list(load(str(tmp_path)).items()) == list(asdict(ReconciliationState()).items())

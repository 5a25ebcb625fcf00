"""Any content in every file of the data directory gives a result or a clear error, never a crash or a hang."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common import config_file_watch, reconcile_due, redaction
from common.detached_process import WAIT_FILE
from hooks import process as hook_process
from pipeline.scene_sync import SceneSync
from plex.client import client_identifier
from reconciliation.scheduler import FILE as SCHEDULE
from reconciliation.scheduler import ReconciliationScheduler
from settings.config import Stash2PlexConfig
from state import timestamps, worker_status
from sync_queue import migration
from sync_queue.operations import get_queued_scene_ids, get_stats
from sync_queue.setup import open_writer
from sync_queue.store import JobStore
from sync_queue.writer import queue_dir
from tests.faults.fault_counts import FaultCounts
from tests.faults.malformed_input import altered_json, damaged_bytes, time_limit
from tests.faults.suite_size import INPUTS_PER_PARSER, generated_inputs, repetitions
from worker import process as worker_process
from worker import status_files
from worker.retry import FailureKind, decide

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=12)]

STATE = {
    "last_run_time": 1_700_000_000.0,
    "last_scope": "all",
    "last_scenes_checked": 5,
    "last_gaps_by_type": {"missing": 1},
    "failures": 2,
}
GOOD = {
    SCHEDULE: [json.dumps(STATE).encode()],
    timestamps.FILE: [b'{"5": 1700000000.25, "6": 1}'],
    reconcile_due.FILE: [b"1700000000 boot.12.99", b"inf somebody"],
    worker_status.STATUS: [b'{"state": "ready", "since": 5, "pid": 1, "at": 6.5, "waiting": 0}'],
    worker_status.ATTENTION: [b"Stash2Plex waits for Plex: set the token"],
    WAIT_FILE: [b"1700000000.0 10"],
    migration.FILE: [b'{"timestamps": 5, "found": []}'],
    config_file_watch.RECORD_FILE: [b'{"on": true, "secret": "00ff"}'],
    "client_id": [b"stash2plex-0123"],
}
ROW = {
    "scene_id": 5,
    "update_type": "metadata",
    "data": {"path": "/a"},
    "enqueued_at": 1.5,
    "job_key": "scene_5",
    "priority": 1,
    "retry_count": 2,
    "tries": {"TRANSIENT": 2},
    "next_retry_at": 5.0,
    "first_failed_at": 2.0,
    "last_try_at": 3.0,
    "awaits_file": True,
}
ENTITY = {"entity": "tag", "entity_id": 7, "after": 3, "data": {}, "enqueued_at": 1, "job_key": "tag_7", "priority": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def content(name: str) -> st.SearchStrategy[bytes]:
    good = GOOD[name]
    try:
        documents = [json.loads(text) for text in good]
    except ValueError:
        return damaged_bytes(*good)
    return damaged_bytes(*good) | altered_json(*documents).map(lambda value: json.dumps(value).encode())


def schedule(folder: str) -> None:
    scheduler = ReconciliationScheduler(folder)
    state = scheduler.load_state()
    assert math.isfinite(state.last_run_time)
    for interval in ("never", "hourly", "weekly"):
        config = Stash2PlexConfig(reconcile_interval=interval)
        scheduler.is_due(config)
        scheduler.next_run(config)
        scheduler.arrange(config)
    scheduler.is_startup_due()
    scheduler.pause()


def sync_timestamps(folder: str) -> None:
    known = timestamps.load(folder)
    assert all(isinstance(scene, int) and math.isfinite(moment) for scene, moment in known.items())
    timestamps.save(folder, {9: 5.0})
    timestamps.flush(folder)
    assert timestamps.load(folder)[9] == 5.0


def status(folder: str) -> None:
    known = worker_status.read_status(folder)
    worker_status.lives(known)
    status_files.StatusFiles(folder).write_status(state="ready")


def attention(folder: str) -> None:
    hook_process._repeat_attention(folder)
    status_files.StatusFiles(folder).load_attention()


def wait_file(folder: str) -> None:
    # do not sit out a valid waiting time
    until, _ = status_files.read_wait(folder)
    if not 0 < until - time.time() <= 600:
        worker_process.wait_out_pause(os.path.join(folder, WAIT_FILE))
    status_files.StatusFiles(folder).begin_pause()
    assert status_files.read_wait(folder)[1] <= status_files.LONGEST_PAUSE_S


def redaction_file(folder: str) -> None:
    redaction.load(folder, folder)
    redaction.apply(folder, folder, True)
    redaction.apply(folder, folder, False)


READERS: dict[str, Callable[[str], object]] = {
    SCHEDULE: schedule,
    timestamps.FILE: sync_timestamps,
    reconcile_due.FILE: reconcile_due.due,
    worker_status.STATUS: status,
    worker_status.ATTENTION: attention,
    WAIT_FILE: wait_file,
    migration.FILE: migration.migrate,
    config_file_watch.RECORD_FILE: redaction_file,
    "client_id": client_identifier,
}
# All files together get as many inputs as any other parser.
INPUTS_PER_FILE = INPUTS_PER_PARSER // len(READERS) + 1


@pytest.mark.parametrize("name", READERS)
def test_data_file_with_any_content_is_read_or_ignored(name: str, folder: Path, fault_counts: FaultCounts) -> None:
    read = READERS[name]
    fault_counts.add("generated inputs", repetitions(INPUTS_PER_FILE, 3_000))

    @generated_inputs(INPUTS_PER_FILE, 3_000)
    @given(found=content(name))
    def read_content(found: bytes) -> None:
        (folder / name).write_bytes(found)
        with time_limit():
            read(str(folder))

    read_content()


@pytest.mark.parametrize("older", [timestamps.FILE, "mapping.json", "queue.db"])
def test_migration_of_files_with_any_content_does_not_crash(
    older: str, tmp_path: Path, fault_counts: FaultCounts
) -> None:
    fault_counts.add("generated inputs", repetitions(40, 3_000))

    @generated_inputs(40, 3_000)
    @given(
        found=damaged_bytes(GOOD[timestamps.FILE][0])
        | altered_json({"5": 1}, [{"scene_id": 5, "at": "2026"}]).map(_json_bytes)
    )
    def read_content(found: bytes) -> None:
        (tmp_path / migration.FILE).unlink(missing_ok=True)
        (tmp_path / older).write_bytes(found)
        with time_limit():
            migration.migrate(str(tmp_path))
            timestamps.load(str(tmp_path))

    read_content()


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, JobStore]]:
    folder = str(tmp_path_factory.mktemp("rows"))
    open_writer(folder).close()
    found = JobStore(queue_dir(folder))
    yield folder, found
    found.close()


@generated_inputs(40, 3_000)
@example(jobs=[None, {"scene_id": 5, "job_key": "scene_5", "priority": 1, "next_retry_at": []}], status=0)
@given(jobs=st.lists(altered_json(ROW, ENTITY), min_size=1, max_size=4), status=st.sampled_from([0, 1, 2, 5]))
def test_queue_rows_with_any_content_are_processed_or_set_aside(
    jobs: list[Any], status: int, store: tuple[str, JobStore]
) -> None:
    folder, queue = store
    with closing(sqlite3.connect(Path(queue_dir(folder), "data.db"), isolation_level=None)) as db:
        db.execute("DELETE FROM ack_queue_default")
        for job in jobs:
            # SQLite refuses text that is not JSON, so it cannot be in the queue
            with contextlib.suppress(ValueError, sqlite3.Error):
                blob = json.dumps(job, allow_nan=False).encode()
                db.execute("INSERT INTO ack_queue_default(data, timestamp, status) VALUES (?, 1, ?)", (blob, status))
    with time_limit():
        assert all(isinstance(scene_id, int) for scene_id in get_queued_scene_ids(queue_dir(folder)))
        queue.resume()
        queue.next_due()
        queue.has_jobs_awaiting_file()
        while rows := queue.claim(20, 10.0):
            for row in rows:
                queue.is_superseded(row)
                assert isinstance(row.job.job_key, str)
                assert isinstance(row.job.scene_id if row.job.entity is None else row.job.entity_id, int)
                if row.job.entity is None:
                    assert SceneSync(row.job).scene_id == row.job.scene_id
                for failure in FailureKind:
                    decide(row.job.pictures_only(), failure, OSError("x"), now=20.0, share=0.5)
                queue.retry(row.row_id, row.job.with_retry(replace(row.job.retry, next_retry_at=300.0)))
        # unreadable rows are set aside; the others wait for their next attempt
        counts = get_stats(queue_dir(folder))
        assert counts["in_flight"] == 0

"""What a person does on the page, on our own files: dead letters, rejected candidates, scenes queued first."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api import dead_letters, manual_matches, sync_now
from api.context import Context
from api.dead_letter_causes import cause_of
from common.errors import PermanentError, UserError
from common.job_rows import PRIORITY_BULK, new_job
from common.verdicts import Verdict
from plex.exceptions import PlexPermanentError
from state import database
from state.ledger import Ledger, LedgerItem, LedgerRow
from state.manual_matches import ManualMatch, ManualMatches
from sync_queue.dlq import DeadLetterQueue

pytestmark = pytest.mark.integration

CANDIDATES = [
    {"rating_key": 7, "section": 1, "title": "A", "path": "/media/a.mp4", "size": 1, "reasons": ["same name"]},
    {"rating_key": 8, "section": 1, "title": "B", "path": "/media/b.mp4", "size": 2, "reasons": ["same name"]},
]


@pytest.fixture
def started() -> list[bool]:
    """Return the list that each start of the worker is added to."""
    return []


@pytest.fixture
def context(tmp_path: Path, started: list[bool], monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A context over an empty data directory that starts no worker."""

    def start_worker(self: Context) -> bool:
        started.append(True)
        return True

    monkeypatch.setattr(Context, "start_worker", start_worker)
    made = Context({}, {}, "/plugin", str(tmp_path / "data"))
    yield made
    made.close()


def call(context: Context, function: Any, **args: Any) -> Any:
    context.args = args
    return function(context)


def add_dead_letter(context: Context, scene_id: int, error: Exception, **detail: Any) -> None:
    job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=time.time())
    DeadLetterQueue(context.data_dir).add(job, error, 3, detail=detail)


def queued_jobs(context: Context) -> dict[str, dict[str, Any]]:
    path = Path(context.queue_dir, "data.db")
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as db:
        jobs = [json.loads(data) for (data,) in db.execute("SELECT data FROM ack_queue_default WHERE status < 2")]
    return {job["job_key"]: job for job in jobs}


def test_retry_without_state_queues_nothing(context: Context, started: list[bool]) -> None:
    assert call(context, dead_letters.retry, ids=["scene_1"])["queued"] == 0
    assert (queued_jobs(context), started) == ({}, [])


def test_retry_by_id_queues_that_job_alone(context: Context, started: list[bool]) -> None:
    for scene_id in (1, 2):
        add_dead_letter(context, scene_id, PermanentError("no"))
    assert call(context, dead_letters.retry, ids=["scene_2"])["queued"] == 1
    assert set(queued_jobs(context)) == {"scene_2"}
    assert [row["job_key"] for row in DeadLetterQueue(context.data_dir).entries()] == ["scene_1"]
    assert started == [True]


def test_retry_by_cause_leaves_other_causes(context: Context) -> None:
    add_dead_letter(context, 1, PermanentError("no"))
    add_dead_letter(context, 2, PlexPermanentError("no"))
    assert call(context, dead_letters.retry, cause=cause_of("PlexPermanentError").text)["queued"] == 1
    assert set(queued_jobs(context)) == {"scene_2"}


def test_retry_of_an_unreadable_job_keeps_its_dead_letter(context: Context, started: list[bool]) -> None:
    add_dead_letter(context, 1, PermanentError("no"))
    with closing(database.connect(context.data_dir)) as db:
        db.execute("UPDATE dead_letters SET job = '{'")
    counts = dead_letters.retry_dead_letters(context, lambda dead_letter: True)
    assert (counts.queued, counts.unreadable, started) == (0, 1, [])
    assert DeadLetterQueue(context.data_dir).count() == 1


def test_discard_counts_what_existed(context: Context) -> None:
    add_dead_letter(context, 1, PermanentError("no"))
    assert call(context, dead_letters.discard, ids=["scene_1", "scene_9"])["discarded"] == 1
    assert DeadLetterQueue(context.data_dir).count() == 0


@pytest.mark.parametrize("ids", [None, [], [3], "", ["a"] * 5_001])
def test_discard_with_bad_ids_is_an_error(context: Context, ids: Any) -> None:
    if ids == "":
        assert call(context, dead_letters.discard, ids=ids)["discarded"] == 0
        return
    with pytest.raises(UserError, match="ids are those of rows"):
        call(context, dead_letters.discard, ids=ids)


def test_reject_one_candidate_remembers_its_files_and_queues_the_scene(context: Context) -> None:
    add_dead_letter(context, 3, PermanentError("doubt"), candidates=CANDIDATES)
    assert call(context, manual_matches.reject, scene=3, rating_keys=[8])["refused"] == [8]
    with closing(database.connect(context.data_dir)) as db:
        assert db.execute("SELECT rating_key, path FROM refused").fetchall() == [(8, "/media/b.mp4")]
    assert DeadLetterQueue(context.data_dir).count() == 0
    job = queued_jobs(context)["scene_3"]
    assert (job["priority"], job["by_hand"]) == (0, True)


def test_reject_without_candidates_is_an_error(context: Context) -> None:
    with pytest.raises(UserError, match="Scene 3 has no candidates"):
        call(context, manual_matches.reject, scene=3)
    add_dead_letter(context, 3, PermanentError("doubt"), candidates=CANDIDATES)
    with pytest.raises(UserError, match="Item 9 is not a candidate of scene 3"):
        call(context, manual_matches.reject, scene=3, rating_keys=[9])


def test_take_back_releases_the_item_and_queues_the_scene(context: Context) -> None:
    with closing(database.connect(context.data_dir)) as db:
        files = (("/media/a.mp4", 1),)
        ManualMatches(db).put(ManualMatch(3, "machine", 1, 7, files, 1.0))
        items = (LedgerItem(7, 1, "/media/a.mp4"),)
        Ledger(db).put(LedgerRow(3, Verdict.WRITTEN, 1.0, items=items))
    assert call(context, manual_matches.take_back, scene=3) == {"version": 1, "unbound": True, "can_give_back": False}
    with closing(database.connect(context.data_dir)) as db:
        row = Ledger(db).get(3)
        assert row is not None
        assert (row.verdict, row.items, row.reason) == (Verdict.AMBIGUOUS, (), manual_matches.TAKEN_BACK)
    assert set(queued_jobs(context)) == {"scene_3"}


def test_take_back_of_nothing_queues_nothing(context: Context, started: list[bool]) -> None:
    assert call(context, manual_matches.take_back, scene=3)["unbound"] is False
    assert (queued_jobs(context), started) == ({}, [])


def test_sync_now_queues_each_scene_once_and_first(context: Context, started: list[bool]) -> None:
    assert call(context, sync_now.sync_now, ids=[4, "4", 5])["queued"] == 2
    assert {key: job["priority"] for key, job in queued_jobs(context).items()} == {"scene_4": 0, "scene_5": 0}
    assert started == [True]

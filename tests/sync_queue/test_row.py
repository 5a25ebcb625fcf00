"""The thin writer's row is the library's row, and the table it writes into is the library's table."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.job_rows import new_job, scene_key, scene_row
from sync_queue import sql
from sync_queue.setup import set_up
from sync_queue.writer import QueueWriter, queue_dir

from .support import database, job_text, library_queue, rows

pytestmark = pytest.mark.unit

SNAPSHOT: dict[str, Any] = {
    "path": "/data/Übung 日本.mp4",
    "title": 'Said "Yes" \\ 🎬',
    "rating100": 55,
    "performers": ["Zoë", "李"],
    "date": None,
    "details": "one\ntwo\ttabs\u2028",
}


@pytest.mark.parametrize("data", [{}, SNAPSHOT], ids=["without snapshot", "with snapshot"])
def test_writer_writes_the_row_that_the_library_writes(tmp_path: Path, data: dict[str, Any]) -> None:
    job = new_job(7, "metadata", data, priority=1, now=1_700_000_000.25)
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    theirs.mkdir()
    with library_queue(theirs) as queue:
        queue.put(job)
    set_up(str(mine))
    with closing(QueueWriter(queue_dir(str(mine)))) as writer:
        assert writer.fold(json.dumps(job), job["job_key"])
    (their_row,), (my_row,) = rows(theirs), rows(mine)
    assert my_row.data == their_row.data
    assert my_row.kinds == their_row.kinds == ("blob", "real", "integer")
    assert (my_row.row_id, my_row.status) == (their_row.row_id, their_row.status) == (1, 0)
    assert abs(my_row.timestamp - their_row.timestamp) < 60


def test_table_is_that_of_the_library(tmp_path: Path) -> None:
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    theirs.mkdir()
    with library_queue(theirs):
        pass
    set_up(str(mine))
    assert _table(mine) == _table(theirs)
    assert _table(mine).startswith("CREATE TABLE ack_queue_default")


def _table(data_dir: Path) -> str:
    with closing(sqlite3.connect(database(data_dir))) as db:
        (text,) = db.execute("SELECT sql FROM sqlite_master WHERE type='table' AND name LIKE 'ack%'").fetchone()
    # but for white space and the quotes around the table's name
    return " ".join(str(text).replace("`", "").replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split())


def test_library_opens_our_table_and_adds_nothing(data_dir: str) -> None:
    before = _objects(data_dir)
    with library_queue(data_dir) as queue:
        queue.put({"scene_id": 1})
    assert _objects(data_dir) == before
    assert {name for name, _ in before} >= {"ack_queue_default", "s2p_head", "s2p_key", "s2p_due", "s2p_status"}


def _objects(data_dir: str) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(database(data_dir))) as db:
        return set(db.execute("SELECT name, sql FROM sqlite_master").fetchall())


@given(
    scene_id=st.integers(1, 2**63 - 1),
    priority=st.integers(0, 2),
    now=st.floats(0, 1e11, allow_nan=False, allow_infinity=False),
)
def test_row_text_equals_what_json_would_write(scene_id: int, priority: int, now: float) -> None:
    text = scene_row(scene_id, priority=priority, now=now)
    assert text == json.dumps(new_job(scene_id, "metadata", {}, priority=priority, now=now))


def test_library_gets_and_acknowledges_a_folded_row(data_dir: str, writer: QueueWriter) -> None:
    writer.fold(job_text(5, priority=2, data={"title": "Ümlaut 日本"}), scene_key(5))
    assert not writer.fold(job_text(5, priority=0, now=2_000.0), scene_key(5))
    with library_queue(data_dir) as queue:
        item = queue.get(block=False, raw=True)
        assert item["data"] == {
            **new_job(5, "metadata", {"title": "Ümlaut 日本"}, priority=0, now=2_000.0),
        }
        assert [row.status for row in rows(data_dir)] == [2]
        queue.ack(id=item["pqid"])
    assert [row.status for row in rows(data_dir)] == [5]


DUE, KEY, STATUS, HEAD = "s2p_due", "s2p_key", "s2p_status", "s2p_head"


@pytest.mark.parametrize(
    ("statement", "values", "indexes"),
    [
        (sql.WAITING_BY_KEY, ("k",), {KEY}),
        (sql.FOLD, {"job": "{}", "key": "k"}, {KEY}),
        (sql.DUE_OF_PRIORITY, (0, 0, 1), {DUE}),
        (sql.DUE_BY_CLOCK_SET_BACK, (0, 0, 1), {DUE}),
        (sql.NEXT_DUE, (0,), {DUE}),
        (sql.COUNT_BY_STATUS, (), {STATUS}),
        (sql.CLEAR_ACKNOWLEDGED, (), {STATUS}),
        (sql.RESUME, (), {STATUS}),
        (sql.RETRY, (b"{}", "k", 1), {KEY, "INTEGER PRIMARY KEY"}),
        (sql.KEYS_UNDONE, (), {STATUS}),
        (sql.DELETE, (1,), {"INTEGER PRIMARY KEY"}),
        (sql.MARK, (2, 1), {"INTEGER PRIMARY KEY"}),
    ],
)
def test_statement_uses_its_index(data_dir: str, statement: str, values: Any, indexes: set[str]) -> None:
    plan = _plan(data_dir, statement, values)
    assert all(any(index in step for step in plan) for index in indexes), plan
    assert not any(step == "SCAN ack_queue_default" for step in plan), plan
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan), plan


def test_library_get_uses_the_head_index(data_dir: str) -> None:
    asked: list[str] = []
    with library_queue(data_dir) as queue:
        queue.put({"scene_id": 1})
        queue._getter.set_trace_callback(asked.append)
        queue.get(block=False)
        queue._getter.set_trace_callback(None)
    (select,) = [text for text in asked if text.startswith("SELECT")]
    assert any(HEAD in step for step in _plan(data_dir, select, ()))


def _plan(data_dir: str, statement: str, values: Any) -> list[str]:
    with closing(sqlite3.connect(database(data_dir))) as db:
        return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]

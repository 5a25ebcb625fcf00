"""First use of a data directory, by one process or by many at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from common.file_locks import SETUP_LOCK, try_lock, unlock
from sync_queue import sql
from sync_queue.setup import QueueUnavailable, open_writer, set_up
from sync_queue.writer import QueueWriter, queue_dir

from .support import database, job_text, rows, together, waiting

pytestmark = pytest.mark.integration


def test_setup_creates_the_queue_with_wal_and_layout(data_dir: str) -> None:
    with closing(sqlite3.connect(database(data_dir))) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA user_version").fetchone() == (sql.LAYOUT,)
    assert rows(data_dir) == []


def test_setup_creates_private_files(data_dir: str) -> None:
    modes = {path: stat.S_IMODE(os.stat(path).st_mode) for path in (data_dir, queue_dir(data_dir), database(data_dir))}
    assert list(modes.values()) == [0o700, 0o700, 0o600]
    assert stat.S_IMODE(os.stat(Path(data_dir, SETUP_LOCK)).st_mode) == 0o600


def test_setting_up_again_changes_nothing(data_dir: str, writer: QueueWriter) -> None:
    writer.fold(job_text(1), "scene_1")
    before = rows(data_dir)
    set_up(data_dir)
    assert rows(data_dir) == before
    assert not writer.fold(job_text(1), "scene_1")


def test_half_finished_queue_is_completed_and_keeps_its_rows(tmp_path: Path) -> None:
    data_dir = str(tmp_path)
    os.mkdir(queue_dir(data_dir))
    with closing(sqlite3.connect(database(data_dir))) as db:
        db.execute(sql.CREATE)
        db.execute(sql.INSERT, (job_text(4).encode(), 1.0))
        db.commit()
    with closing(open_writer(data_dir)) as writer:
        assert writer.layout() == sql.LAYOUT
        assert not writer.fold(job_text(4), "scene_4")
        assert [job["scene_id"] for job in waiting(data_dir)] == [4]


def test_twelve_processes_at_once_on_an_empty_directory_all_get_their_row_in(tmp_path: Path) -> None:
    data_dir = str(tmp_path / "new")
    assert together([["put_one", data_dir, str(number)] for number in range(1, 13)]) == ["True\n"] * 12
    assert sorted(job["scene_id"] for job in waiting(data_dir)) == list(range(1, 13))


def test_setup_held_by_another_process_fails_with_a_sentence(tmp_path: Path) -> None:
    held = try_lock(str(tmp_path / SETUP_LOCK))
    assert held is not None
    began = time.monotonic()
    try:
        with pytest.raises(QueueUnavailable, match=r"another process has been setting up .* for more than 2 s"):
            open_writer(str(tmp_path))
    finally:
        unlock(held)
    assert 1.9 <= time.monotonic() - began < 4.0
    assert not os.path.exists(database(tmp_path))
    with closing(open_writer(str(tmp_path))) as writer:
        assert writer.fold(job_text(1), "scene_1")


def test_existing_queue_is_opened_while_the_setup_lock_is_held(data_dir: str) -> None:
    held = try_lock(str(Path(data_dir, SETUP_LOCK)))
    assert held is not None
    with closing(open_writer(data_dir)) as writer:
        assert writer.fold(job_text(1), "scene_1")
    unlock(held)


def test_file_in_place_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(QueueUnavailable, match=r"data directory .*data cannot be used: "):
        set_up(str(tmp_path / "data"))


def test_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    os.mkdir(queue_dir(str(tmp_path)))
    Path(database(tmp_path)).write_bytes(b"no database at all " * 100)
    with pytest.raises(QueueUnavailable, match="not a database"):
        set_up(str(tmp_path))

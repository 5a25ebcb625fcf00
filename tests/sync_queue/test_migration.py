"""Data of an older installation: its timestamps are taken over, its pickles are never read."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import persistqueue
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.file_locks import try_lock, unlock
from state import timestamps
from sync_queue import migration
from sync_queue.foreign_queue import ASIDE, holds_pickles, move_aside
from sync_queue.migration import FILE, migrate
from sync_queue.operations import load_sync_timestamps, save_sync_timestamp
from sync_queue.setup import open_writer, set_up
from sync_queue.writer import queue_dir

from .support import job_text, waiting

pytestmark = pytest.mark.integration


class Bomb:
    """Says that somebody unpickled it."""

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)

    def __init__(self, path: Path) -> None:
        self.path = path


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A data directory as an older plugin leaves it, with a bomb among the rows."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    queue = persistqueue.SQLiteAckQueue(str(folder / "queue"), auto_resume=False)
    queue.put({"scene_id": 7, "data": {"title": "Seven"}})
    queue.put(Bomb(tmp_path / "boom"))
    queue.close()
    (folder / "sync_timestamps.json").write_text(json.dumps({"scene_7": {"timestamp": 1_700_000_000.5}}))
    (folder / "stats.json").write_text("{}")
    os.chmod(folder / "stats.json", 0o644)
    return folder


def exploded(folder: Path) -> bool:
    return (folder.parent / "boom").exists()


def test_everything_is_taken_over_or_left_aside_and_said_once(older: Path) -> None:
    before = Path(queue_dir(str(older)), "data.db").read_bytes()
    said = migrate(str(older))
    assert said is not None
    assert "1 sync timestamps were taken over" in said
    assert "queue/data.db.older" in said
    assert "stats.json" in said
    assert "\n" not in said
    assert migrate(str(older)) is None
    assert load_sync_timestamps(str(older)) == {7: 1_700_000_000.5}
    assert (older / "queue" / "data.db.older").read_bytes()[100:] == before[100:]
    assert (older / "stats.json").read_text() == "{}"
    assert not exploded(older)
    with closing(open_writer(str(older))) as writer:
        assert writer.fold(job_text(1), "scene_1")
    assert [job["scene_id"] for job in waiting(older)] == [1]
    assert not exploded(older)


def test_hook_before_the_migration_queues_its_row(older: Path) -> None:
    with closing(open_writer(str(older))) as writer:
        assert writer.fold(job_text(1), "scene_1")
    said = migrate(str(older))
    assert said is not None
    assert "queue/data.db.older" in said
    assert [job["scene_id"] for job in waiting(older)] == [1]
    assert not exploded(older)


def test_everything_is_for_the_owner_only_then(older: Path) -> None:
    set_up(str(older))
    migrate(str(older))
    for path in [older, *older.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_new_directory_has_nothing_to_migrate(tmp_path: Path) -> None:
    data_dir = str(tmp_path / "data")
    assert migrate(data_dir) is None
    assert not os.path.exists(data_dir)
    set_up(data_dir)
    save_sync_timestamp(data_dir, 5, 17.0)
    timestamps.flush(data_dir)
    assert migrate(data_dir) is None
    assert load_sync_timestamps(data_dir) == {5: 17.0}
    assert os.path.exists(os.path.join(data_dir, FILE))
    assert not os.path.exists(os.path.join(data_dir, timestamps.FILE + ASIDE))


AT = 1_700_000_000.0


@pytest.mark.parametrize(
    "content",
    [
        {"scene_5": AT},
        {"5": str(AT)},
        {"5": {"timestamp": AT}},
        {"5": {"last_synced": "2023-11-14T22:13:20Z", "title": "x"}},
        {"5": "2023-11-14T22:13:20+00:00"},
        {"5": "2023-11-14T22:13:20"},
        {"5": AT * 1000},
        {"version": 2, "timestamps": {"5": AT}},
        {"scenes": [{"scene_id": 5, "updated_at": AT}]},
        [{"id": "5", "at": AT}],
        {"5": AT, "6": None, "x": "y", "7": True, "8": float("nan"), "-1": 3, "9": "soon", "10": {}},
    ],
    ids=lambda content: json.dumps(content)[:40],
)
def test_timestamps_of_any_shape_are_taken_over(tmp_path: Path, content: Any) -> None:
    path = tmp_path / timestamps.FILE
    path.write_text(json.dumps(content))
    said = migrate(str(tmp_path))
    assert said is not None
    assert said.startswith("Data of an older installation was found: 1 sync timestamps were taken over.")
    assert load_sync_timestamps(str(tmp_path)) == {5: AT}
    assert Path(str(path) + ASIDE).read_text() == json.dumps(content)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\x00", "null", "5"])
def test_damaged_file_does_not_stop_the_migration(tmp_path: Path, content: str) -> None:
    (tmp_path / timestamps.FILE).write_text(content)
    migrate(str(tmp_path))
    assert (tmp_path / FILE).exists()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=20,
    )
)
def test_migration_survives_any_content(content: Any) -> None:
    assert all(scene > 0 and moment >= 0 for scene, moment in migration._entries(content))
    migration._is_ours(content)


@pytest.mark.parametrize("step", ["_take_over_timestamps", "_others", "_close_to_others"])
def test_kill_between_two_steps_is_repaired_by_the_next_run(
    older: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(migration, step)

    def killed(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(migration, step, killed)
    with pytest.raises(KeyboardInterrupt):
        migrate(str(older))
    monkeypatch.undo()
    said = migrate(str(older))
    assert said is not None
    assert "1 sync timestamps were taken over" in said
    assert "queue/data.db.older" in said
    assert load_sync_timestamps(str(older)) == {7: 1_700_000_000.5}
    assert not exploded(older)


def test_migration_runs_in_one_process_at_a_time(older: Path) -> None:
    held = try_lock(str(older / "setup.lock"))
    assert held is not None
    assert migrate(str(older), patience=0.05) is None
    unlock(held)
    assert migrate(str(older)) is not None


def test_older_queue_in_use_is_left_and_named(older: Path) -> None:
    database = queue_dir(str(older)) + "/data.db"
    with closing(sqlite3.connect(database)) as user:
        user.execute("BEGIN IMMEDIATE")
        user.execute("INSERT INTO ack_queue_default(data) VALUES (x'8004')")
        with pytest.raises(sqlite3.OperationalError, match=r"locked|in use"):
            _impatient(str(older))
    assert move_aside(str(older)) == database + ASIDE


def _impatient(data_dir: str) -> None:
    real = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda path, **options: real(path, **{**options, "timeout": 0.05}))
        move_aside(data_dir)


def test_file_in_place_of_the_queue_is_moved(tmp_path: Path) -> None:
    (tmp_path / "queue").write_bytes(b"an older format")
    (tmp_path / "queue.older").write_bytes(b"of another time")
    set_up(str(tmp_path))
    assert (tmp_path / "queue.older-2").read_bytes() == b"an older format"
    assert (tmp_path / "queue").is_dir()


@pytest.mark.parametrize("kind", ["UniqueAckQ", "SQLiteQueue", "FILOSQLiteQueue", "SQLiteAckQueue"])
def test_queues_of_every_kind_are_recognised_by_their_rows(tmp_path: Path, kind: str) -> None:
    queue = getattr(persistqueue, kind)(str(tmp_path / "old"))
    queue.put({"scene_id": 5})
    queue.close()
    assert holds_pickles(str(tmp_path / "old" / "data.db"))
    said = migrate(str(tmp_path))
    assert said is not None
    assert "old/data.db" in said


@pytest.mark.parametrize("protocol", [2, 3, 4, pickle.HIGHEST_PROTOCOL])
def test_pickles_of_every_protocol_are_known_by_their_first_bytes(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE 'my \"queue' (data BLOB)")
        db.execute("INSERT INTO 'my \"queue' VALUES (?)", (pickle.dumps({"a": 1}, protocol),))
        db.commit()
    assert holds_pickles(str(path))


def test_our_own_files_are_no_news(data_dir: str) -> None:
    assert not holds_pickles(str(Path(data_dir, "queue", "data.db")))
    assert not holds_pickles(str(Path(data_dir, "setup.lock")))
    assert migrate(data_dir) is None

"""Sync timestamps: visible at once to everybody, flushed in batches, readable by hand."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state import database, timestamps
from sync_queue.operations import load_sync_timestamps, save_sync_timestamp
from tests.sync_queue.support import together

pytestmark = pytest.mark.integration


def content(data_dir: Path) -> Any:
    """What stands in the file."""
    return json.loads((data_dir / timestamps.FILE).read_text())


def test_timestamps_of_an_empty_directory_are_none_and_create_no_file(tmp_path: Path) -> None:
    assert load_sync_timestamps(str(tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def test_saved_timestamp_is_seen_by_another_process_at_once(tmp_path: Path) -> None:
    save_sync_timestamp(str(tmp_path), 7, 1_700_000_000.5)
    assert together([["load", str(tmp_path)]]) == ["[(7, 1700000000.5)]\n"]


def test_timestamps_saved_by_several_processes_at_once_are_all_there(tmp_path: Path) -> None:
    # the file is there: its first making is no matter of hooks
    save_sync_timestamp(str(tmp_path), 99, 1.0)
    together([["save", str(tmp_path), str(number), f"{number}.5"] for number in range(1, 7)])
    assert load_sync_timestamps(str(tmp_path)) == {99: 1.0, **{number: number + 0.5 for number in range(1, 7)}}


def test_flush_moves_the_table_into_the_file(tmp_path: Path) -> None:
    for scene_id in (1, 2):
        save_sync_timestamp(str(tmp_path), scene_id, float(scene_id))
    assert not (tmp_path / timestamps.FILE).exists()
    timestamps.flush(str(tmp_path))
    assert content(tmp_path) == {"1": 1.0, "2": 2.0}
    assert _in_table(tmp_path) == 0
    save_sync_timestamp(str(tmp_path), 2, 9.0)
    assert load_sync_timestamps(str(tmp_path)) == {1: 1.0, 2: 9.0}
    timestamps.flush(str(tmp_path))
    assert content(tmp_path) == {"1": 1.0, "2": 9.0}


def _in_table(data_dir: Path) -> int:
    with closing(sqlite3.connect(data_dir / database.FILE)) as db:
        return int(db.execute("SELECT COUNT(*) FROM sync_timestamps").fetchone()[0])


def test_flushing_nothing_writes_no_file(tmp_path: Path) -> None:
    timestamps.flush(str(tmp_path))
    assert not (tmp_path / timestamps.FILE).exists()


def test_full_batch_is_flushed_automatically(tmp_path: Path) -> None:
    timestamps.save(str(tmp_path), dict.fromkeys(range(1, timestamps.BATCH), 1.0))
    assert not (tmp_path / timestamps.FILE).exists()
    save_sync_timestamp(str(tmp_path), timestamps.BATCH, 2.0)
    assert len(content(tmp_path)) == timestamps.BATCH
    assert _in_table(tmp_path) == 0


def test_forgotten_scene_is_gone_at_once_and_from_the_file(tmp_path: Path) -> None:
    timestamps.save(str(tmp_path), {1: 1.0, 2: 2.0})
    timestamps.flush(str(tmp_path))
    timestamps.save(str(tmp_path), {1: None, 5: None})
    assert load_sync_timestamps(str(tmp_path)) == {2: 2.0}
    assert content(tmp_path) == {"1": 1.0, "2": 2.0}
    timestamps.flush(str(tmp_path))
    assert content(tmp_path) == {"2": 2.0}
    save_sync_timestamp(str(tmp_path), 1, 3.0)
    assert load_sync_timestamps(str(tmp_path)) == {1: 3.0, 2: 2.0}


def test_file_with_odd_entries_is_read_as_far_as_possible(tmp_path: Path) -> None:
    (tmp_path / timestamps.FILE).write_text(
        '{"1": 5, "2": 6.5, "x": 1, "": 1, "-3": 1, "²": 1, "4": "7", "5": null, "6": NaN, "7": Infinity, "8": [1]}'
    )
    assert load_sync_timestamps(str(tmp_path)) == {1: 5.0, 2: 6.5}
    save_sync_timestamp(str(tmp_path), 3, 7.0)
    timestamps.flush(str(tmp_path))
    assert content(tmp_path) == {"1": 5.0, "2": 6.5, "3": 7.0}


@pytest.mark.parametrize("damage", [b"", b'{"1": 5', b"\xff\xfe", b"\x00" * 40])
def test_damaged_file_is_moved_aside(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / timestamps.FILE).write_bytes(damage)
    assert load_sync_timestamps(str(tmp_path)) == {}
    assert (tmp_path / f"{timestamps.FILE}.damaged").read_bytes() == damage
    save_sync_timestamp(str(tmp_path), 3, 7.0)
    timestamps.flush(str(tmp_path))
    assert content(tmp_path) == {"3": 7.0}


def test_file_without_an_object_has_no_timestamps(tmp_path: Path) -> None:
    (tmp_path / timestamps.FILE).write_text("[1, 2]")
    assert load_sync_timestamps(str(tmp_path)) == {}


def test_flush_during_a_load_hides_no_timestamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_sync_timestamp(str(tmp_path), 1, 5.0)
    read = timestamps._read_file
    flushed: list[bool] = []

    def read_and_flush(data_dir: str) -> dict[int, float]:
        found = read(data_dir)
        if not flushed:
            flushed.append(True)
            timestamps.flush(data_dir)
        return found

    monkeypatch.setattr(timestamps, "_read_file", read_and_flush)
    assert load_sync_timestamps(str(tmp_path)) == {1: 5.0}
    assert content(tmp_path) == {"1": 5.0}


def test_kill_between_file_and_table_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timestamps.save(str(tmp_path), {1: 5.0, 2: None})
    replace_json = timestamps.replace_json

    def replace_and_die(path: str, value: Any) -> None:
        replace_json(path, value)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(timestamps, "replace_json", replace_and_die)
        with pytest.raises(KeyboardInterrupt):
            timestamps.flush(str(tmp_path))
    assert (_in_table(tmp_path), content(tmp_path)) == (2, {"1": 5.0})
    assert load_sync_timestamps(str(tmp_path)) == {1: 5.0}
    timestamps.flush(str(tmp_path))
    assert (_in_table(tmp_path), content(tmp_path)) == (0, {"1": 5.0})


def test_full_disk_leaves_only_the_old_file_intact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "some.json"
    timestamps.replace_json(str(path), {"a": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            timestamps.replace_json(str(path), {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@given(
    values=st.dictionaries(
        st.integers(1, 2**40), st.floats(0, 1e11, allow_nan=False) | st.none(), min_size=1, max_size=8
    ),
    flushed=st.booleans(),
)
def test_saved_timestamps_are_loaded(
    tmp_path_factory: pytest.TempPathFactory, values: dict[int, float | None], flushed: bool
) -> None:
    data_dir = str(tmp_path_factory.mktemp("data"))
    timestamps.save(data_dir, values)
    if flushed:
        timestamps.flush(data_dir)
    assert load_sync_timestamps(data_dir) == {scene: moment for scene, moment in values.items() if moment is not None}

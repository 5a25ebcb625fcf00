"""The small files that the worker writes for others, and its log."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.detached_process import WAIT_FILE, end_wait
from state import worker_status
from state.worker_status import read_status, read_text
from worker import log_file, process, status_files
from worker.log_file import open_log
from worker.status_files import StatusFiles, read_wait

pytestmark = pytest.mark.integration


@pytest.fixture
def files(tmp_path: Path) -> StatusFiles:
    return StatusFiles(str(tmp_path))


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The plugin's own logger, put back as it was."""
    found = logging.getLogger("Stash2Plex")
    level, propagate = found.level, found.propagate
    yield found
    found.setLevel(level)
    found.propagate = propagate
    for handler in list(found.handlers):
        found.removeHandler(handler)
        handler.close()


def test_attention_stays_until_it_is_removed(files: StatusFiles, tmp_path: Path) -> None:
    path = tmp_path / "attention"
    files.set_attention("Plex is away: ünï")
    assert path.read_text(encoding="utf-8") == "Plex is away: ünï"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    files.set_attention("Something else")
    assert path.read_text() == "Something else"
    files.set_attention(None)
    assert not path.exists()
    files.set_attention(None)
    assert list(tmp_path.iterdir()) == []


def test_attention_that_is_unchanged_is_not_written_again(files: StatusFiles, tmp_path: Path) -> None:
    files.set_attention("Plex is away")
    before = os.stat(tmp_path / "attention")
    files.set_attention("Plex is away")
    assert os.stat(tmp_path / "attention") == before


def test_attention_of_an_earlier_worker_is_removed(files: StatusFiles, tmp_path: Path) -> None:
    files.set_attention("Plex is away")
    following = StatusFiles(str(tmp_path))
    following.load_attention()
    following.set_attention(None)
    assert not (tmp_path / "attention").exists()


def test_attention_removed_by_another_process_raises_nothing(files: StatusFiles, tmp_path: Path) -> None:
    files.set_attention("Plex is away")
    (tmp_path / "attention").unlink()
    files.set_attention(None)
    assert not (tmp_path / "attention").exists()


def test_status_records_since_when_the_state_holds(files: StatusFiles, tmp_path: Path) -> None:
    files.write_status(state="ready", waiting=3)
    first = read_status(str(tmp_path))
    assert (first["state"], first["waiting"], first["pid"]) == ("ready", 3, os.getpid())
    files.write_status(state="ready", waiting=2)
    second = read_status(str(tmp_path))
    assert (second["waiting"], second["since"]) == (2, first["since"])
    files.write_status(state="writing")
    third = read_status(str(tmp_path))
    assert third["since"] > first["since"]
    assert third["waiting"] == 2


def test_status_that_is_unchanged_is_not_written(files: StatusFiles, tmp_path: Path) -> None:
    files.write_status(state="ready", waiting=3)
    before = os.stat(tmp_path / "worker_status.json").st_ino
    files.write_status(state="ready")
    assert os.stat(tmp_path / "worker_status.json").st_ino == before


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "\x00"])
def test_status_that_is_unreadable_is_empty(tmp_path: Path, content: str) -> None:
    assert read_status(str(tmp_path)) == {}
    (tmp_path / "worker_status.json").write_text(content)
    assert read_status(str(tmp_path)) == {}


def test_status_tells_a_living_worker_from_one_that_ended(files: StatusFiles, tmp_path: Path) -> None:
    files.write_status(state="ready")
    status = read_status(str(tmp_path))
    assert worker_status.lives(status)
    assert not worker_status.lives({**status, "state": "gone"})
    assert not worker_status.lives({})
    ended = subprocess.Popen([sys.executable, "-c", ""])
    if os.path.isdir("/proc"):
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert not worker_status.lives({**status, "pid": ended.pid}), "dead, though not reaped"
    ended.wait()
    assert not worker_status.lives({**status, "pid": ended.pid})


def test_pause_doubles_each_time_and_ends_with_success(files: StatusFiles, tmp_path: Path) -> None:
    assert read_wait(str(tmp_path)) == (0.0, 0.0)
    pauses = []
    for _ in range(8):
        before = time.time()
        files.begin_pause()
        until, pause = read_wait(str(tmp_path))
        pauses.append(pause)
        assert before + pause - 0.1 <= until <= time.time() + pause + 0.1
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600]
    files.end_pause()
    files.end_pause()
    files.begin_pause()
    assert read_wait(str(tmp_path))[1] == 10


@pytest.mark.parametrize("content", ["", "soon", "1 2 3", "12"])
def test_pause_that_is_unreadable_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / WAIT_FILE).write_text(content)
    assert read_wait(str(tmp_path)) == (0.0, 0.0)


def test_read_text_of_a_large_or_missing_file_returns_little_or_none(tmp_path: Path) -> None:
    assert read_text(str(tmp_path / "nothing")) is None
    assert read_text(str(tmp_path)) is None
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert read_text(str(tmp_path / "binary")) is None
    (tmp_path / "large").write_text("x" * 100_000)
    assert len(read_text(str(tmp_path / "large")) or "") == 65_536


def test_log_file_is_rotated_in_the_data_directory(
    tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "MAX_LOG_BYTES", 2_000)
    open_log(str(tmp_path))
    child = logging.getLogger("Stash2Plex.worker")
    child.debug("not wanted")
    child.info("Ünï")
    text = (tmp_path / "stash2plex.log").read_text(encoding="utf-8")
    assert "INFO Ünï" in text
    assert "not wanted" not in text
    assert stat.S_IMODE(os.stat(tmp_path / "stash2plex.log").st_mode) == 0o600
    for number in range(500):
        child.info("line %s", number)
    logs = sorted(tmp_path.glob("stash2plex.log*"))
    assert len(logs) == 3
    assert all(log.stat().st_size <= 2_000 for log in logs)
    assert "line 499" in (tmp_path / "stash2plex.log").read_text()


def test_log_file_has_debug_lines_if_asked_for(tmp_path: Path, logger: logging.Logger) -> None:
    open_log(str(tmp_path), debug=True)
    logging.getLogger("Stash2Plex.worker").debug("wanted")
    assert "DEBUG wanted" in (tmp_path / "stash2plex.log").read_text()


# what the next worker does with the pause


def sits(path: Path) -> threading.Thread:
    thread = threading.Thread(target=process.wait_out_pause, args=(str(path),), daemon=True)
    thread.start()
    return thread


def test_wait_out_pause_ends_when_the_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / WAIT_FILE
    path.write_text(f"{time.time() + 300} 300")
    thread = sits(path)
    thread.join(0.05)
    assert thread.is_alive()
    end_wait(str(tmp_path))
    thread.join(10)
    assert not thread.is_alive()
    end_wait(str(tmp_path))


def test_wait_out_pause_ends_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / WAIT_FILE
    until = time.time() + 0.1
    path.write_text(f"{until} 10")
    thread = sits(path)
    thread.join(10)
    assert not thread.is_alive()
    assert time.time() >= until


@pytest.mark.parametrize("content", [None, "", "soon", "0 10", "{far} 10"])
def test_wait_out_pause_ignores_missing_past_and_impossible_times(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / WAIT_FILE
    if content is not None:
        path.write_text(content.format(far=time.time() + 100_000))
    begun = time.monotonic()
    process.wait_out_pause(str(path))
    assert time.monotonic() - begun < 0.2


def test_status_file_is_json_with_the_given_values(files: StatusFiles, tmp_path: Path) -> None:
    files.write_status(state="ready", reason="Plex is away", breaker="open")
    found = json.loads((tmp_path / "worker_status.json").read_text())
    assert (found["reason"], found["breaker"]) == ("Plex is away", "open")
    assert found["at"] <= time.time()


def test_remove_old_names_deletes_the_files_of_version_0_1_0_only(tmp_path: Path) -> None:
    for name in ("drainer.json", "drainer.wait", "worker_status.json", "worker.wait"):
        (tmp_path / name).write_text("{}")
    status_files.remove_old_names(str(tmp_path))
    status_files.remove_old_names(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker.wait", "worker_status.json"]

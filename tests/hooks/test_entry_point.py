"""The entry script as a module: what others may import of it, and the hook path with a queue at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import Stash2Plex
from common.data_dir import VARIABLE
from sync_queue.manager import QueueManager
from tests.sync_queue.support import waiting

from .support import ROOT, hook

pytestmark = pytest.mark.integration


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where this process keeps its data."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(Stash2Plex, "server_connection", {"Dir": "/root/.stash", "Port": 9999})
    return Stash2Plex.get_plugin_data_dir()


@pytest.fixture
def manager(data_dir: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[QueueManager]:
    """A process that was initialized, but for its worker."""
    found = QueueManager(data_dir)
    monkeypatch.setattr(Stash2Plex, "queue_manager", found)
    yield found
    found.shutdown()


def test_importing_reads_nothing_prints_nothing_and_makes_nothing(tmp_path: Path) -> None:
    code = (
        "import Stash2Plex as s; assert [s.queue_manager, s.dlq, s.worker, s.config, s.sync_timestamps] == [None] * 5"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PATH": "", VARIABLE: str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_data_directory_belongs_to_this_stash(data_dir: str, tmp_path: Path) -> None:
    assert data_dir == str(tmp_path / "root_.stash-9999")


def test_hook_without_initialization_queues_in_the_data_directory(data_dir: str) -> None:
    assert Stash2Plex.handle_hook(hook(5, title="x")) is True
    assert [job["scene_id"] for job in waiting(data_dir)] == [5]


def test_hook_uses_queue_and_timestamps_of_an_initialized_process(
    data_dir: str, manager: QueueManager, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stash2Plex, "sync_timestamps", {6: 9e12})
    assert Stash2Plex.handle_hook(hook(5, title="x")) is True
    assert Stash2Plex.handle_hook(hook(6, title="x")) is False
    assert "Scene 6 already synced (Stash: " in capfd.readouterr().err
    assert manager.get_queue().size == 1
    assert [job["scene_id"] for job in waiting(data_dir)] == [5]


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"type": "Scene.Update.Post"}, "\x01w\x02[Stash2Plex] Scene.Update.Post hook missing scene ID\n"),
        ({"type": "Tag.Merge.Post"}, "\x01w\x02[Stash2Plex] Tag.Merge.Post hook missing tag ID\n"),
        ({"type": "Tag.Create.Post", "id": 3}, "\x01d\x02[Stash2Plex] Unhandled hook type: Tag.Create.Post\n"),
    ],
)
def test_hook_that_cannot_be_queued_is_logged(
    data_dir: str, context: dict[str, Any], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert Stash2Plex.handle_hook(context) is False
    assert capfd.readouterr().err == said
    assert not Path(data_dir, "queue").exists()


def test_queue_that_was_shut_down_raises_and_loses_no_save(data_dir: str, manager: QueueManager) -> None:
    manager.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        Stash2Plex.handle_hook(hook(5, title="x"))


def test_old_python_names_itself_and_the_setting() -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (main)'; "
        f"runpy.run_path({str(ROOT / 'Stash2Plex.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"{}", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    error = json.loads(done.stdout)["error"]
    assert "needs Python 3.10 or newer; this is 3.9.1 at " + sys.executable in error
    assert "Settings > System > Python executable path" in error

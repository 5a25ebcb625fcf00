"""Starting the worker: once, with the lock handed over, and detached from the process that started it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common import detached_process
from common.detached_process import WAIT_FILE, end_wait, ensure_worker
from common.file_locks import WORKER_LOCK, try_lock, unlock

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
SECRET = "cookie-that-nobody-may-read"
CONNECTION = json.dumps({"SessionCookie": {"Value": SECRET}, "Port": 9999, "Dir": "/ünï"})

# Writes down how it was started, then lives until it is told to stop.
STAND_IN = """
import json, os, sys, time
data_dir = sys.argv[2]
note = sys.stdin.buffer.read().decode()
lock = int(sys.argv[3]) if len(sys.argv) > 3 else None
seen = {
    "pid": os.getpid(), "sid": os.getsid(0), "argv": sys.argv, "note": note, "environ": dict(os.environ),
    "lock": lock is not None and os.path.samestat(os.fstat(lock), os.stat(os.path.join(data_dir, "worker.lock"))),
    "streams": [os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in (1, 2)],
}
with open(os.path.join(data_dir, "new"), "w") as file:
    json.dump(seen, file)
os.rename(os.path.join(data_dir, "new"), os.path.join(data_dir, f"seen-{os.getpid()}"))
end = time.monotonic() + 60
while not os.path.exists(os.path.join(data_dir, "stop")) and time.monotonic() < end:
    time.sleep(0.01)
"""


def until(condition: Callable[[], Any]) -> Any:
    """Wait until ``condition`` is true and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return found


class Place:
    """A data directory and a plugin directory whose entry script is the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.data, self.plugin = folder / "data dir", folder / "plugin dir"
        self.data.mkdir()
        self.plugin.mkdir()
        (self.plugin / "Stash2Plex.py").write_text(STAND_IN)

    def ensure(self) -> bool:
        """What a hook does after its commit."""
        return ensure_worker(str(self.data), str(self.plugin), CONNECTION)

    def started(self) -> list[dict[str, Any]]:
        """What those wrote down that have been started so far."""
        return [json.loads(path.read_text()) for path in sorted(self.data.glob("seen-*"))]

    def lock_is_free(self) -> bool:
        handle = try_lock(str(self.data / WORKER_LOCK))
        if handle is not None:
            unlock(handle)
        return handle is not None

    def stop(self) -> None:
        """End those that were started, and take note of their end where they are children of ours."""
        (self.data / "stop").touch()
        for seen in self.started():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(seen["pid"], 0)
        until(self.lock_is_free)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.stop()


def without_posix_spawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that has none. ``subprocess`` has looked for it before and is not concerned."""
    monkeypatch.delattr(os, "posix_spawn")


def without_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system whose ``posix_spawn`` cannot begin a session."""

    def spawn(*_: Any, setsid: bool, **__: Any) -> int:
        raise NotImplementedError("posix_spawn: setsid unavailable on this platform")

    monkeypatch.setattr(os, "posix_spawn", spawn)


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "posix_spawn": lambda _: None,
    "subprocess": without_posix_spawn,
    "no sessions": without_sessions,
}


@pytest.fixture(params=WAYS)
def any_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With each of the ways to start a process."""
    WAYS[request.param](monkeypatch)


@pytest.mark.usefixtures("any_way")
def test_worker_gets_the_connection_the_lock_and_a_session_of_its_own(place: Place) -> None:
    assert place.ensure() is True
    (seen,) = until(place.started)
    assert seen["note"] == CONNECTION
    assert seen["argv"][:3] == [str(place.plugin / "Stash2Plex.py"), "worker", str(place.data)]
    assert len(seen["argv"]) == 4
    assert seen["lock"] is True
    assert seen["sid"] == seen["pid"] != os.getsid(0)
    assert seen["streams"] == [True, True]


@pytest.mark.usefixtures("any_way")
def test_while_one_lives_no_other_is_started(place: Place) -> None:
    assert place.ensure() is True
    assert place.ensure() is False
    (seen,) = until(place.started)
    assert place.ensure() is False
    assert not place.lock_is_free()
    place.stop()
    (place.data / "stop").unlink()
    assert place.ensure() is True
    until(lambda: len(place.started()) == 2)
    assert {one["pid"] for one in place.started()} > {seen["pid"]}


@pytest.mark.usefixtures("any_way")
def test_lock_is_held_without_a_gap_and_ends_with_the_worker(place: Place) -> None:
    assert place.ensure()
    # the caller has let go of its own copy already, the child may not even have begun
    assert not place.lock_is_free()
    until(place.started)
    assert not place.lock_is_free()
    place.stop()
    assert place.lock_is_free()


@pytest.mark.usefixtures("any_way")
def test_arguments_and_environment_hold_no_secret(place: Place) -> None:
    assert place.ensure()
    (seen,) = until(place.started)
    assert SECRET in seen["note"]
    assert SECRET not in json.dumps([seen["argv"], seen["environ"]])
    assert seen["environ"].get("PATH") == os.environ.get("PATH")


@pytest.mark.usefixtures("any_way")
def test_starting_leaves_no_descriptor_open(place: Place) -> None:
    before = set(os.listdir("/dev/fd"))
    assert place.ensure()
    assert place.ensure() is False
    assert set(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("way", WAYS)
def test_stash_sees_the_end_of_a_hook_while_the_worker_lives_on(place: Place, way: str) -> None:
    code = f"""
import os, sys
if {way!r} == "subprocess":
    del os.posix_spawn
from common.detached_process import ensure_worker
sys.exit(0 if ensure_worker(*sys.argv[1:]) else 3)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(place.data), str(place.plugin), CONNECTION],
        cwd=ROOT,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (seen,) = until(place.started)
    os.kill(seen["pid"], 0)
    assert not place.lock_is_free()


def test_worker_takes_the_lock_itself_if_it_cannot_be_inherited(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached_process, "INHERITABLE", False)
    assert place.ensure() is True
    (seen,) = until(place.started)
    assert seen["argv"][3:] == []
    assert seen["note"] == CONNECTION
    assert place.lock_is_free()


def test_windows_flags_are_used_where_there_are_any(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    popen = subprocess.Popen

    def started(command: list[str], *, creationflags: int = 0, **options: Any) -> subprocess.Popen[bytes]:
        asked.update(options, creationflags=creationflags)
        return popen(command, **options)

    monkeypatch.setattr(detached_process, "INHERITABLE", False)
    monkeypatch.setattr(subprocess, "DETACHED_PROCESS", 8, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    monkeypatch.setattr(subprocess, "Popen", started)
    assert place.ensure() is True
    (seen,) = until(place.started)
    assert seen["note"] == CONNECTION
    assert asked["creationflags"] == 520
    assert not {"pass_fds", "start_new_session"} & set(asked)


def test_worker_that_cannot_be_started_raises_and_frees_the_lock(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(os.listdir("/dev/fd"))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(place.plugin / "no-python"))
        with pytest.raises(OSError, match="no-python"):
            place.ensure()
    assert place.lock_is_free()
    assert set(os.listdir("/dev/fd")) == before
    assert place.ensure() is True
    until(place.started)


def test_lock_that_cannot_be_opened_raises(place: Place) -> None:
    with pytest.raises(OSError, match="No such file"):
        ensure_worker(str(place.data / "missing"), str(place.plugin), CONNECTION)


def test_wait_can_be_ended_repeatedly(place: Place) -> None:
    (place.data / WAIT_FILE).write_text("9999999999")
    end_wait(str(place.data))
    assert not (place.data / WAIT_FILE).exists()
    end_wait(str(place.data))

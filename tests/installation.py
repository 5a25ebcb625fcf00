"""A complete installation for one test: a Stash with the real plugin and a Plex, both over real HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from common import reconcile_due
from sandbox.library import Library, generate
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from sandbox.stash import StashSim

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "Stash2Plex"
SAVE = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id updated_at } }"
BULK = "mutation($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }"
SCENE = """query($i: ID!) { findScene(id: $i) { id title details date rating100 updated_at files { path }
  studio { name } performers { name disambiguation } tags { name } } }"""


class Installation:
    """A simulated Stash and Plex with the plugin between them, and the steps that many tests share."""

    root = ROOT

    def __init__(self, folder: Path, library: Library, **stash_options: Any) -> None:
        self.library = library
        self.plex = PlexSim()
        self.folder = folder
        self.stash = StashSim(folder / "stash", library=library, **stash_options)

    def start(
        self,
        *,
        configured: bool = True,
        in_plex: Callable[[str], bool] = lambda path: True,
        reconciled: bool = True,
    ) -> None:
        """Start both servers, add the library's files to Plex, install the plugin and (``configured``) set it up.

        ``reconciled``: pretend that a reconciliation has just run, so that the first hook does not start one. It would
        silently repair what hooks and worker must be seen to do by themselves.
        """
        reap_child_processes()
        self.plex.start()
        self.section = self.plex.add_section("Scenes", ["/data"])
        for path, size, duration in files_of(self.library):
            if in_plex(path):
                self.plex.add_item(self.section, [(path, size, duration)])
        self.stash.start()
        assert self.stash.add_plugin(ROOT) is not None
        if reconciled:
            self.data.mkdir(mode=0o700)
            (self.data / reconcile_due.FILE).touch()
            os.utime(self.data / reconcile_due.FILE, (time.time(), time.time() + reconcile_due.QUIET_AFTER_RUN_S / 2))
        if configured:
            self.configure()

    def configure(self, **settings: Any) -> None:
        """Store the plugin's settings in Stash: address, token, and ``settings``."""
        self.stash.configure(PLUGIN, {"plex_url": self.plex.url, "plex_token": self.plex.token, **settings})

    def make_reconciliation_due(self) -> None:
        """Forget the last reconciliation, so that the next hook or operation starts one."""
        (self.data / reconcile_due.FILE).unlink()

    def stop(self) -> None:
        """Stop the worker with SIGTERM, then both servers."""
        self.plex.faults.clear()
        self.stop_worker()
        self.stash.stop()
        self.plex.stop()

    # the plugin

    @property
    def data(self) -> Path:
        """The plugin's data directory."""
        return self.folder / "stash" / "plugins" / PLUGIN / "data"

    def worker_pid(self) -> int | None:
        """Return the process id of the running worker, or None."""
        try:
            pid = int(json.loads((self.data / "worker_status.json").read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return None
        return pid if is_process_alive(pid) else None

    def stop_worker(self, signal_number: int = signal.SIGTERM) -> None:
        """Send the worker a signal and wait until its lock is free."""
        if not self.data.exists():
            return
        (self.data / "worker.wait").unlink(missing_ok=True)
        signalled: set[int] = set()

        def has_ended() -> bool:
            pid = self.worker_pid()  # a worker that has only just started has not written its pid yet
            if pid is not None and pid not in signalled:
                signalled.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            return not self.is_worker_lock_held()

        wait_for(has_ended, 30, "the worker to release its lock")

    def is_worker_lock_held(self) -> bool:
        """Return whether a worker holds its lock."""
        from common.file_locks import try_lock, unlock

        handle = try_lock(str(self.data / "worker.lock"))
        if handle is not None:
            unlock(handle)
        return handle is None

    def queue_counts(self) -> dict[str, int]:
        """Return the number of queue rows by state."""
        from sync_queue.operations import get_stats

        return get_stats(str(self.data / "queue"))

    def wait_until_idle(self, seconds: float = 30) -> None:
        """Wait until no job is waiting or in flight."""

        def is_empty() -> bool:
            counts = self.queue_counts()  # read once: between two reads a row in flight may go back to waiting
            return not (counts["waiting"] or counts["in_flight"])

        wait_for(is_empty, seconds, "the queue to be empty")

    def attention(self) -> str | None:
        """Return the sentence that says why edits are waiting, or None."""
        try:
            return (self.data / "attention").read_text()
        except FileNotFoundError:
            return None

    def wait_until_paused(self) -> None:
        """Wait until the worker has noticed that Enabled is off and has returned its jobs to the queue."""
        wait_for(lambda: "paused" in (self.attention() or ""), 20, "the pause to be reported")
        wait_for(lambda: self.queue_counts()["in_flight"] == 0, 20, "the jobs in flight to return to the queue")

    def task(self, name: str, **args: Any) -> Any:
        """Run a task of Stash's menu and wait for its end."""
        return self.stash.run_task(PLUGIN, name, args or None)

    def logged_errors(self) -> list[str]:
        """Return the lines at error level in Stash's log."""
        return [line.message for line in self.stash.log if line.level == "Error"]

    # scenes

    def scenes_with_file(self, count: int = 1, *, multiple_files: bool = False) -> list[int]:
        """Return the ids of ``count`` scenes with a studio and one file (``multiple_files``: several) of their own."""
        uses: dict[str, int] = {}
        for scene in self.library.scenes:
            for file in scene.files:
                uses[file.path] = uses.get(file.path, 0) + 1
        chosen = [
            int(scene.id)
            for scene in self.library.scenes
            if scene.studio_id is not None
            and (len(scene.files) > 1 if multiple_files else len(scene.files) == 1)
            and all(uses[file.path] == 1 for file in scene.files)
        ]
        assert len(chosen) >= count, "the generated library is too small for this test"
        return chosen[:count]

    def save(self, scene_id: int, **fields: Any) -> None:
        """Save a scene over HTTP as Stash's page does; return when Stash has answered."""
        self.stash.gql(SAVE, {"i": {"id": str(scene_id), **fields}})

    def scene(self, scene_id: int) -> dict[str, Any]:
        """Return a scene as Stash's API shows it."""
        found = self.stash.gql(SCENE, {"i": str(scene_id)})["findScene"]
        assert isinstance(found, dict)
        return found

    def item(self, scene_id: int) -> Item:
        """Return the Plex item of a scene's first file."""
        item = self.plex.find(self.scene(scene_id)["files"][0]["path"])
        assert item is not None
        return item

    def wait_until_plex_shows(self, scene_id: int, **expected: Any) -> None:
        """Wait until the scene's Plex item has these attributes."""
        item = self.item(scene_id)
        wait_for(
            lambda: all(getattr(item, name) == value for name, value in expected.items()),
            30,
            lambda: f"{expected}; Plex shows { {name: getattr(item, name) for name in expected} }",
        )

    def differences(self, scene_ids: Iterable[int]) -> list[str]:
        """Return where Plex differs from Stash, compared by the tests' own rules and not by the plugin."""
        return [line for scene_id in scene_ids for line in differences(self.scene(scene_id), self.plex)]


def differences(scene: dict[str, Any], plex: PlexSim) -> list[str]:
    """Return how a scene and its Plex items differ, field by field; nothing for a scene that is never sent."""
    meaningful = scene["studio"] or scene["performers"] or scene["tags"] or scene["details"] or scene["date"]
    if not scene["files"] or not meaningful:
        return []
    names = [person["name"] for person in scene["performers"]]
    found = []
    for file in scene["files"]:
        item = plex.find(file["path"])
        if item is None:
            found.append(f"{scene['id']}: no item for {file['path']}")
            continue
        wanted = {
            "title": scene["title"] or Path(scene["files"][0]["path"]).stem,
            "summary": (scene["details"] or "").replace("\r\n", "\n"),
            "studio": (scene["studio"] or {}).get("name", ""),
            "originally_available_at": complete_date(scene["date"]),
            "genre": sorted({tag["name"] for tag in scene["tags"]}, key=str.casefold),
            "actor": sorted(
                {
                    f"{p['name']} ({p['disambiguation']})"
                    if names.count(p["name"]) > 1 and p["disambiguation"]
                    else p["name"]
                    for p in scene["performers"]
                },
                key=str.casefold,
            ),
        }
        if scene["rating100"] is not None:
            wanted["user_rating"] = scene["rating100"] / 10
        shown = {
            "title": item.title,
            "summary": item.summary,
            "studio": item.studio,
            "originally_available_at": item.originally_available_at,
            "genre": sorted(item.tags("genre"), key=str.casefold),
            "actor": sorted(item.tags("actor"), key=str.casefold),
            "user_rating": item.user_rating,
        }
        found += [
            f"{scene['id']} {name}: {shown[name]!r} instead of {value!r}"
            for name, value in wanted.items()
            if normalized(shown[name]) != normalized(value)
        ]
    return found


def normalized(value: Any) -> Any:
    """Return a value as Plex compares it: tags ignore letter case, and missing equals empty."""
    if isinstance(value, list):
        return [name.casefold() for name in value]
    return value or ""


def complete_date(date: str | None) -> str:
    """Complete a year or a month with its first day."""
    return "" if not date else (date + "-01-01")[:10] if len(date) == 4 else (date + "-01")[:10]


def files_of(library: Library) -> Iterator[tuple[str, int, float]]:
    """Yield path, size and duration of every file of a library once."""
    seen = set()
    for scene in library.scenes:
        for file in scene.files:
            if file.path not in seen:
                seen.add(file.path)
                yield file.path, file.size, file.duration


def is_process_alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def wait_for(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait until a condition holds; fail the test with ``what`` after ``seconds``."""
    poll_until(condition, seconds, what, 0.02)


def poll_until(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str], pause_s: float) -> None:
    """Check a condition until it holds, and pause between two checks for at least as long as one check takes.

    Some checks start a process, which takes its time from what the test waits for.
    """
    checked_at = time.monotonic()
    deadline = checked_at + seconds
    while not condition():
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what if isinstance(what, str) else what()}")
        time.sleep(max(pause_s, min(now - checked_at, 0.2)))
        checked_at = time.monotonic()


def small_library(scenes: int = 60) -> Library:
    """Return a generated library that contains every oddity of the generator."""
    return generate(1, scenes)


def reap_child_processes() -> None:
    """Reap the ended children of this process: other tests leave some, and the health check takes them for Stash's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

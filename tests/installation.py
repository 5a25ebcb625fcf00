"""A whole installation for one test: Stash with the real plugin in it, Plex beside it, both over real HTTP."""

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
    """``stash`` and ``plex`` are the simulators; what follows is what tests do over and over."""

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
        compared: bool = True,
    ) -> None:
        """Open both servers, put the library's files into Plex, install the plugin and (``configured``) set it up.

        ``compared``: Stash and Plex have just been, so that the first hook starts no run. It would heal in the dark
        what hooks and drainer are to be seen to do by themselves.
        """
        fetch_the_dead()
        self.plex.start()
        self.section = self.plex.add_section("Scenes", ["/data"])
        for path, size, duration in files(self.library):
            if in_plex(path):
                self.plex.add_item(self.section, [(path, size, duration)])
        self.stash.start()
        assert self.stash.add_plugin(ROOT) is not None
        if compared:
            self.data.mkdir(mode=0o700)
            (self.data / reconcile_due.FILE).touch()
            os.utime(self.data / reconcile_due.FILE, (time.time(), time.time() + reconcile_due.QUIET / 2))
        if configured:
            self.configure()

    def configure(self, **settings: Any) -> None:
        """Store the plugin's settings in Stash: address and token, and what is given."""
        self.stash.configure(PLUGIN, {"plex_url": self.plex.url, "plex_token": self.plex.token, **settings})

    def not_compared(self) -> None:
        """As long after the last run as after the first start: whatever looks next begins one."""
        (self.data / reconcile_due.FILE).unlink()

    def stop(self) -> None:
        """End the drainer in peace, then both servers."""
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
        """The process id of the living drainer, or None."""
        try:
            pid = int(json.loads((self.data / "drainer.json").read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return None
        return pid if alive(pid) else None

    def stop_worker(self, how: int = signal.SIGTERM) -> None:
        """Send the drainer a signal and wait until its lock is free."""
        if not self.data.exists():
            return
        (self.data / "drainer.wait").unlink(missing_ok=True)
        told: set[int] = set()

        def gone() -> bool:
            pid = self.worker_pid()  # one that has only just begun has not said yet who it is
            if pid is not None and pid not in told:
                told.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            return not self.locked()

        wait(gone, 30, "the drainer to let go of its lock")

    def locked(self) -> bool:
        """Whether a drainer holds the lock."""
        from common.file_locks import try_lock, unlock

        handle = try_lock(str(self.data / "worker.lock"))
        if handle is not None:
            unlock(handle)
        return handle is None

    def queue(self) -> dict[str, int]:
        """The queue's rows by state."""
        from sync_queue.operations import get_stats

        return get_stats(str(self.data / "queue"))

    def quiet(self, seconds: float = 30) -> None:
        """Wait until nothing waits and nothing is in flight."""

        def dry() -> bool:
            rows = self.queue()  # one look: between two, rows in flight may have become rows that wait
            return not (rows["waiting"] or rows["in_flight"])

        wait(dry, seconds, "the queue to run dry")

    def attention(self) -> str | None:
        """What the plugin wants a person to know."""
        try:
            return (self.data / "attention").read_text()
        except FileNotFoundError:
            return None

    def paused(self) -> None:
        """Wait until the drainer has noticed that Enabled is off, and has given back what it had in hand."""
        wait(lambda: "paused" in (self.attention() or ""), 20, "the pause to be said")
        wait(lambda: self.queue()["in_flight"] == 0, 20, "the rows to be given back")

    def task(self, name: str, **args: Any) -> Any:
        """Run a task of the menu to its end."""
        return self.stash.run_task(PLUGIN, name, args or None)

    def complaints(self) -> list[str]:
        """Lines at error level in Stash's log."""
        return [line.message for line in self.stash.log if line.level == "Error"]

    # scenes

    def with_file(self, count: int = 1, *, several: bool = False) -> list[int]:
        """Ids of scenes that have a studio and one file (``several``: more) that no other scene has."""
        seen: dict[str, int] = {}
        for scene in self.library.scenes:
            for file in scene.files:
                seen[file.path] = seen.get(file.path, 0) + 1
        chosen = [
            int(scene.id)
            for scene in self.library.scenes
            if scene.studio_id is not None
            and (len(scene.files) > 1 if several else len(scene.files) == 1)
            and all(seen[file.path] == 1 for file in scene.files)
        ]
        assert len(chosen) >= count, "the generated library is too small for this test"
        return chosen[:count]

    def save(self, scene_id: int, **fields: Any) -> None:
        """Save a scene as a person does, over HTTP; returns when Stash has answered."""
        self.stash.gql(SAVE, {"i": {"id": str(scene_id), **fields}})

    def scene(self, scene_id: int) -> dict[str, Any]:
        """A scene as Stash gives it."""
        found = self.stash.gql(SCENE, {"i": str(scene_id)})["findScene"]
        assert isinstance(found, dict)
        return found

    def item(self, scene_id: int) -> Item:
        """The item of a scene's first file."""
        item = self.plex.find(self.scene(scene_id)["files"][0]["path"])
        assert item is not None
        return item

    def shows(self, scene_id: int, **expected: Any) -> None:
        """Wait until Plex shows these attributes for a scene."""
        item = self.item(scene_id)
        wait(
            lambda: all(getattr(item, name) == value for name, value in expected.items()),
            30,
            lambda: f"{expected}; Plex shows { {name: getattr(item, name) for name in expected} }",
        )

    def differences(self, scene_ids: Iterable[int]) -> list[str]:
        """Where Plex does not equal Stash, judged here and not by the plugin."""
        return [line for scene_id in scene_ids for line in differences(self.scene(scene_id), self.plex)]


def differences(scene: dict[str, Any], plex: PlexSim) -> list[str]:
    """What is not as it should be in Plex for one scene, field by field; nothing for one that is never pushed."""
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
            "originally_available_at": whole(scene["date"]),
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
            if fold(shown[name]) != fold(value)
        ]
    return found


def fold(value: Any) -> Any:
    """As Plex compares: tags without case, nothing and empty alike."""
    if isinstance(value, list):
        return [name.casefold() for name in value]
    return value or ""


def whole(date: str | None) -> str:
    """A partial date completed with first days."""
    return "" if not date else (date + "-01-01")[:10] if len(date) == 4 else (date + "-01")[:10]


def files(library: Library) -> Iterator[tuple[str, int, float]]:
    """Every file of a library once."""
    seen = set()
    for scene in library.scenes:
        for file in scene.files:
            if file.path not in seen:
                seen.add(file.path)
                yield file.path, file.size, file.duration


def alive(pid: int) -> bool:
    """Whether a process lives (one that is dead but not yet reaped does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def wait(true: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Wait for a condition; fails the test with ``what`` was waited for."""
    look(true, seconds, what, 0.02)


def look(true: Callable[[], bool], seconds: float, what: str | Callable[[], str], pause: float) -> None:
    """Look again and again; between two looks at least as long as a look takes: some start a process, which would
    take its time from what is waited for."""
    began = time.monotonic()
    end = began + seconds
    while not true():
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"waited {seconds:g} s for {what if isinstance(what, str) else what()}")
        time.sleep(max(pause, min(now - began, 0.2)))
        began = time.monotonic()


def small_library(scenes: int = 60) -> Library:
    """A generated library with every oddity of the generator in it."""
    return generate(1, scenes)


def fetch_the_dead() -> None:
    """Fetch the children of this process that have ended: other tests start some that nobody waits for, and to the
    health check this process is Stash."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

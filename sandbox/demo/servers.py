"""Both simulated servers with one generated library and the installed plugin, in a temporary directory."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from types import TracebackType

from sandbox.hostpage import built
from sandbox.library import Library, generate
from sandbox.plex import PlexSim, Tag
from sandbox.stash import Scene, StashSim, jpeg

PLUGIN = "Stash2Plex"
SOURCE = Path(__file__).resolve().parents[2]
LIBRARY = "Scenes"
# Every eighth item shows values that an earlier tool left.
OLD_VALUES_EVERY = 8
# Every third scene has a chosen cover.
COVER_EVERY = 3
_STOP_TIMEOUT_S = 8.0


class DemoServers:
    """Stash and Plex with one generated library; Plex has one item for each distinct file.

    Use it as a context manager: at its end it stops the worker and both servers and removes the temporary directory.
    """

    def __init__(self, scenes: int, seed: int = 1, *, old_values: bool = True) -> None:
        self.library: Library = generate(seed, scenes)
        self.home = Path(tempfile.mkdtemp(prefix="stash2plex-demo-"))
        self.plex = PlexSim()
        # A data directory in the caller's environment would be used by two plugins at once.
        env = {"STASH_PLUGIN_DATA": ""}
        self.stash = StashSim(self.home / "stash", library=self.library, env=env, hostpage=built())
        self.section = self.plex.add_section(LIBRARY, ["/data"])
        files = {file.path: file for scene in self.library.scenes for file in scene.files}
        self.plex.load(self.section, [(file.path, file.size, file.duration) for file in files.values()])
        if old_values:
            self._leave_old_values()
        for scene in self.stash.scenes:
            if scene.id % COVER_EVERY == 0:
                shade = scene.id * 37 % 256
                picture = jpeg(64, 36, (shade, 255 - shade, 128))
                self.stash.store.scenes.change(scene.id, functools.partial(_set_cover, picture))

    @property
    def plugin_dir(self) -> Path:
        """The folder of the installed plugin."""
        return self.home / "stash" / "plugins" / PLUGIN

    @property
    def data_dir(self) -> Path:
        """The folder of the plugin's queue, state and log."""
        return self.plugin_dir / "data"

    def __enter__(self) -> DemoServers:
        try:
            self.plex.start()
            self.stash.start()
            if self.stash.add_plugin(SOURCE) is None:
                raise RuntimeError("Stash did not load the plugin: " + "; ".join(x.message for x in self.stash.log))
            self.stash.configure(PLUGIN, {"plex_url": self.plex.url, "plex_token": self.plex.token})
        except BaseException:  # raised again: an interrupt must leave no server and no folder behind
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the worker while both servers still run, then the servers, and remove the directory."""
        try:
            self._wait_for_reconciliation()
            self.stop_worker()
        finally:
            self.stash.stop()
            self.plex.stop()
            shutil.rmtree(self.home, ignore_errors=True)

    def worker_pid(self) -> int | None:
        """Return the process id of the worker, or None if none runs."""
        try:
            known = json.loads((self.data_dir / "worker_status.json").read_text())
        except (OSError, ValueError):
            return None
        return None if known.get("state") == "gone" else int(known["pid"])

    def stop_worker(self) -> None:
        """Stop the worker with SIGTERM and wait; kill it if it does not end in time."""
        end = time.monotonic() + _STOP_TIMEOUT_S
        if not (self.data_dir / "worker.lock").exists():
            return
        # A worker that has only just been started has not written its pid yet.
        while not (self.data_dir / "worker_status.json").exists() and time.monotonic() < end:
            time.sleep(0.05)
        pid = self.worker_pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            while self.worker_pid() == pid and time.monotonic() < end:
                os.kill(pid, 0)
                time.sleep(0.02)
            if self.worker_pid() == pid:
                os.kill(pid, signal.SIGKILL)

    def _wait_for_reconciliation(self) -> None:
        """Wait for the reconciliation that the first save may have started: it writes into the directory."""
        end = time.monotonic() + _STOP_TIMEOUT_S
        while self.data_dir.exists() and time.monotonic() < end:
            if not _is_locked(self.data_dir / "reconcile.lock"):
                return
            time.sleep(0.05)

    def _leave_old_values(self) -> None:
        for item in self.plex.items[::OLD_VALUES_EVERY]:
            item.summary, item.studio = "A text from an older tool.", "Some Other Studio"
            item.genres.append(Tag("Left over"))


def _is_locked(path: Path) -> bool:
    try:
        import fcntl  # absent on Windows
    except ImportError:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _set_cover(picture: bytes, scene: Scene) -> None:
    scene.cover = picture

"""The two servers with a library each, the plugin installed in one of them, and a way to end it all."""

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

from common.file_locks import try_lock, unlock
from reconciliation.launch import LOCK
from sandbox.hostpage import built
from sandbox.library import Library, generate
from sandbox.plex import PlexSim, Tag
from sandbox.stash import Scene, StashSim, jpeg

PLUGIN = "Stash2Plex"
SOURCE = Path(__file__).resolve().parents[2]
LIBRARY = "Scenes"
# What an earlier tool may have left behind in every eighth item.
OLD_EVERY = 8
# Of every third scene somebody has chosen a cover.
COVER_EVERY = 3
_FAREWELL = 8.0


class DemoServers:
    """Stash and Plex over one generated library: in Plex one item for each distinct file.

    A context manager; at its end the drainer is stopped, both servers are, and the temporary directory is gone.
    """

    def __init__(self, scenes: int, seed: int = 1, *, old: bool = True) -> None:
        self.library: Library = generate(seed, scenes)
        self.home = Path(tempfile.mkdtemp(prefix="stash2plex-demo-"))
        self.plex = PlexSim()
        # A place of its own in the environment of whoever runs this would mix two data directories.
        env = {"STASH_PLUGIN_DATA": ""}
        self.stash = StashSim(self.home / "stash", library=self.library, env=env, hostpage=built())
        self.section = self.plex.add_section(LIBRARY, ["/data"])
        files = {file.path: file for scene in self.library.scenes for file in scene.files}
        self.plex.load(self.section, [(file.path, file.size, file.duration) for file in files.values()])
        if old:
            self._leave_old_values()
        for scene in self.stash.scenes:
            if scene.id % COVER_EVERY == 0:
                shade = scene.id * 37 % 256
                picture = jpeg(64, 36, (shade, 255 - shade, 128))
                self.stash.store.scenes.change(scene.id, functools.partial(_cover, picture))

    @property
    def plugin_dir(self) -> Path:
        """Where the plugin is installed."""
        return self.home / "stash" / "plugins" / PLUGIN

    @property
    def data_dir(self) -> Path:
        """Where the plugin keeps its queue, ledger and log."""
        return self.plugin_dir / "data"

    def __enter__(self) -> DemoServers:
        try:
            self.plex.start()
            self.stash.start()
            if self.stash.add_plugin(SOURCE) is None:
                raise RuntimeError("Stash did not load the plugin: " + "; ".join(x.message for x in self.stash.log))
            self.stash.configure(PLUGIN, {"plex_url": self.plex.url, "plex_token": self.plex.token})
        except BaseException:  # raised again; an interrupt leaves no server and no folder behind
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the drainer while its servers are still there, then them, and remove everything."""
        try:
            self._let_comparison_end()
            self.stop_worker()
        finally:
            self.stash.stop()
            self.plex.stop()
            shutil.rmtree(self.home, ignore_errors=True)

    def worker_pid(self) -> int | None:
        """The process id of the drainer, or None where none lives."""
        try:
            known = json.loads((self.data_dir / "drainer.json").read_text())
        except (OSError, ValueError):
            return None
        return None if known.get("state") == "gone" else int(known["pid"])

    def stop_worker(self) -> None:
        """Ask the drainer to leave and wait until it has; without an answer it is killed."""
        end = time.monotonic() + _FAREWELL
        if not (self.data_dir / "worker.lock").exists():
            return
        # One that has only just been started has not written down its id yet.
        while not (self.data_dir / "drainer.json").exists() and time.monotonic() < end:
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

    def _let_comparison_end(self) -> None:
        """A run that the first save began by itself writes into what is to be removed."""
        end = time.monotonic() + _FAREWELL
        while self.data_dir.exists() and time.monotonic() < end:
            lock = try_lock(str(self.data_dir / LOCK))
            if lock is not None:
                unlock(lock)
                return
            time.sleep(0.05)

    def _leave_old_values(self) -> None:
        for item in self.plex.items[::OLD_EVERY]:
            item.summary, item.studio = "Words that nobody needs any more.", "Some Other Studio"
            item.genres.append(Tag("Left over"))


def _cover(picture: bytes, scene: Scene) -> None:
    scene.cover = picture

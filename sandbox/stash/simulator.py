"""The simulated Stash for tests and the demo: start it, fill it, use it and break it."""

from __future__ import annotations

import ssl
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from pathlib import Path
from types import TracebackType
from typing import Any

from ..http import HttpServer
from ..library import Library
from .auth import Sessions
from .client import Browser, StashGraphQLError
from .clock import Clock
from .core import Core, Options
from .faults import Faults
from .install import install
from .jobs import Job
from .log import LogLine
from .manifest import Manifest
from .model import Scene
from .plugins import ProcessEnvironment
from .process import PluginProcess
from .scan import NewFile, Scanner
from .server import THROUGH_FAULTS, RequestCounter, RequestRecord, Server
from .store import Store

_RUN_TASK = """mutation($plugin: ID!, $task: String, $args: Map) {
  runPluginTask(plugin_id: $plugin, task_name: $task, args_map: $args) }"""


class StashSim:
    """A Stash server on a free port of 127.0.0.1.

    ``config_dir`` plays /root/.stash: plugins live in its ``plugins`` folder, and plugin processes start there.
    ``bind_host`` is what plugins are told as Host. ``max_session_age`` in seconds. ``env`` is added to the environment
    of plugin processes. With ``username`` and ``password`` everybody has to prove who they are. ``hostpage`` is the
    bundle of ``sandbox.hostpage``: with it there are pages that a browser can look at.
    """

    def __init__(
        self,
        config_dir: Path,
        *,
        library: Library | None = None,
        python: str = sys.executable,
        username: str = "",
        password: str = "",
        api_key: str = "",
        max_session_age: float = 3600.0,
        timezone: str | tzinfo = "Australia/Sydney",
        version: str = "v0.30.1-19",
        bind_host: str = "0.0.0.0",
        env: Mapping[str, str] | None = None,
        parallel_tasks: int = 1,
        external_host: str = "",
        relative_plugin_dir: bool = False,
        null_cookie: bool = False,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
        hostpage: Path | None = None,
    ) -> None:
        (config_dir / "plugins").mkdir(parents=True, exist_ok=True)
        scheme = "https" if tls else "http"
        options = Options(config_dir, python, version, parallel_tasks, external_host, scheme, hostpage)
        sessions = Sessions(username, password, api_key, max_session_age)
        environment = ProcessEnvironment(
            config_dir=config_dir,
            python=python,
            env=env or {},
            address=lambda: (scheme, bind_host, self._http.port),
            relative_plugin_dir=relative_plugin_dir,
            null_cookie=null_cookie,
            cookie_of_go_1_23=options.at_least >= (0, 29),
        )
        self.core = Core(options, Clock(timezone), sessions, environment)
        self._traffic = RequestCounter()
        self._server = Server(self.core, self._traffic)
        self._http = HttpServer(self._server.handle, port=port, tls=tls)
        self._tls = tls is not None
        self.faults = Faults(self._http)
        self._server.faults = self.faults
        self._scanner = Scanner(self.core)
        self._browser: Browser | None = None
        if library is not None:
            self.core.store.load(library)

    def start(self) -> None:
        """Load the installed plugins and open the port."""
        self.core.write_config()
        self.core.plugins.reload()
        self._http.start()
        user = self.core.sessions.username
        self._browser = Browser(self._http.port, self.core.sessions.issue(user), self._tls)

    def stop(self) -> None:
        """Close the port, stop jobs, kill plugin processes that still run (not what they left behind)."""
        self.core.closing.set()
        self._http.stop()
        self.core.jobs.close()
        deadline = time.monotonic() + 5.0
        while any(process.ended is None for process in self.processes) and time.monotonic() < deadline:
            time.sleep(0.005)

    def __enter__(self) -> StashSim:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- state --------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address, without a trailing slash."""
        return self._http.url

    @property
    def port(self) -> int:
        """The port, the same for the whole life of the simulator."""
        return self._http.port

    @property
    def store(self) -> Store:
        """The database."""
        return self.core.store

    @property
    def scenes(self) -> list[Scene]:
        """All current scenes in id order."""
        return list(self.core.store.scenes)

    def scene(self, scene_id: int | str) -> Scene:
        """Return the stored scene; read it again after a change. Raise KeyError."""
        return self.core.store.scenes[int(scene_id)]

    def paths(self, scene_id: int | str) -> list[str]:
        """Return the paths of a scene's files, primary first."""
        return self.core.store.paths_of(self.scene(scene_id))

    @property
    def log(self) -> list[LogLine]:
        """Every log line so far, of every level."""
        return self.core.log.lines

    @property
    def processes(self) -> list[PluginProcess]:
        """Every plugin process so far, in the order of their starts."""
        return self.core.plugins.processes

    @property
    def counters(self) -> Counter[str]:
        """Requests by kind: ``graphql``, ``graphql:<root field>``, ``image``, ``other``."""
        return self._traffic.counters

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far."""
        return self._traffic.requests

    def reset_counters(self) -> None:
        """Forget the requests so far."""
        self._traffic.reset()

    def job(self, job_id: int | str) -> Job | None:
        """Return a waiting or running job, or one of the last ten that ended."""
        return self.core.jobs.find(int(job_id))

    # --- actions ------------------------------------------------------------------------------------------------------

    def gql(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout: float = 60.0,
        headers: Mapping[str, str] | None = None,
        through_faults: bool = False,
    ) -> dict[str, Any]:
        """Send a query as a logged-in browser does and return ``data``; ``through_faults`` bypasses the fault switches.

        Raise :class:`StashGraphQLError`, or TimeoutError after ``timeout`` seconds.
        """
        if self._browser is None:
            raise RuntimeError("the simulator has not been started")
        extra = {**(headers or {}), **({THROUGH_FAULTS: "yes"} if through_faults else {})}
        return self._browser.gql(query, variables, timeout, extra)

    def run_task(
        self, plugin_id: str, task: str | None, args: Mapping[str, Any] | None = None, timeout: float = 60
    ) -> Job:
        """Start a task as the Tasks page does and wait for its end. Raise TimeoutError after so many seconds."""
        sent = {"plugin": plugin_id, "task": task, "args": dict(args) if args is not None else None}
        job = self.job(self.gql(_RUN_TASK, sent)["runPluginTask"])
        if job is None:
            raise LookupError("the job was forgotten at once")
        if not job.done.wait(timeout):
            raise TimeoutError(f"job {job.id} ({job.description}) is {job.status} after {timeout} s")
        return job

    def add_plugin(self, source: Path, *, entries: Iterable[str] | None = None, copy: bool = False) -> Manifest | None:
        """Install a plugin folder (or manifest) by links or copies. Return the loaded manifest.

        ``entries`` are the top-level names that it needs; by default the manifest, every ``*.py`` and every package.
        """
        plugin_id = install(source, self.core.plugins.folder, entries, copy=copy)
        self.core.plugins.reload()
        return self.core.plugins.get(plugin_id)

    def reload_plugins(self) -> None:
        """Read the manifests again."""
        self.core.plugins.reload()

    def set_plugin_enabled(self, plugin_id: str, enabled: bool) -> None:
        """Switch a plugin on or off."""
        self.core.enable_plugins({plugin_id: enabled})

    def configure(self, plugin_id: str, settings: Mapping[str, Any]) -> None:
        """Replace a plugin's settings."""
        self.core.configure_plugin(plugin_id, settings)

    # --- events without a mutation (stash 4.2) ------------------------------------------------------------------------

    def scan_new_file(self, path: str, size: int = 1_000_000, duration: float = 60.0, oshash: str = "") -> int:
        """Let a scan find a file. Return the id of its new scene."""
        return self.scan_new_files([NewFile(path, size, duration, oshash)])[0]

    def scan_new_files(self, files: Iterable[NewFile]) -> list[int]:
        """Let a scan find files. Return the ids of their scenes."""
        return self._scanner.new_files(files)

    def scan_file_renamed(self, scene_id: int, new_path: str) -> None:
        """Let a scan find the scene's file under another path."""
        self._scanner.file_renamed(scene_id, new_path)

    def scan_file_touched(self, scene_id: int) -> None:
        """Let a scan find that the scene's file was modified."""
        self._scanner.file_touched(scene_id)

    def scan_copy_of_a_file(self, scene_id: int, path: str) -> None:
        """Let a scan find a copy of the scene's file."""
        self._scanner.copy_of_a_file(scene_id, path)

    def rename_folder(self, old: str, new: str) -> None:
        """Let a scan find a folder under another name."""
        self._scanner.folder_renamed(old, new)

    def clean_last_file(self, scene_id: int) -> None:
        """Let a clean find the scene's only file gone."""
        self._scanner.clean_last_file(scene_id)

    def clean_one_of_two_files(self, scene_id: int) -> None:
        """Let a clean find the scene's primary file gone, but not the others."""
        self._scanner.clean_one_of_two_files(scene_id)

    def autotag(
        self,
        scene_id: int,
        performer_ids: Iterable[int] = (),
        tag_ids: Iterable[int] = (),
        studio_id: int | None = None,
    ) -> None:
        """Let autotag add what it found in the scene's path."""
        self._scanner.autotag(scene_id, performer_ids, tag_ids, studio_id)

    def generate_cover(self, scene_id: int, cover: bytes | None = None) -> None:
        """Let the generate task create a cover."""
        self._scanner.generate_cover(scene_id, cover)

    def merge(self, sources: Iterable[int], destination: int) -> None:
        """Merge scenes into another one, as the UI does."""
        query = "mutation($i: SceneMergeInput!) { sceneMerge(input: $i) { id } }"
        self.gql(query, {"i": {"source": [str(number) for number in sources], "destination": str(destination)}})


__all__ = ["StashGraphQLError", "StashSim"]

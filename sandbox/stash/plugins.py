"""The server's plugins: which exist, which are enabled, and how their processes are started (stash 1, 2)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .auth import COOKIE, Chain, Sessions
from .go_behavior import go_json, sorted_map
from .log import Log, PluginLog
from .manifest import HookEntry, Manifest, ManifestError, Task, command, discover, read
from .process import Kind, PluginProcess, StartError, run

DEEPEST_CHAIN = 10  # runs of one plugin in one chain of hooks before its hook is skipped (stash 2.9)


@dataclass(frozen=True)
class Caller:
    """The client that a process runs for: user, hooks that led here, and whether it still waits."""

    user: str = ""
    chain: Chain = ()
    cancelled: Callable[[], bool] = field(default=lambda: False)


@dataclass
class ProcessEnvironment:
    """The server's settings that a process sees. ``address`` is (scheme, host, port) as in stdin."""

    config_dir: Path
    python: str
    env: Mapping[str, str]
    address: Callable[[], tuple[str, str, int]]
    relative_plugin_dir: bool = False
    null_cookie: bool = False
    cookie_of_go_1_23: bool = True


class Plugins:
    """Loaded manifests, the disabled list, the settings, and every process started so far."""

    def __init__(self, environment: ProcessEnvironment, sessions: Sessions, log: Log) -> None:
        self._settings, self._sessions, self._log = environment, sessions, log
        self._lock = threading.Lock()
        self.manifests: list[Manifest] = []
        self.disabled: set[str] = set()
        self.settings: dict[str, dict[str, Any]] = {}
        self.processes: list[PluginProcess] = []

    @property
    def folder(self) -> Path:
        """The plugins folder."""
        return self._settings.config_dir / "plugins"

    def reload(self) -> None:
        """Read all manifests again; one that cannot be loaded is only an error in the log."""
        found: dict[str, Manifest] = {}
        for path in discover(self.folder):
            try:
                manifest = read(path)
            except ManifestError as error:
                self._log.write("Error", str(error))
                continue
            if manifest.id.lower() in found:
                message = f"Error loading plugin {path}: plugin ID {manifest.id} already exists"
                self._log.write("Error", message)
                continue
            found[manifest.id.lower()] = manifest
        self.manifests = list(found.values())

    def get(self, plugin_id: str) -> Manifest | None:
        """Return the plugin with exactly that id, or None."""
        return next((manifest for manifest in self.manifests if manifest.id == plugin_id), None)

    def enabled(self) -> list[Manifest]:
        """Return the plugins that are not disabled, in load order."""
        return [manifest for manifest in self.manifests if manifest.id not in self.disabled]

    def run_hooks(
        self, caller: Caller, trigger: str, number: int, payload: Any, fields: Iterable[str] | None = None
    ) -> None:
        """Run every hook of an event, one process after the other; errors are never raised (stash 2.6)."""
        context: dict[str, Any] = {"id": number, "type": trigger, "input": payload}
        if names := list(fields or ()):
            context["inputFields"] = names
        try:
            for manifest in self.enabled():
                self._run_hooks_of(manifest, caller, trigger, context)
        except Exception as error:  # noqa: BLE001 (a hook never fails the mutation; what remains is skipped)
            self._log.write("Error", f"error executing post hooks: {error}")

    def _run_hooks_of(self, manifest: Manifest, caller: Caller, trigger: str, context: dict[str, Any]) -> None:
        entries = [entry for entry in manifest.hooks for name in entry.triggers if name == trigger]
        if not entries:
            return
        visit = (manifest.id, trigger)
        if caller.chain.count(visit) >= DEEPEST_CHAIN:
            self._log.write("Debug", f"plugin ID '{manifest.id}' hook '{trigger}' not run to avoid a cyclic loop")
            return
        deeper = Caller(caller.user, (*caller.chain, visit), caller.cancelled)
        for entry in entries:
            args = {**entry.default_args, "hookContext": context}
            record = self._run(manifest, "hook", trigger, entry, args, deeper, _no_progress)
            name = manifest.name
            if record.error is not None:
                self._log.write("Error", f"{trigger} [{name}]: returned error: {record.error}")
            elif record.output is not None:
                self._log.write("Debug", f"{trigger} [{name}]: returned: {record.output}")

    def task(self, plugin_id: str, name: str | None, args: Mapping[str, Any]) -> tuple[Manifest, Task, dict[str, Any]]:
        """Return (plugin, task, merged arguments) of a task to run. Raise StartError if it does not exist."""
        manifest = self.get(plugin_id)
        if manifest is None:
            raise StartError(f"no plugin with ID {plugin_id}")
        if plugin_id in self.disabled:
            raise StartError(f"plugin {plugin_id} is disabled")
        if not name:
            return manifest, Task(""), dict(args)
        task = next((task for task in manifest.tasks if task.name == name), None)
        if task is None:
            raise StartError(f"no task with name {name} in plugin {manifest.name}")
        return manifest, task, {**task.default_args, **args}

    def run_task(
        self, manifest: Manifest, task: Task, args: dict[str, Any], caller: Caller, on_progress: Callable[[float], None]
    ) -> PluginProcess:
        """Run a task's process to its end. Raise StartError, and CancelledError after a kill."""
        return self._run(manifest, "task", task.name, task, args, caller, on_progress)

    def run_operation(self, manifest: Manifest, args: Mapping[str, Any], caller: Caller) -> PluginProcess:
        """Run an operation's process to its end. Raise StartError, and CancelledError after a kill."""
        return self._run(manifest, "operation", "", Task(""), dict(args), caller, _no_progress)

    def _run(
        self,
        manifest: Manifest,
        kind: Kind,
        trigger: str,
        entry: Task | HookEntry,
        args: dict[str, Any],
        caller: Caller,
        on_progress: Callable[[float], None],
    ) -> PluginProcess:
        if manifest.interface != "raw" or not manifest.exec:
            raise StartError(f"plugin {manifest.id} has nothing to execute")
        directory = self._directory(manifest)
        argv, is_python = command(manifest, entry.exec_args, self._settings.python, directory)
        if kind != "hook" and any(name.startswith("COVERAGE_PROCESS") for name in os.environ):
            # Coverage follows child processes through site, which -S skips. Hooks keep -S, because there are many of
            # them and tests/hooks measures their time.
            argv = [part for part in argv if part != "-S"]
        stdin = go_json({"server_connection": self._connection(caller, directory), "args": sorted_map_of_args(args)})
        record = PluginProcess(kind, manifest.id, trigger, argv, stdin)
        with self._lock:
            self.processes.append(record)
        run(
            record,
            cwd=str(self._settings.config_dir),
            env=self._environment(manifest, is_python),
            log=self._log,
            stderr=PluginLog(self._log, manifest.name, manifest.err_log, on_progress),
            cancelled=caller.cancelled,
        )
        return record

    def _directory(self, manifest: Manifest) -> str:
        if self._settings.relative_plugin_dir:
            return os.path.relpath(manifest.directory, self._settings.config_dir)
        return str(manifest.directory)

    def _environment(self, manifest: Manifest, is_python: bool) -> dict[str, str]:
        env = {**os.environ, **self._settings.env}
        if is_python:
            above = str(manifest.directory.parent.absolute())
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), above]))
        return env

    def _connection(self, caller: Caller, directory: str) -> dict[str, Any]:
        scheme, host, port = self._settings.address()
        return {
            "Scheme": scheme,
            "Host": host,
            "Port": port,
            "SessionCookie": self._cookie(caller),
            "Dir": str(self._settings.config_dir.absolute()),
            "PluginDir": directory,
        }

    def _cookie(self, caller: Caller) -> dict[str, Any] | None:
        value = self._sessions.issue(caller.user, caller.chain)
        if value is None or self._settings.null_cookie:
            return None
        cookie: dict[str, Any] = {
            "Name": COOKIE,
            "Value": value,
            "Quoted": False,
            "Path": "",
            "Domain": "",
            "Expires": "0001-01-01T00:00:00Z",
            "RawExpires": "",
            "MaxAge": 0,
            "Secure": False,
            "HttpOnly": False,
            "SameSite": 0,
            "Partitioned": False,
            "Raw": "",
            "Unparsed": None,
        }
        if not self._settings.cookie_of_go_1_23:
            del cookie["Quoted"], cookie["Partitioned"]
        return cookie


def sorted_map_of_args(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as Go writes them: maps are sorted, but a hook's context is a struct and keeps its order."""
    return {key: args[key] if key == "hookContext" else sorted_map(args[key]) for key in sorted(args)}


def _no_progress(_: float) -> None:
    """Ignore progress: hooks and operations have none (stash 3)."""

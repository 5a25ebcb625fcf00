"""The parts of the server, connected: what requests, jobs and tests work with."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..http import Request
from .auth import Requester, Sessions
from .clock import Clock
from .go_behavior import decoded_as_any
from .jobs import Job, JobQueue
from .log import Log
from .plugins import Caller, Plugins, ProcessEnvironment
from .process import CancelledError, StartError
from .store import Store

CONFIG = "config.yml"


@dataclass(frozen=True)
class Options:
    """The options of the server. ``version`` decides between behaviours of different releases."""

    config_dir: Path
    python: str
    version: str = "v0.30.1-19"
    parallel_tasks: int = 1
    external_host: str = ""
    scheme: str = "http"
    # The bundle of sandbox.hostpage; without it every page is empty.
    hostpage: Path | None = None

    @property
    def at_least(self) -> tuple[int, ...]:
        """(major, minor) of the version."""
        major, minor = self.version.lstrip("v").split("-")[0].split(".")[:2]
        return int(major), int(minor)


class Core:
    """Database, plugins, jobs, sessions and log of one server."""

    def __init__(self, options: Options, clock: Clock, sessions: Sessions, environment: ProcessEnvironment) -> None:
        self.options = options
        self.clock = clock
        self.sessions = sessions
        self.log = Log(clock)
        self.store = Store(clock)
        self.plugins = Plugins(environment, sessions, self.log)
        self.jobs = JobQueue(clock, self.log)
        self.closing = threading.Event()
        self.random = random.Random(1)
        self._writing = threading.Lock()

    def shuffled(self, names: Iterable[str]) -> list[str]:
        """Return names in the random order of a Go map (stash 2.2)."""
        found = list(names)
        self.random.shuffle(found)
        return found

    def queue_task(self, caller: Caller, plugin_id: str, name: str | None, title: str, args: Mapping[str, Any]) -> Job:
        """Queue a plugin task; the job keeps the caller's user and hook chain."""

        def work(job: Job) -> None:
            try:
                manifest, task, merged = self.plugins.task(plugin_id, name, args)
            except StartError as error:
                raise StartError(f"Error creating plugin task: {error}") from error
            try:
                record = self.plugins.run_task(manifest, task, merged, self.job_caller(job, caller), job.set_progress)
            except StartError as error:
                raise StartError(f"Error running plugin task: {error}") from error
            except CancelledError:
                return
            if record.error is not None:
                self.log.write("Error", f"Plugin returned error: {record.error}")
            elif record.output is not None:
                self.log.write("Debug", f"Plugin returned: {record.output}")

        return self.jobs.add(f"Running plugin task: {title}", work)

    def job_caller(self, job: Job, caller: Caller) -> Caller:
        """Return the caller for the processes of a job: the same user, gone when the job is stopped."""
        return Caller(caller.user, caller.chain, lambda: job.cancel.is_set() or self.closing.is_set())

    def configure_plugin(self, plugin_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a plugin's settings. Return what is stored, by then also in the file (stash 5)."""
        stored: dict[str, Any] = decoded_as_any(dict(values))
        self.plugins.settings[plugin_id] = stored
        self.write_config()
        return stored

    def enable_plugins(self, wanted: Mapping[str, bool]) -> None:
        """Enable or disable plugins, in the file as well (stash 1.1)."""
        for plugin_id, enabled in wanted.items():
            (self.plugins.disabled.discard if enabled else self.plugins.disabled.add)(plugin_id)
        self.write_config()

    def write_config(self) -> None:
        """Write the configuration file as Stash does (stash 5). JSON is valid YAML."""
        with self._writing:
            kept = {"plugins": {"disabled": sorted(self.plugins.disabled), "settings": dict(self.plugins.settings)}}
            path = self.options.config_dir / CONFIG
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)


@dataclass(frozen=True)
class Context:
    """One GraphQL request in the resolvers. ``base`` is the address at the beginning of image links."""

    core: Core
    request: Request
    requester: Requester
    base: str

    @property
    def store(self) -> Store:
        """The database."""
        return self.core.store

    @property
    def caller(self) -> Caller:
        """The client that waits for this request's hooks and operations; gone when its connection is."""
        closing, request = self.core.closing, self.request
        return Caller(self.requester.user, self.requester.chain, lambda: closing.is_set() or request.gone())

    def run_hooks(self, trigger: str, number: int, payload: Any, given: Iterable[str] | None = None) -> None:
        """Run an event's hooks while the client waits; ``given`` are the keys that the client sent, if known."""
        fields = None if given is None else self.core.shuffled(given)
        self.core.plugins.run_hooks(self.caller, trigger, number, payload, fields)

    def gone(self) -> bool:
        """Return whether the client has disconnected."""
        return self.caller.cancelled()

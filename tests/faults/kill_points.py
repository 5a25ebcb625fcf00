"""The points at which a plugin process can be killed, and the observers in every process of the fork server."""

from __future__ import annotations

import errno
import fcntl
import functools
import importlib
import os
import pkgutil
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACCEPTED_JOBS = "accepted_jobs"
TWO_WORKERS = "two_workers"
_WORKER_RUNS = "worker_runs"
_PACKAGES = (
    *("hooks", "sync_queue", "worker", "stash", "plex", "metadata", "reconciliation", "tasks"),
    *("api", "common", "matching", "pipeline", "settings", "state"),
)


def import_product() -> None:
    """Import every module of the product and the libraries that it imports late."""
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{name}.{module.name}")
    from plex.client import import_plexapi

    import_plexapi()
    importlib.import_module("stashapi.stashapp")


def kill_self() -> None:
    """Kill this process as the kernel would: no handler of ours runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def apply_plan(plan: dict[str, Any]) -> None:
    """Make this process fail as planned.

    - ``at``: kill it at a function named ``module:name`` or ``module:Class.name``; at call number ``nth`` (1), ``when``
      "before" or "after" the call;
    - ``sql``: the same at a statement that matches a regular expression, on the database whose path ends with ``db``;
    - ``after``: kill it after so many seconds;
    - ``full``: do not kill it, but let the write with this number and all later ones fail, as on a full disk; SQLite
      raises ``error``.
    """
    if "after" in plan:
        # A signal without a handler ends the process as a kill does, and a timer is exact to the microsecond.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, plan["after"]))
    elif "full" in plan:
        _fill_disk(plan["full"], plan["error"])
    elif "sql" in plan:
        _kill_at_statement(plan["sql"], plan.get("db", ""), _killing_wrapper(plan))
    else:
        owner, name = resolve(plan["at"])
        setattr(owner, name, _killing_wrapper(plan)(getattr(owner, name)))


def resolve(kill_point: str) -> tuple[Any, str]:
    """Return the module or class and the attribute that ``module:name`` or ``module:Class.name`` stands for."""
    module, _, path = kill_point.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for class_name in classes:
        owner = getattr(owner, class_name)
    return owner, name


def _killing_wrapper(plan: dict[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator; the n-th call of any function that it decorates kills the process."""
    nth, after, calls = plan.get("nth", 1), plan.get("when") == "after", [0]

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call_or_kill(*args: Any, **named: Any) -> Any:
            calls[0] += 1
            is_last_call = calls[0] == nth
            if is_last_call and not after:
                kill_self()
            result = original(*args, **named)
            if is_last_call:
                kill_self()
            return result

        return call_or_kill

    return wrap


_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|COMMIT|PRAGMA (journal_mode|user_version)=)")


def _fill_disk(first_failing_write: int, error: str) -> None:
    writes = [0]

    def is_full() -> bool:
        writes[0] += 1
        return writes[0] >= first_failing_write

    class Connection(sqlite3.Connection):
        """A connection to a database on a full disk."""

        path = ""

        def execute(self, statement: str, *values: Any) -> Any:
            if _WRITES.match(statement) and is_full():
                raise sqlite3.OperationalError(error)
            return super().execute(statement, *values)

        def executemany(self, statement: str, *values: Any) -> Any:
            if _WRITES.match(statement) and is_full():
                raise sqlite3.OperationalError(error)
            return super().executemany(statement, *values)

    _use_connection_class(Connection)
    original_open = os.open

    def open_or_fail(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & (os.O_CREAT | os.O_TRUNC) and not (os.path.exists(path) and not flags & os.O_TRUNC) and is_full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return original_open(path, flags, *more, **named)

    os.open = open_or_fail


def _use_connection_class(connection_class: type[Any]) -> None:
    """Open every later SQLite connection with this class and set its ``path``."""
    from _sqlite3 import connect as original_connect

    def connect(path: str, **options: Any) -> Any:
        connection = original_connect(path, factory=connection_class, **options)
        connection.path = path.partition("?")[0]
        return connection

    # The modules on a save's path import connect from _sqlite3; common.sqlite has imported it by name.
    for module in ("_sqlite3", "sqlite3", "common.sqlite"):
        vars(importlib.import_module(module))["connect"] = connect


def _kill_at_statement(pattern: str, db: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    execute_or_kill = wrap(sqlite3.Connection.execute)

    class Connection(sqlite3.Connection):
        """A connection that looks for the planned statement."""

        path = ""

        def execute(self, statement: str, *values: Any) -> Any:
            if self.path.endswith(db) and re.search(pattern, statement):
                return execute_or_kill(self, statement, *values)
            return super().execute(statement, *values)

    _use_connection_class(Connection)


def install_observers(folder: Path) -> None:
    """Record the rows that hooks commit and whether two workers run at the same time.

    Also poll often and skip fsync (these tests never cut the power), because the tests wait for both.
    """
    from sync_queue.writer import QueueWriter
    from tasks import process_queue
    from worker import queue_watch
    from worker.service import WorkerService

    os.fsync = lambda fd: None
    queue_watch.BUSY_POLL_S = process_queue.LOOK_INTERVAL_S = 0.01
    process_queue.RESTART_INTERVAL_S = 0.2

    fold_all, run = QueueWriter.fold_all, WorkerService.run
    os.close(os.open(folder / ACCEPTED_JOBS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))

    def fold_and_record(self: QueueWriter, jobs: Any) -> int:
        listed = list(jobs)
        inserted = fold_all(self, listed)
        handle = os.open(folder / ACCEPTED_JOBS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, "".join(f"{key}\n" for _, key in listed).encode())
        os.close(handle)
        return inserted

    def run_and_record(self: WorkerService) -> Any:
        handle = os.open(folder / _WORKER_RUNS, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(os.open(folder / TWO_WORKERS, os.O_WRONLY | os.O_CREAT, 0o600))
        try:
            return run(self)
        finally:
            os.close(handle)

    QueueWriter.fold_all = fold_and_record  # type: ignore[method-assign]
    WorkerService.run = run_and_record  # type: ignore[method-assign]

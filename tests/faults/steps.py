"""The named steps a process can be killed at, and the witnesses that stand in every process of the fork_server."""

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

ACCEPTED = "accepted"
TWO = "two drainers"
_AT_WORK = "at work"
_PACKAGES = (
    *("hooks", "sync_queue", "worker", "stash", "plex", "metadata", "reconciliation", "tasks"),
    *("api", "common", "matching", "pipeline", "settings", "state"),
)


def load() -> None:
    """Import every module of the product, and what it needs, in advance."""
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{name}.{found.name}")
    from plex.client import import_plexapi as load_plex

    load_plex()
    importlib.import_module("stashapi.stashapp")


def die() -> None:
    """As the kernel does it: nothing of ours runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(plan: dict[str, Any]) -> None:
    """Make this process kill itself as planned.

    - ``at``: ``module:name`` or ``module:Class.name`` of a function, ``nth`` its call that is the last (1),
      ``when`` "before" it or "after" it;
    - ``sql``: a regular expression for a statement, on the database whose file ends with ``db``; with nth and when;
    - ``after``: seconds from now.

    Or, with ``full``, make every write fail from the so many-th on, as on a disk that is full; SQLite says ``error``.
    """
    if "after" in plan:
        # a signal that nobody handles ends a process as a kill does, to the microsecond
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, plan["after"]))
    elif "full" in plan:
        _fill_the_disk(plan["full"], plan["error"])
    elif "sql" in plan:
        _arm_sql(plan["sql"], plan.get("db", ""), _fuse(plan))
    else:
        module, _, name = plan["at"].partition(":")
        owner: Any = importlib.import_module(module)
        *path, last = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, last, _fuse(plan)(getattr(owner, last)))


def _fuse(plan: dict[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wraps functions; the n-th call of any of them is the last."""
    nth, after, calls = plan.get("nth", 1), plan.get("when") == "after", [0]

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def last_words(*args: Any, **named: Any) -> Any:
            calls[0] += 1
            burnt = calls[0] == nth
            if burnt and not after:
                die()
            result = original(*args, **named)
            if burnt:
                die()
            return result

        return last_words

    return wrap


_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|COMMIT|PRAGMA (journal_mode|user_version)=)")


def _fill_the_disk(first: int, error: str) -> None:
    writes = [0]

    def full() -> bool:
        writes[0] += 1
        return writes[0] >= first

    class Connection(sqlite3.Connection):
        """One on a full disk."""

        path = ""

        def execute(self, statement: str, *values: Any) -> Any:
            if _WRITES.match(statement) and full():
                raise sqlite3.OperationalError(error)
            return super().execute(statement, *values)

        def executemany(self, statement: str, *values: Any) -> Any:
            if _WRITES.match(statement) and full():
                raise sqlite3.OperationalError(error)
            return super().executemany(statement, *values)

    _connect_with(Connection)
    opened = os.open

    def open_(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & (os.O_CREAT | os.O_TRUNC) and not (os.path.exists(path) and not flags & os.O_TRUNC) and full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return opened(path, flags, *more, **named)

    os.open = open_


def _connect_with(kind: type[Any]) -> None:
    """Every connection from now on is of this kind, and knows its ``path``."""
    from _sqlite3 import connect as opened

    def connect(path: str, **options: Any) -> Any:
        connection = opened(path, factory=kind, **options)
        connection.path = path.partition("?")[0]
        return connection

    # What every save needs takes it where sqlite3 itself does; common.sqlite has it by name.
    for module in ("_sqlite3", "sqlite3", "common.sqlite"):
        vars(importlib.import_module(module))["connect"] = connect


def _arm_sql(pattern: str, db: str, fuse: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    burning = fuse(sqlite3.Connection.execute)

    class Connection(sqlite3.Connection):
        """One that looks at what it is to do."""

        path = ""

        def execute(self, statement: str, *values: Any) -> Any:
            if self.path.endswith(db) and re.search(pattern, statement):
                return burning(self, statement, *values)
            return super().execute(statement, *values)

    _connect_with(Connection)


def witness(folder: Path) -> None:
    """Write down which rows a hook has committed, and whether ever two drainers are at work. And look quickly for new
    rows, and do not wait for the disk (no power is cut): the tests wait for that."""
    from sync_queue.writer import QueueWriter
    from tasks import process_queue
    from worker import dispatcher
    from worker.service import WorkerService

    os.fsync = lambda fd: None
    dispatcher.LIVELY_POLL = process_queue.LOOK = 0.01
    process_queue.AGAIN = 0.2

    fold_all, run = QueueWriter.fold_all, WorkerService.run
    accepted = os.open(folder / ACCEPTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.close(accepted)

    def fold_and_tell(self: QueueWriter, jobs: Any) -> int:
        listed = list(jobs)
        inserted = fold_all(self, listed)
        handle = os.open(folder / ACCEPTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, "".join(f"{key}\n" for _, key in listed).encode())
        os.close(handle)
        return inserted

    def run_alone(self: WorkerService) -> Any:
        handle = os.open(folder / _AT_WORK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(os.open(folder / TWO, os.O_WRONLY | os.O_CREAT, 0o600))
        try:
            return run(self)
        finally:
            os.close(handle)

    QueueWriter.fold_all = fold_and_tell  # type: ignore[method-assign]
    WorkerService.run = run_alone  # type: ignore[method-assign]

"""Checks of the machine: processes that Stash has not reaped, and Python."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from collections.abc import Iterator

from common.missing_packages import install_command
from state.worker_status import read_text
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe

_PACKAGES = ("plexapi", "stashapp-tools", "persist-queue", "requests")
_PROC = "/proc"
# Stash reaps a child that has just ended well within this time.
REAP_TIMEOUT_S = 2.0


def check_defunct_processes(
    probe: HealthProbe, proc: str = _PROC, parent: int | None = None
) -> Iterator[HealthFinding]:
    """Check that Stash has no child processes that ended and were never reaped.

    In a container without an init process nothing reaps our detached worker.
    """
    if not os.path.isdir(os.path.join(proc, "self")):
        yield HealthFinding("Defunct processes", None, "cannot be seen on this system")
        return
    parent = os.getppid() if parent is None else parent
    defunct = _defunct_children(proc, parent)
    end = time.monotonic() + REAP_TIMEOUT_S
    while defunct and time.monotonic() < end:
        time.sleep(0.1)
        defunct &= _defunct_children(proc, parent)
    if defunct:
        processes = "process that has" if len(defunct) == 1 else "processes that have"
        yield HealthFinding(
            "Defunct processes",
            False,
            f"Stash keeps entries of {len(defunct):,} {processes} ended",
            "Give its container an init: docker run --init, or init: true in the compose file",
        )
    else:
        yield HealthFinding("Defunct processes", True, "none")


def _defunct_children(proc: str, parent: int) -> set[str]:
    return {
        entry
        for entry in os.listdir(proc)
        if entry.isdecimal() and _is_defunct_child(os.path.join(proc, entry, "stat"), parent)
    }


def _is_defunct_child(path: str, parent: int) -> bool:
    # pid (name) state parent ...; a name may hold brackets and spaces
    fields = (read_text(path) or "").rpartition(")")[2].split()
    return fields[:2] == ["Z", str(parent)]


def check_python(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that every package is installed."""
    from importlib.metadata import PackageNotFoundError, version

    installed, missing = [], []
    for package in _PACKAGES:
        try:
            installed.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # noqa: PERF203 - four packages
            missing.append(package)
    python = f"{platform.python_version()} at {sys.executable} on {platform.system()}, SQLite {sqlite3.sqlite_version}"
    if missing:
        yield HealthFinding(
            "Python",
            False,
            f"{python}; not installed: {', '.join(missing)}",
            f"Install them with: {install_command(probe.context.plugin_dir)}",
        )
    else:
        yield HealthFinding("Python", True, f"{python}; {', '.join(installed)}")

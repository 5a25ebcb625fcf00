"""Code that is measured in a process of its own, so that its memory is its own too."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.results import ROOT

# Imports and set-up come before it is called; ``end`` prints what :class:`Taken` holds.
_COMMON = """
import json, sys, time
sys.path.insert(0, {root!r})
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
def begin():
    global _began, _busy
    _began, _busy = time.perf_counter(), time.process_time()
def end(count):
    print(json.dumps([time.perf_counter() - _began, time.process_time() - _busy, peak(), count]))
"""


@dataclass(frozen=True)
class Taken:
    """Seconds from ``begin()`` to ``end()``, seconds of processor time, the whole process's peak of memory in MB, and
    how many things were worked on."""

    wall: float
    busy: float
    peak: float
    count: int


def run(code: str, *arguments: str) -> Taken:
    """Run code that calls ``begin()`` and ``end(count)``. Raises CalledProcessError."""
    whole = _COMMON.format(root=str(ROOT)) + code
    done = subprocess.run([sys.executable, "-c", whole, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Taken(*json.loads(done.stdout))

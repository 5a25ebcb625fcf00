"""Measure code in its own process, so that its memory can be measured as well."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from benchmarks.results import ROOT

# The code calls ``begin()`` after its imports and set-up; ``end`` prints the fields of :class:`ChildMeasurement`.
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
class ChildMeasurement:
    """Seconds from ``begin()`` to ``end()``, seconds of CPU time, the process's peak memory in MB, and a count of what
    was processed."""

    wall: float
    busy: float
    peak: float
    count: int


def run(code: str, *arguments: str) -> ChildMeasurement:
    """Run code that calls ``begin()`` and ``end(count)``. Raise RuntimeError if it fails."""
    whole = _COMMON.format(root=str(ROOT)) + code
    done = subprocess.run([sys.executable, "-c", whole, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return ChildMeasurement(*json.loads(done.stdout))

"""Measure processes: time, peak memory, CPU time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BARE = (sys.executable, "-c", "pass")


def alternating_medians(rounds: int, *what: Callable[[], float]) -> list[float]:
    """Return the medians of measurements that run alternately; the first two rounds only warm the caches."""
    taken: list[tuple[float, ...]] = [tuple(measure() for measure in what) for _ in range(rounds + 2)]
    return [statistics.median(values) for values in zip(*taken[2:], strict=True)]


def peak(pid: int | str = "self") -> float:
    """Return the peak memory of a running process in MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


_REPORT_PEAK = """
import os, sys
def leave(code=0, leave=os._exit):
    with open("/proc/self/status", "rb") as file:
        at = file.read().partition(b"VmHWM:")[2].split()[0]
    os.write(2, b"peak " + at)
    leave(code)
os._exit = leave
"""
_BARE_PEAK = _REPORT_PEAK + "leave()"
# Runs the entry script inside -c, so that it can report its own peak.
_SCRIPT_PEAK = (
    _REPORT_PEAK
    + """
__file__ = sys.argv[1]
sys.path[0] = os.path.dirname(__file__)
del sys.argv[0]
with open(__file__, "rb") as file:
    script = compile(file.read(), __file__, "exec")
exec(script)
leave()
"""
)


def peak_of_bare() -> float:
    """Return the peak memory of an empty interpreter in MB."""
    return _reported_peak([sys.executable, "-c", _BARE_PEAK], b"", None, None)


def peak_of_script(argv: Sequence[str], stdin: bytes, folder: Path, env: Mapping[str, str]) -> float:
    """Return the peak memory of a process that Stash started with ``argv`` (python, flags, script) in MB."""
    *python, script = argv
    return _reported_peak([*python, "-c", _SCRIPT_PEAK, script], stdin, folder, env)


def _reported_peak(argv: Sequence[str], stdin: bytes, folder: Path | None, env: Mapping[str, str] | None) -> float:
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    reported = done.stderr.rpartition(b"peak ")[2]
    if done.returncode or not reported.isdigit():
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return int(reported) / 1024


def cpu_time(pid: int) -> float:
    """Return the seconds of CPU time that a running process has used, finer than the kernel's ticks."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9

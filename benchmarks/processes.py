"""Processes that are measured: how long, how much memory, how much processor time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BARE = (sys.executable, "-c", "pass")


def timed(
    argv: Sequence[str], stdin: bytes = b"", folder: Path | None = None, env: Mapping[str, str] | None = None
) -> float:
    """Seconds a process took. Raises RuntimeError where it failed, or answered Stash with an error."""
    began = time.perf_counter()
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    took = time.perf_counter() - began
    if done.returncode or b'"error"' in done.stdout:
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return took


def turn_by_turn(rounds: int, *what: Callable[[], float]) -> list[float]:
    """Medians of several measurements that take turns; the first two turns only warm the caches."""
    taken: list[tuple[float, ...]] = [tuple(one() for one in what) for _ in range(rounds + 2)]
    return [statistics.median(values) for values in zip(*taken[2:], strict=True)]


def peak(pid: int | str = "self") -> float:
    """The most memory a living process has had at once, in MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


_TELL_PEAK = """
import os, sys
def leave(code=0, leave=os._exit):
    with open("/proc/self/status", "rb") as file:
        at = file.read().partition(b"VmHWM:")[2].split()[0]
    os.write(2, b"peak " + at)
    leave(code)
os._exit = leave
"""
_BARE_PEAK = _TELL_PEAK + "leave()"
# The entry script, as it runs under -c; "self" of its /proc is the process that is measured.
_SCRIPT_PEAK = (
    _TELL_PEAK
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
    """The peak of an interpreter that does nothing, in MB."""
    return _told_peak([sys.executable, "-c", _BARE_PEAK], b"", None, None)


def peak_of_script(argv: Sequence[str], stdin: bytes, folder: Path, env: Mapping[str, str]) -> float:
    """The peak of a process that Stash started with ``argv`` (python, flags, script), in MB."""
    *python, script = argv
    return _told_peak([*python, "-c", _SCRIPT_PEAK, script], stdin, folder, env)


def _told_peak(argv: Sequence[str], stdin: bytes, folder: Path | None, env: Mapping[str, str] | None) -> float:
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=folder, env=env)
    told = done.stderr.rpartition(b"peak ")[2]
    if done.returncode or not told.isdigit():
        raise RuntimeError(f"{argv[:2]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")
    return int(told) / 1024


def processor_time(pid: int) -> float:
    """Seconds of processor time a living process has used, finer than the kernel's ticks."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9

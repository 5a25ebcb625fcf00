"""Whether an automatic reconciliation may be due: one look at the time of one file, because hooks use this."""

from __future__ import annotations

import os
import time

# The file's time is the next moment at which anything could be due. Its content is the time of the next periodic run
# (epoch seconds, inf for never) and the process of Stash that the last run saw.
FILE = "reconcile.due"
# After a run, a restart of Stash makes nothing due for this long.
QUIET_AFTER_RUN_S = 3_600.0
# A time further ahead can only come from a clock that was set back.
_FARTHEST = QUIET_AFTER_RUN_S + 60.0
_LONGEST = 8 * 86_400.0


def due(data_dir: str) -> bool:
    """Return whether to start a process that looks closer. Within an hour of the last run this is one stat."""
    path = os.path.join(data_dir, FILE)
    now = time.time()
    try:
        if now < os.stat(path).st_mtime < now + _FARTHEST:
            return False
        periodic, known = read(path)
    except (OSError, ValueError):
        return True
    return periodic <= now or now + _LONGEST < periodic < float("inf") or known != stash_process()


def read(path: str) -> tuple[float, str]:
    """When the next periodic run is, and which process of Stash is known. Raise OSError, ValueError."""
    with open(path, encoding="utf-8") as file:
        periodic, _, known = file.read(500).strip().partition(" ")
    return float(periodic), known


def stash_process() -> str:
    """What tells the process that started us, which is Stash, from every other: boot, process id, time of its start."""
    parent = os.getppid()
    boot = _text("/proc/sys/kernel/random/boot_id")
    # The name in the second field may hold anything but it ends with the last bracket.
    after_name = _text(f"/proc/{parent}/stat").rpartition(")")[2].split()
    return f"{boot}.{parent}.{after_name[19] if len(after_name) > 19 else ''}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(2000).strip()
    except OSError:  # not every system has it
        return ""

"""What the worker has left to read (``worker.status_files``). Few imports: a status is a process on somebody's NAS."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ATTENTION = "attention"
STATUS = "worker_status.json"


def read_status(data_dir: str) -> dict[str, Any]:
    """What the drainer last wrote about itself; empty where there is nothing readable."""
    try:
        known = json.loads(read_text(os.path.join(data_dir, STATUS)) or "{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def lives(status: dict[str, Any]) -> bool:
    """Whether the drainer that wrote this status is still there. Its lock is not tried: whoever holds that for a
    moment keeps a hook from starting a drainer."""
    pid = status.get("pid")
    if not isinstance(pid, int) or status.get("state") == "gone":
        return False
    if os.name == "nt":  # there, signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    # Dead and never reaped, as in a container without an init.
    state = (read_text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return state[:1] != ["Z"]


def read_text(path: str) -> str | None:
    """A small file's text, or None where it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(65_536).strip()
    except (OSError, ValueError):
        return None

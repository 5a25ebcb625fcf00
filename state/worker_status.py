"""Read the status that the worker writes (``worker.status_files``). Few imports: status operations use this."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ATTENTION = "attention"
STATUS = "worker_status.json"


def read_status(data_dir: str) -> dict[str, Any]:
    """Return what the worker last wrote about itself; empty if nothing is readable."""
    try:
        known = json.loads(read_text(os.path.join(data_dir, STATUS)) or "{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def lives(status: dict[str, Any]) -> bool:
    """Return whether the worker that wrote this status still lives.

    Its lock is not tried: holding it for a moment would keep a hook from starting a worker.
    """
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
    """Return the text of a small file, or None if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(65_536).strip()
    except (OSError, ValueError):
        return None

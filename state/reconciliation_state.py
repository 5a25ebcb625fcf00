"""The state of the last reconciliation, as plain data. Few imports, because the status operations use this."""

from __future__ import annotations

import json
import os

from common import damaged_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE = "reconciliation_state.json"
_FAR = 1e300
# As before the first run; what each value means: reconciliation.scheduler.ReconciliationState, which has these fields.
_NEVER: dict[str, object] = {
    "last_run_time": 0.0,
    "last_scope": "",
    "last_scenes_checked": 0,
    "last_gaps_found": 0,
    "last_enqueued": 0,
    "last_gaps_by_type": {},
    "last_enqueued_by_type": {},
    "last_full_run_time": 0.0,
    "last_error": "",
    "failures": 0,
}


def load(data_dir: str) -> dict[str, Any]:
    """What is known of the last run; as before the first run where the file is missing or damaged. A damaged one is put
    aside. Raise OSError if that fails."""
    path = os.path.join(data_dir, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            stored = json.load(file)
    except OSError:
        stored = None
    except ValueError:
        # Only the time of the last run is lost: the next run comes a little early.
        damaged_files.put_aside(path)
        stored = None
    return {name: _usable(stored.get(name) if isinstance(stored, dict) else None, no) for name, no in _NEVER.items()}


def _usable(value: object, default: object) -> object:
    """A stored value where it can be used, else its default."""
    if isinstance(default, dict):
        return {str(k): v for k, v in value.items() if isinstance(v, int)} if isinstance(value, dict) else {}
    if isinstance(default, str):
        return value if isinstance(value, str) else default
    # Neither infinite, nor NaN, nor a whole number that is too long for a float.
    if isinstance(value, (int, float)) and abs(value) < _FAR:
        return int(value) if isinstance(default, int) else float(value)
    return default

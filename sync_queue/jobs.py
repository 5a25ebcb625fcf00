"""What a job is, and how a second event for the same scene folds into the row that waits. Pure.

A waiting job means "scene N may differ"; the drainer reads what it looks like (design 3).
"""

from collections.abc import Mapping
from typing import Any

PRIORITY_SAVE = 0
PRIORITY_SCAN = 1
PRIORITY_BULK = 2

Job = dict[str, Any]

# What a failed try leaves in a job; a new event wipes it.
_OF_RETRIES = ("retry_count", "next_retry_at", "last_error_type", "last_error", "last_try_at", "tries", "first_failed_at")


def scene_key(scene_id: int) -> str:
    """The job key of a scene: at most one row with it waits."""
    return f"scene_{scene_id}"


def new_job(scene_id: int, update_type: str, data: Mapping[str, Any], *, priority: int, now: float) -> Job:
    """A job as it is stored. ``now`` is epoch seconds; the event it stands for happened then."""
    return {
        "scene_id": scene_id,
        "update_type": update_type,
        "data": dict(data),
        "enqueued_at": now,
        "job_key": scene_key(scene_id),
        "priority": priority,
    }


def folded(waiting: Mapping[str, Any], event: Mapping[str, Any]) -> Job:
    """The waiting job after a second event: the more urgent priority, the newer data, due now, as if never tried."""
    job = {name: value for name, value in waiting.items() if name not in _OF_RETRIES}
    job["update_type"] = event["update_type"]
    job["enqueued_at"] = event["enqueued_at"]
    job["priority"] = min(_number(waiting.get("priority"), PRIORITY_BULK), event["priority"])
    job["data"] = {**(waiting.get("data") or {}), **event["data"]}
    return job


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) else default

"""What a job is. Pure, and on the hook's path: no imports that cost.

A waiting job means "scene N may differ"; the drainer reads what it looks like (design 3).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Job = dict[str, Any]

PRIORITY_SAVE = 0
PRIORITY_SCAN = 1
PRIORITY_BULK = 2


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


def scene_row(scene_id: int, *, priority: int, now: float) -> str:
    """The JSON text of a job without a snapshot: what ``json.dumps`` makes of :func:`new_job`, without importing it."""
    return (
        f'{{"scene_id": {scene_id:d}, "update_type": "metadata", "data": {{}}, "enqueued_at": {now!r}, '
        f'"job_key": "scene_{scene_id:d}", "priority": {priority:d}}}'
    )

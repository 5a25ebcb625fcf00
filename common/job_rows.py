"""What a job is. Pure, and without imports, because hooks use this.

A waiting job means "scene N may differ": the worker reads the scene before it writes. A job about a performer, studio,
tag or group means "its scenes may differ": the worker replaces it by their jobs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    JobRow = dict[str, Any]

PRIORITY_SAVE = 0
PRIORITY_SCAN = 1
PRIORITY_BULK = 2

# What beside scenes a job may be about.
ENTITIES = ("performer", "studio", "tag", "group")


def scene_key(scene_id: int) -> str:
    """The job key of a scene: at most one row with it waits."""
    return f"scene_{scene_id}"


def new_job(scene_id: int, update_type: str, data: Mapping[str, Any], *, priority: int, now: float) -> JobRow:
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


def entity_key(kind: str, entity_id: int) -> str:
    """The job key of a performer, studio, tag or group."""
    return f"{kind}_{entity_id}"


def new_entity_job(kind: str, entity_id: int, *, priority: int, now: float) -> JobRow:
    """A job about all scenes of one of ENTITIES, as it is stored. Once begun it holds ``after``: the last scene that is
    done with."""
    return {
        "entity": kind,
        "entity_id": entity_id,
        "data": {},
        "enqueued_at": now,
        "job_key": entity_key(kind, entity_id),
        "priority": priority,
    }


def entity_row(kind: str, entity_id: int, *, priority: int, now: float) -> str:
    """The JSON text of :func:`new_entity_job`."""
    return (
        f'{{"entity": "{kind}", "entity_id": {entity_id:d}, "data": {{}}, "enqueued_at": {now!r}, '
        f'"job_key": "{kind}_{entity_id:d}", "priority": {priority:d}}}'
    )


def is_entity(job: Mapping[str, Any]) -> bool:
    """Return whether a job is about a performer, studio, tag or group, and not about a scene."""
    return job.get("entity") in ENTITIES

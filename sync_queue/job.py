"""A job and its retry state as the worker sees them; JSON at the edges.

The hooks write the JSON of a row without this module (``common.job_rows``), which would cost them too much time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.job_rows import ENTITIES, PRIORITY_BULK, entity_key, scene_key

# A job that restores what the items of a scene showed before our first write.
RESTORE = "give_back"


@dataclass(frozen=True)
class RetryState:
    """What earlier tries of a job have left. ``tries`` counts by kind of failure; times are epoch seconds.

    ``awaits_file``: Plex had nothing that could be the scene's file, so only a change of the index can help.
    """

    retry_count: int = 0
    tries: Mapping[str, int] = field(default_factory=dict)
    next_retry_at: float | None = None
    last_error_type: str = ""
    last_error: str = ""
    last_try_at: float | None = None
    first_failed_at: float | None = None
    awaits_file: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> RetryState:
        """Read the state of a row. What has the wrong type counts as absent."""
        tries = row.get("tries")
        return cls(
            retry_count=_count(row.get("retry_count")),
            tries={str(kind): _count(count) for kind, count in tries.items()} if isinstance(tries, dict) else {},
            next_retry_at=_number(row.get("next_retry_at")),
            last_error_type=str(row.get("last_error_type") or ""),
            last_error=str(row.get("last_error") or ""),
            last_try_at=_number(row.get("last_try_at")),
            first_failed_at=_number(row.get("first_failed_at")),
            awaits_file=row.get("awaits_file") is True,
        )

    def as_row(self) -> dict[str, object]:
        """Return the keys that a row holds of it, without those that say nothing."""
        row: dict[str, object] = {}
        # A row of another program may count its tries without the time of the last one.
        if self.last_try_at is not None or self.retry_count or self.tries or self.last_error_type or self.last_error:
            row = {
                "retry_count": self.retry_count,
                "tries": dict(self.tries),
                "last_error_type": self.last_error_type,
                "last_error": self.last_error,
            }
        if self.last_try_at is not None:
            row["last_try_at"] = self.last_try_at
        if self.first_failed_at is not None:
            row["first_failed_at"] = self.first_failed_at
        if self.next_retry_at is not None:
            row["next_retry_at"] = self.next_retry_at
        if self.awaits_file:
            row["awaits_file"] = True
        return row


_RETRY_KEYS = frozenset(RetryState.__dataclass_fields__)
# What a row does not keep when its event happens again.
_HISTORY_KEYS = _RETRY_KEYS | {"images_only", "revived", "pqid"}


@dataclass(frozen=True)
class Job:
    """A scene, or all scenes of a performer, studio, tag or group, that may differ in Plex.

    ``row`` is the JSON object that the job was read from; unknown keys survive a round trip. ``after`` is the last
    scene of an entity that is already queued. ``images_only``: only the pictures are left to do. ``by_hand``: the user
    asked for this sync. ``revived`` counts how often the job came back from the dead letters by itself.
    """

    job_key: str
    scene_id: int | None
    entity: str | None
    entity_id: int | None
    after: int
    update_type: str
    priority: int | None
    enqueued_at: float | None
    by_hand: bool
    images_only: bool
    revived: int
    data: Mapping[str, object]
    retry: RetryState
    row: Mapping[str, object] = field(repr=False, compare=False)

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Job:
        """Read a JSON object. Raise ValueError, TypeError, KeyError or OverflowError if it is about no scene or
        entity."""
        entity = row.get("entity")
        if entity in ENTITIES:
            scene_id, entity_id = None, _whole_number(row["entity_id"])
            key = entity_key(str(entity), entity_id)
            row = {**row, "after": _whole_number(row.get("after") or 0)}
        else:
            entity, scene_id, entity_id = None, _whole_number(row["scene_id"]), None
            key = scene_key(scene_id)
        if not isinstance(row.get("job_key"), str):
            row = {**row, "job_key": key}
        priority, data = row.get("priority"), row.get("data")
        return cls(
            job_key=str(row["job_key"]),
            scene_id=scene_id,
            entity=str(entity) if entity is not None else None,
            entity_id=entity_id,
            after=_whole_number(row.get("after") or 0) if entity is not None else 0,
            update_type=str(row.get("update_type") or ""),
            priority=priority if isinstance(priority, int) else None,
            enqueued_at=_number(row.get("enqueued_at")),
            by_hand=bool(row.get("by_hand")),
            images_only=bool(row.get("images_only")),
            revived=_count(row.get("revived")),
            data=data if isinstance(data, dict) else {},
            retry=RetryState.from_row(row),
            row=row,
        )

    def as_row(self) -> dict[str, object]:
        """Return the JSON object of the queue's row."""
        return dict(self.row)

    @property
    def is_restore(self) -> bool:
        """Return whether the job restores the items of its scene instead of syncing them."""
        return self.update_type == RESTORE

    def with_retry(self, state: RetryState) -> Job:
        """Return the job with another retry state."""
        kept = {name: value for name, value in self.row.items() if name not in _RETRY_KEYS}
        return Job.from_row({**kept, **state.as_row()})

    def pictures_only(self) -> Job:
        """Return the job as it goes on for its pictures: behind all saves, and with tries of their own."""
        if self.images_only:
            return self
        return Job.from_row({**self.with_retry(RetryState()).row, "images_only": True, "priority": PRIORITY_BULK})

    def next_page(self, after: int) -> Job:
        """Return an entity's job for the scenes after the one with id ``after``."""
        kept = {name: value for name, value in self.row.items() if name not in _HISTORY_KEYS}
        return Job.from_row({**kept, "after": after})

    def requeued(self, job_key: str, *, priority: int, now: float, revived: int = 0) -> Job:
        """Return the job as if its event had happened at ``now``. ``revived`` counts returns without the user's
        doing; such a job keeps the time of its first failure."""
        row = {name: value for name, value in self.row.items() if name not in _HISTORY_KEYS}
        row |= {"job_key": job_key, "priority": priority, "enqueued_at": now}
        row.setdefault("data", {})
        if revived:
            row["revived"] = revived
            if self.retry.first_failed_at is not None:
                row["first_failed_at"] = self.retry.first_failed_at
        return Job.from_row(row)


def _whole_number(value: object) -> int:
    if not isinstance(value, (int, float, str)):
        raise TypeError(f"an id is a {type(value).__name__}")
    return int(value)


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0

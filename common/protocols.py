"""What published functions accept from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class JobSink(Protocol):
    """persist-queue's SQLiteAckQueue, or anything that takes jobs as it does."""

    def put(self, item: object, /) -> object:
        """Add a job."""


class AckQueue(JobSink, Protocol):
    """What we use of persist-queue's SQLiteAckQueue: its directory, and what it counts in memory."""

    path: str
    total: int
    put_event: threading.Event

    @property
    def size(self) -> int:
        """How many jobs wait, as far as this object knows."""

    def get(self, block: bool = True, timeout: float | None = None) -> dict[str, object]:
        """Take the next job."""

    def ack(self, *, id: object) -> object:
        """Mark a job as done."""

    def ack_failed(self, *, id: object) -> object:
        """Mark a job as failed for good."""

    def close(self) -> None:
        """Close the connections."""

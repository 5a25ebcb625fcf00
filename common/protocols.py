"""What published functions accept from outside."""

from __future__ import annotations

from typing import Protocol


class JobSink(Protocol):
    """persist-queue's SQLiteAckQueue, or anything that takes jobs as it does."""

    def put(self, item: object, /) -> object:
        """Add a job."""

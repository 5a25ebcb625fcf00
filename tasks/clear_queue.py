"""Clear Pending Queue: forget what waits. What is being written is finished."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any

from api.context import Context
from common import stash_log
from sync_queue.store import JobStore
from sync_queue.writer import DATABASE


def clear_queue(context: Context) -> dict[str, Any]:
    """Delete every waiting row; says how many."""
    cleared = 0
    if os.path.exists(os.path.join(context.queue_dir, DATABASE)):
        with closing(JobStore(context.queue_dir)) as store:
            cleared = store.clear_waiting()
    stash_log.info(f"{cleared} waiting scenes were taken out of the queue. Sync All Scenes queues everything anew")
    return {"cleared": cleared}

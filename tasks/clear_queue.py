"""Clear Pending Queue: delete the jobs that wait. The worker finishes what it is writing."""

from __future__ import annotations

import os
from contextlib import closing

from api.context import Context
from common import stash_log
from common.human_text import counted
from sync_queue.store import JobStore
from sync_queue.writer import DATABASE


def clear_queue(context: Context) -> dict[str, object]:
    """Delete every waiting job. Return how many."""
    cleared = 0
    if os.path.exists(os.path.join(context.queue_dir, DATABASE)):
        with closing(JobStore(context.queue_dir)) as store:
            cleared = store.clear_waiting()
    stash_log.info(f"Deleted {counted(cleared, 'waiting job')}. Sync All Scenes queues every scene again")
    return {"cleared": cleared}

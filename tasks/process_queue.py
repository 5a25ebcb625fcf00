"""Process Queue: start the worker if it is not running, and follow it until no job is due soon."""

from __future__ import annotations

import os
import time
from contextlib import closing

from api.context import Context
from common import stash_log
from common.human_text import counted
from state.worker_status import ATTENTION, read_text
from sync_queue.setup import set_up
from sync_queue.store import JobStore, is_due

LOOK_INTERVAL_S = 0.2
# The task ends when no job is due within this time.
DUE_SOON_S = 10.0
# The user may just have fixed what kept the worker from writing. It gets this long to notice.
GRACE_S = 3.0
# A worker that was killed meanwhile is started again: no save or other task may do so for a long time.
RESTART_INTERVAL_S = 3.0


def process_queue(context: Context) -> dict[str, object]:
    """Show the worker's progress. Raise UserError, StashError, QueueUnavailable."""
    context.require_settings()
    set_up(context.data_dir)
    attention_path = os.path.join(context.data_dir, ATTENTION)
    with closing(JobStore(context.queue_dir)) as store:
        total = max(1, store.undone_count())
        began = started = time.monotonic()
        context.start_worker()
        while True:
            if time.monotonic() - started > RESTART_INTERVAL_S:
                started = time.monotonic()
                context.start_worker()
            left = store.undone_count()
            total = max(total, left)
            stash_log.progress(1 - left / total)
            due = store.next_due()
            active = is_due(due, time.time() + DUE_SOON_S) or left > store.waiting_count()
            attention = read_text(attention_path) if time.monotonic() - began > GRACE_S else None
            if not active or attention:
                break
            time.sleep(LOOK_INTERVAL_S)
        waiting = store.waiting_count()
        done = total - left
    if attention:
        stash_log.warning(attention)
    next_job = f". The next job is due {_when(due)}" if waiting and due else ""
    stash_log.info(f"{counted(done, 'job')} done, {waiting:,} waiting{next_job}")
    return {"done": done, "waiting": waiting, "next_due": due if waiting else None, "attention": attention}


def _when(due: float) -> str:
    seconds = due - time.time()
    if seconds <= 0:
        return "now"
    return f"in {seconds:.0f} s" if seconds < 90 else f"in {seconds / 60:.0f} minutes"

"""Process Queue: start the drainer if none lives, and follow it until nothing is due (design 2)."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import Any

from api.context import Context
from common import stash_log
from sync_queue.setup import set_up
from sync_queue.store import JobStore, is_due
from worker.status_files import ATTENTION, read_text

LOOK = 0.2
SOON = 10.0
# What stands in the way may have been mended just now: the drainer is given this long to find out.
GRACE = 3.0
# A drainer that was killed meanwhile gets a successor: nobody else may come by for a long time.
AGAIN = 3.0


def process_queue(context: Context) -> dict[str, Any]:
    """Draining happens in the drainer alone; this shows it. Ends when nothing is due within ten seconds.

    Raises UserError, StashError, QueueUnavailable.
    """
    context.require_settings()
    set_up(context.data_dir)
    attention = os.path.join(context.data_dir, ATTENTION)
    with closing(JobStore(context.queue_dir)) as store:
        most = max(1, store.undone())
        began = woken = time.monotonic()
        context.start_worker()
        while True:
            if time.monotonic() - woken > AGAIN:
                woken = time.monotonic()
                context.start_worker()
            left = store.undone()
            most = max(most, left)
            stash_log.progress(1 - left / most)
            due = store.next_due()
            soon = is_due(due, time.time() + SOON) or left > store.waiting()
            held_up = read_text(attention) if time.monotonic() - began > GRACE else None
            if not soon or held_up:
                break
            time.sleep(LOOK)
        waiting = store.waiting()
        done = most - left
    if held_up:
        stash_log.warning(held_up)
    stash_log.info(f"{done} done, {waiting} wait" + (f", the next is due {_when(due)}" if waiting and due else ""))
    return {"done": done, "waiting": waiting, "next_due": due if waiting else None, "attention": held_up}


def _when(due: float) -> str:
    seconds = due - time.time()
    if seconds <= 0:
        return "now"
    return f"in {seconds:.0f} s" if seconds < 90 else f"in {seconds / 60:.0f} minutes"

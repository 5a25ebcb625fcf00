"""``wake``: start what is waiting. For the page, since nothing starts a plugin when Stash starts (stash 10.5)."""

from __future__ import annotations

from typing import Any

from sync_queue.operations import get_stats
from tasks.context import Context


def wake(context: Context) -> dict[str, Any]:
    """Start a drainer where rows wait; gives the queue's counts. Raises UserError."""
    queue = get_stats(context.queue_dir)
    started = bool(queue["waiting"] or queue["in_flight"]) and context.wake()
    return {"started": started, "queue": queue}

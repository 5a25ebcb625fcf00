"""``wake``: start what is waiting or due. For Stash's page: nothing starts a plugin when Stash starts (stash 10.5)."""

from __future__ import annotations

from typing import Any

from api.context import Context
from tasks.queue_status import gather


def wake(context: Context) -> dict[str, Any]:
    """Start a drainer where rows wait, and a comparison where one is due; gives the status. Raises UserError."""
    facts = gather(context.data_dir)
    started = bool(facts["queue"]["waiting"] or facts["queue"]["in_flight"]) and context.start_worker()
    return {"started": started, "reconciling": context.start_reconciliation_if_due(), **facts}

"""Clear Dead Letter Queue, and Purge Old DLQ Entries."""

from __future__ import annotations

from typing import Any

from stash import log
from sync_queue.dlq import DeadLetterQueue
from tasks.context import Context, UserError

DAYS = 30.0


def clear(context: Context) -> dict[str, Any]:
    """Delete all dead letters; says how many."""
    cleared = DeadLetterQueue(context.data_dir).clear()
    log.info(f"{cleared} dead letters deleted")
    return {"cleared": cleared}


def purge(context: Context) -> dict[str, Any]:
    """Delete the dead letters that are older than ``days`` (30). Raises UserError for a bad number."""
    given = context.args.get("days", DAYS)
    try:
        days = float(given)
    except (TypeError, ValueError):
        days = -1.0
    if isinstance(given, bool) or not 0 <= days < 1e6:
        raise UserError(f"days is the age in days above which dead letters go, like 30, not {given!r}")
    purged = DeadLetterQueue(context.data_dir).purge(days)
    log.info(f"{purged} dead letters older than {days:g} days deleted")
    return {"purged": purged}

"""Tasks on dead letters: Retry Dead Letters, Clear Dead Letter Queue, Purge Old DLQ Entries."""

from __future__ import annotations

from api.arguments import scene_ids
from api.context import Context
from api.dead_letters import retry_dead_letters
from api.read_model import PURGE_AFTER_DAYS
from common import stash_log
from common.errors import UserError
from common.human_text import counted
from sync_queue.dlq import DeadLetterQueue

MAX_DAYS = 1e6


def retry(context: Context) -> dict[str, object]:
    """Queue the jobs of all dead letters again, or of those about ``scenes``. Raise UserError, QueueUnavailable."""
    ids = scene_ids(context.args)
    counts = retry_dead_letters(context, lambda dead_letter: ids is None or dead_letter.scene_id in ids)
    if counts.queued:
        stash_log.info(
            f"Retrying {counted(counts.queued, 'dead letter')}. A job that fails again becomes a dead letter again"
        )
    else:
        stash_log.info("No dead letters to retry" + (" for these scenes" if ids else ""))
    if counts.unreadable:
        stash_log.warning(
            f"{counted(counts.unreadable, 'dead letter')} could not be read and cannot be retried. Clear Dead Letter "
            "Queue deletes all of them"
        )
    return {"queued": counts.queued, "unreadable": counts.unreadable}


def clear(context: Context) -> dict[str, object]:
    """Delete all dead letters."""
    cleared = DeadLetterQueue(context.data_dir).clear()
    stash_log.info(f"Deleted {counted(cleared, 'dead letter')}")
    return {"cleared": cleared}


def purge(context: Context) -> dict[str, object]:
    """Delete dead letters older than ``days`` (30). Raise UserError for a bad number."""
    given = context.args.get("days", PURGE_AFTER_DAYS)
    try:
        days = float(str(given))
    except ValueError:
        days = -1.0
    if isinstance(given, bool) or not 0 <= days < MAX_DAYS:
        raise UserError(f"days is the age in days above which dead letters are deleted, like 30, not {given!r}")
    purged = DeadLetterQueue(context.data_dir).purge(days)
    stash_log.info(f"Deleted {counted(purged, 'dead letter')} older than {days:g} days")
    return {"purged": purged}

"""The dead letters: Retry, Clear, and Purge."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from typing import Any

from api.arguments import scene_ids
from api.context import Context
from common import stash_log
from common.errors import UserError
from common.jobs import PRIORITY_SCAN
from state import database
from sync_queue.dlq import DeadLetterQueue
from sync_queue.setup import open_writer

DAYS = 30.0


def retry(context: Context) -> dict[str, Any]:
    """Queue the jobs of all dead letters anew, or of those about ``scenes``. Says how many.

    Raises UserError, QueueUnavailable.
    """
    wanted = scene_ids(context.args)
    queued = skipped = 0
    if os.path.exists(os.path.join(context.data_dir, database.FILE)):
        queued, skipped = _queue_anew(context, None if wanted is None else set(wanted))
    if queued:
        context.start_worker()
        stash_log.info(f"{queued:,} dead letters are tried again; what still fails comes back with its reason")
    else:
        stash_log.info("There are no dead letters to try again" + (" about these scenes" if wanted else ""))
    if skipped:
        stash_log.warning(
            f"{skipped:,} dead letters hold no job that can be read: Clear Dead Letter Queue forgets them"
        )
    return {"queued": queued, "unreadable": skipped}


def _queue_anew(context: Context, wanted: set[int] | None) -> tuple[int, int]:
    from worker.dlq_retry import anew, let_go, read_letters

    queued = skipped = 0
    after = ""
    with closing(open_writer(context.data_dir)) as writer, closing(database.connect(context.data_dir)) as db:
        while page := read_letters(db, after):
            after = page[-1].job_key
            chosen = [letter for letter in page if wanted is None or letter.scene_id in wanted]
            now = time.time()
            jobs = [(letter, anew(letter, priority=PRIORITY_SCAN, now=now)) for letter in chosen]
            # Queue first, letters after: a kill in between leaves both, and to do it twice changes nothing.
            writer.fold_all((json.dumps(job), letter.job_key) for letter, job in jobs if job is not None)
            let_go(db, [letter for letter, job in jobs if job is not None])
            queued += sum(1 for _, job in jobs if job is not None)
            skipped += sum(1 for _, job in jobs if job is None)
    return queued, skipped


def clear(context: Context) -> dict[str, Any]:
    """Delete all dead letters; says how many."""
    cleared = DeadLetterQueue(context.data_dir).clear()
    stash_log.info(f"{cleared} dead letters deleted")
    return {"cleared": cleared}


def purge(context: Context) -> dict[str, Any]:
    """Delete the dead letters that are older than ``days`` (30). Raises UserError for a bad number."""
    given = context.args.get("days", DAYS)
    try:
        days = float(str(given))
    except (TypeError, ValueError):
        days = -1.0
    if isinstance(given, bool) or not 0 <= days < 1e6:
        raise UserError(f"days is the age in days above which dead letters go, like 30, not {given!r}")
    purged = DeadLetterQueue(context.data_dir).purge(days)
    stash_log.info(f"{purged} dead letters older than {days:g} days deleted")
    return {"purged": purged}

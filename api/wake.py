"""Operation ``wake``: start waiting jobs and due reconciliations. Stash starts no plugin when it
starts itself (stash 10.5), so a script in Stash's page does."""

from __future__ import annotations

from api.context import Context
from api.read_model import queue_status_facts


def wake(context: Context) -> dict[str, object]:
    """Start the worker if jobs wait and a reconciliation if one is due. Return the facts of View Queue Status too.

    Raise UserError, sqlite3.Error, OSError.
    """
    facts = queue_status_facts(context.data_dir)
    has_jobs = bool(facts["queue"]["waiting"] or facts["queue"]["in_flight"])
    return {
        "started": has_jobs and context.start_worker(),
        "reconciling": context.start_reconciliation_if_due(),
        **facts,
    }

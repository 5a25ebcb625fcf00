"""Start what is due after a task or an operation: a reconciliation, and the worker if jobs are left.

Imports little: the status does this too.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # sqlite3 itself would also import datetime
import json

from common import stash_log
from common.reconcile_due import due
from sync_queue.writer import open_existing, queue_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def start_reconciliation_if_due(data_dir: str, plugin_dir: str, connection: Mapping[str, object]) -> bool:
    """Start an automatic reconciliation if one is due. Return whether it was started."""
    try:
        if not due(data_dir):
            return False
        from common.detached_process import ensure_reconciliation

        return ensure_reconciliation(data_dir, plugin_dir, json.dumps(connection))
    except OSError as error:
        stash_log.warning(f"The automatic reconciliation could not be started: {error}")
        return False


def start_worker_if_jobs_left(
    data_dir: str, plugin_dir: str, connection: Mapping[str, object], jobs_left: bool | None = None
) -> bool:
    """Start the worker if jobs wait or were left behind by a worker that was killed. Return whether it was started.

    A worker that pauses after a crash goes on pausing. ``jobs_left`` saves a query where the caller knows the answer.
    """
    try:
        if not (_has_jobs(data_dir) if jobs_left is None else jobs_left):
            return False
        from common.detached_process import ensure_worker

        return ensure_worker(data_dir, plugin_dir, json.dumps(connection))
    except (sqlite3.Error, OSError) as error:
        stash_log.warning(f"The background worker could not be started: {error}")
        return False


def _has_jobs(data_dir: str) -> bool:
    writer = open_existing(queue_dir(data_dir))
    if writer is None:
        return False
    try:
        return writer.has_undone()
    finally:
        writer.close()

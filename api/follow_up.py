"""What a task sets going when its own work is done: a comparison that is due, a drainer where rows wait.

Few imports: a status does it too.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # what sqlite3 itself hands on, without the date types it imports
import json

from common import stash_log
from common.reconcile_due import due
from sync_queue.writer import open_existing, queue_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def reconcile_if_due(data_dir: str, plugin_dir: str, connection: Mapping[str, Any]) -> bool:
    """Start the comparison of Stash and Plex where one is due by itself. True when it was started."""
    try:
        if not due(data_dir):
            return False
        from reconciliation.launch import ensure

        return ensure(data_dir, plugin_dir, json.dumps(connection))
    except OSError as error:
        stash_log.warning(f"The automatic reconciliation could not be started: {error}")
        return False


def drain_if_waiting(data_dir: str, plugin_dir: str, connection: Mapping[str, Any], undone: bool | None = None) -> bool:
    """See that a drainer lives where rows wait, or were left behind by one that was killed. True when one was
    started; one that sits out a pause goes on doing so. ``undone`` says whether there are such rows, where that is
    known."""
    try:
        if not (_any_undone(data_dir) if undone is None else undone):
            return False
        from common.detached_process import ensure_drainer

        return ensure_drainer(data_dir, plugin_dir, json.dumps(connection))
    except (sqlite3.Error, OSError) as error:
        stash_log.warning(f"The background worker could not be started: {error}")
        return False


def _any_undone(data_dir: str) -> bool:
    writer = open_existing(queue_dir(data_dir))
    if writer is None:
        return False
    try:
        return writer.any_undone()
    finally:
        writer.close()

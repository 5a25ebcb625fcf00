"""Operation ``sync_now``: write scenes to Plex before everything else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import closing

from api import VERSION
from api.arguments import ids_of
from api.context import Context
from common.job_rows import PRIORITY_SAVE, new_job
from sync_queue.setup import open_writer


def sync_now(context: Context) -> dict[str, object]:
    """Queue the scenes ``ids`` first, restored ones too. Raise UserError, QueueUnavailable."""
    ids = ids_of(context.args.get("ids", context.args.get("id")) or "", "ids")
    queue_first(context, ids)
    return {"version": VERSION, "queued": len(ids)}


def queue_first(context: Context, scene_ids: Iterable[int]) -> None:
    """Queue scenes on behalf of a person, before all other jobs, and start the worker."""
    now = time.time()
    jobs = [
        {**new_job(scene_id, "metadata", {}, priority=PRIORITY_SAVE, now=now), "by_hand": True}
        for scene_id in scene_ids
    ]
    with closing(open_writer(context.data_dir)) as writer:
        writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
    context.start_worker()

"""Sync All Scenes and Sync Recent Scenes: queue every scene, synced or not. The diff makes unchanged ones free."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any

from metadata.gate import has_meaningful_metadata
from stash import log
from stash.instants import parse_instant
from stash.scenes import count, pages
from sync_queue.jobs import PRIORITY_BULK, new_job
from sync_queue.setup import open_writer
from tasks.context import Context

RECENT = 86_400.0


def sync_all(context: Context) -> dict[str, Any]:
    """Queue all scenes. Raises UserError, StashError, QueueUnavailable."""
    return _queue(context, None)


def sync_recent(context: Context) -> dict[str, Any]:
    """Queue the scenes updated in the last 24 hours. Raises as :func:`sync_all`."""
    return _queue(context, time.time() - RECENT)


def _queue(context: Context, since: float | None) -> dict[str, Any]:
    context.require_settings()
    total = max(1, count(context.stash, since))
    seen = queued = waiting = gated = 0
    with closing(open_writer(context.data_dir)) as writer:
        for page in pages(context.stash, since):
            chosen = [scene for scene in page if since is None or _updated(scene) >= since]
            worth = [scene for scene in chosen if has_meaningful_metadata(scene)]
            now = time.time()
            jobs = [new_job(int(scene["id"]), "metadata", {}, priority=PRIORITY_BULK, now=now) for scene in worth]
            inserted = writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
            first = queued == 0 and inserted > 0
            seen += len(page)
            queued += inserted
            waiting += len(jobs) - inserted
            gated += len(chosen) - len(worth)
            if first:
                context.wake()
            log.progress(seen / total)
    context.wake()
    log.info(
        f"{queued} scenes queued, {waiting} were waiting already, {gated} left out for having none of studio, "
        "performers, tags, details, date. The background worker writes them; View Queue Status shows how far it is"
    )
    return {"scenes": seen, "queued": queued, "already_waiting": waiting, "gated": gated}


def _updated(scene: dict[str, Any]) -> float:
    moment = parse_instant(scene.get("updated_at"))
    return float("inf") if moment is None else moment

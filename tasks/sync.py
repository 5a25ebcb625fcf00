"""Sync All Scenes and Sync Recent Scenes: queue every scene, whether it was synced before or not.

A scene that is already the same in Plex is not written. Scenes that were restored are written again, because a person
asked for it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from api.arguments import scene_ids
from api.context import Context
from common import stash_log
from common.errors import UserError
from common.human_text import counted
from common.iso_time import parse_instant
from common.job_rows import PRIORITY_BULK, PRIORITY_SCAN, new_job
from common.scene import StashScene
from common.verdicts import Verdict
from metadata.quality_gate import has_meaningful_metadata
from stash.scenes import count_scenes, read_batch, scene_pages
from state import database
from state.ledger import Ledger
from sync_queue.setup import open_writer

RECENT_S = 86_400.0
# Scenes named by id that are read in one request.
BATCH_SIZE = 100
# As few named scenes as this go before bulk work.
MAX_URGENT_SCENES = 20

_Page = Sequence[StashScene]


def sync_all(context: Context) -> dict[str, object]:
    """Queue all scenes, or those in ``scenes``. Raise UserError, StashError, QueueUnavailable."""
    return sync_some(context) if scene_ids(context.args) is not None else _sync_since(context, None)


def sync_recent(context: Context) -> dict[str, object]:
    """Queue the scenes updated in the last 24 hours. Raise as :func:`sync_all`."""
    return _sync_since(context, time.time() - RECENT_S)


def sync_some(context: Context) -> dict[str, object]:
    """Queue the scenes with the ids in ``scenes``. Raise as :func:`sync_all`."""
    ids = scene_ids(context.args)
    if ids is None:
        raise UserError("sync takes scenes, a list of ids of Stash, like [12, 13]. Sync All Scenes takes all")
    context.require_settings()
    missing: list[int] = []
    priority = PRIORITY_SCAN if len(ids) <= MAX_URGENT_SCENES else PRIORITY_BULK
    result = _queue(context, _pages_by_id(context, ids, missing), len(ids), priority)
    if missing:
        named = ", ".join(map(str, missing[:MAX_URGENT_SCENES]))
        stash_log.warning(f"Stash has no scene {named}" + (" ..." if len(missing) > MAX_URGENT_SCENES else ""))
    return {**result, "gone": len(missing)}


def _sync_since(context: Context, since: float | None) -> dict[str, object]:
    context.require_settings()
    pages = (
        (page, [scene for scene in page if since is None or _updated_at(scene) >= since])
        for page in scene_pages(context.stash, since)
    )
    return _queue(context, pages, count_scenes(context.stash, since), PRIORITY_BULK)


def _pages_by_id(context: Context, ids: list[int], missing: list[int]) -> Iterator[tuple[_Page, _Page]]:
    """Yield the scenes with these ids. Add the ids that Stash does not have to ``missing``."""
    for start in range(0, len(ids), BATCH_SIZE):
        scenes = read_batch(context.stash, ids[start : start + BATCH_SIZE]).scenes
        missing += [scene_id for scene_id, scene in scenes.items() if scene is None]
        page = [scene for scene in scenes.values() if scene is not None]
        yield page, page


def _queue(context: Context, pages: Iterator[tuple[_Page, _Page]], total: int, priority: int) -> dict[str, object]:
    """Queue scenes. ``pages``: the scenes that were read, and those of them to queue."""
    restored = _restored_scenes(context.data_dir)
    read = queued = already_waiting = gated = again = 0
    with closing(open_writer(context.data_dir)) as writer:
        for page, chosen in pages:
            ids = [int(scene["id"]) for scene in chosen if has_meaningful_metadata(scene)]
            now = time.time()
            jobs = [
                {**new_job(scene_id, "metadata", {}, priority=priority, now=now), "by_hand": True} for scene_id in ids
            ]
            inserted = writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
            is_first = queued == 0 and inserted > 0
            read += len(page)
            queued += inserted
            already_waiting += len(jobs) - inserted
            gated += len(chosen) - len(ids)
            again += len(restored.intersection(ids))
            if is_first:
                context.start_worker()
            stash_log.progress(read / max(1, total))
    context.start_worker()
    waiting = f", {already_waiting:,} already waiting" if already_waiting else ""
    skipped = (
        f". Skipped, too little metadata (no studio, performers, tags, details or date): {gated:,}" if gated else ""
    )
    stash_log.info(f"Queued {counted(queued, 'scene')}{waiting}{skipped}. View Queue Status shows the progress")
    if again:
        stash_log.warning(
            f"{counted(again, 'scene')} given back to Plex earlier will be written again, because you asked for it. "
            "To prevent that, run Clear Pending Queue, then Give Back to Plex for what was written in the meantime"
        )
    return {
        "scenes": read,
        "queued": queued,
        "already_waiting": already_waiting,
        "gated": gated,
        "given_back": again,
    }


def _restored_scenes(data_dir: str) -> set[int]:
    if not os.path.exists(os.path.join(data_dir, database.FILE)):
        return set()
    with closing(database.connect(data_dir)) as db:
        return Ledger(db).scenes_with_verdict(Verdict.RESTORED)


def _updated_at(scene: StashScene) -> float:
    updated_at = parse_instant(scene.get("updated_at"))
    return float("inf") if updated_at is None else updated_at

"""Sync All Scenes and Sync Recent Scenes: queue every scene, synced or not. The diff makes unchanged ones free.

A person asks for these: they also write what was given back to Plex.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from api.arguments import scene_ids
from api.context import Context
from common import stash_log
from common.errors import UserError
from common.iso_time import parse_instant
from common.jobs import PRIORITY_BULK, PRIORITY_SCAN, new_job
from common.scene import StashScene
from common.verdicts import Verdict
from metadata.quality_gate import has_meaningful_metadata
from stash.scenes import count_scenes, read_batch, scene_pages
from state import database
from state.ledger import Ledger
from sync_queue.setup import open_writer

RECENT = 86_400.0
# Scenes named one by one that are read together; and so few of them go before bulk work.
PORTION = 100
FEW = 20

_Scenes = Sequence[StashScene]


def sync_all(context: Context) -> dict[str, Any]:
    """Queue all scenes, or those that ``scenes`` names. Raises UserError, StashError, QueueUnavailable."""
    return sync_some(context) if scene_ids(context.args) is not None else _sync_since(context, None)


def sync_recent(context: Context) -> dict[str, Any]:
    """Queue the scenes updated in the last 24 hours. Raises as :func:`sync_all`."""
    return _sync_since(context, time.time() - RECENT)


def sync_some(context: Context) -> dict[str, Any]:
    """Queue the scenes with the ids in ``scenes``. Raises as :func:`sync_all`."""
    ids = scene_ids(context.args)
    if ids is None:
        raise UserError("sync takes scenes, a list of ids of Stash, like [12, 13]. Sync All Scenes takes all")
    context.require_settings()
    gone: list[int] = []
    result = _queue(context, _named(context, ids, gone), len(ids), PRIORITY_SCAN if len(ids) <= FEW else PRIORITY_BULK)
    if gone:
        stash_log.warning(f"Stash has no scene {', '.join(map(str, gone[:FEW]))}" + (" ..." if len(gone) > FEW else ""))
    return {**result, "gone": len(gone)}


def _sync_since(context: Context, since: float | None) -> dict[str, Any]:
    context.require_settings()
    found = (
        (page, [scene for scene in page if since is None or _updated(scene) >= since])
        for page in scene_pages(context.stash, since)
    )
    return _queue(context, found, count_scenes(context.stash, since), PRIORITY_BULK)


def _named(context: Context, ids: list[int], gone: list[int]) -> Iterator[tuple[_Scenes, _Scenes]]:
    for start in range(0, len(ids), PORTION):
        answer = read_batch(context.stash, ids[start : start + PORTION]).scenes
        there = [scene for scene in answer.values() if scene is not None]
        gone += [scene_id for scene_id, scene in answer.items() if scene is None]
        yield there, there


def _queue(context: Context, found: Iterator[tuple[_Scenes, _Scenes]], total: int, priority: int) -> dict[str, Any]:
    """Queue what is ``found``: pages of the scenes that were looked at, and those of them that are meant."""
    given_back = _given_back(context.data_dir)
    seen = queued = waiting = gated = again = 0
    with closing(open_writer(context.data_dir)) as writer:
        for page, chosen in found:
            worth = [int(scene["id"]) for scene in chosen if has_meaningful_metadata(scene)]
            now = time.time()
            jobs = [{**new_job(one, "metadata", {}, priority=priority, now=now), "by_hand": True} for one in worth]
            inserted = writer.fold_all((json.dumps(job), job["job_key"]) for job in jobs)
            first = queued == 0 and inserted > 0
            seen += len(page)
            queued += inserted
            waiting += len(jobs) - inserted
            gated += len(chosen) - len(worth)
            again += len(given_back.intersection(worth))
            if first:
                context.start_worker()
            stash_log.progress(seen / max(1, total))
    context.start_worker()
    stash_log.info(
        f"{queued} scenes queued, {waiting} were waiting already, {gated} left out for having none of studio, "
        "performers, tags, details, date. The background worker writes them; View Queue Status shows how far it is"
    )
    if again:
        stash_log.warning(
            f"{again} of them had been given back to Plex: since you ask for it by hand, they are written again. If "
            "that is not meant, run Clear Pending Queue, and Give Back to Plex for what was written until then"
        )
    return {"scenes": seen, "queued": queued, "already_waiting": waiting, "gated": gated, "given_back": again}


def _given_back(data_dir: str) -> set[int]:
    if not os.path.exists(os.path.join(data_dir, database.FILE)):
        return set()
    with closing(database.connect(data_dir)) as db:
        return Ledger(db).scenes(Verdict.RESTORED)


def _updated(scene: StashScene) -> float:
    moment = parse_instant(scene.get("updated_at"))
    return float("inf") if moment is None else moment

"""View Queue Status: what waits, what failed and why, and how the background worker is."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import Any

from plex.cache import learned
from stash import log
from sync_queue import state
from sync_queue.dlq import DeadLetterQueue
from sync_queue.ledger import Ledger, Verdict
from sync_queue.operations import get_stats
from tasks.context import Context
from worker.notes import ATTENTION, lives, read_status, read_text

SHOWN = 10
_SHOWN_OF_LETTER = ("scene_id", "error_type", "message", "attempts", "first_at", "last_at")


def queue_status(context: Context) -> dict[str, Any]:
    """Say how things are. Asks neither Stash nor Plex."""
    queue = get_stats(context.queue_dir)
    drainer = read_status(context.data_dir)
    attention = read_text(os.path.join(context.data_dir, ATTENTION))
    letters: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    missing: list[tuple[int, str]] = []
    if os.path.exists(os.path.join(context.data_dir, state.FILE)):
        dlq = DeadLetterQueue(context.data_dir)
        letters, counts = dlq.entries(SHOWN), dlq.counts()
        with closing(state.connect(context.data_dir)) as db:
            ledger = Ledger(db)
            verdicts, missing = ledger.counts(), ledger.newest(Verdict.NOT_IN_PLEX, SHOWN)
    dead = sum(counts.values())
    log.info(f"Queue: {queue['waiting']} wait, {queue['in_flight']} are being written")
    log.info(_of_drainer(drainer))
    if attention:
        log.warning(attention)
    for verdict, number in sorted(verdicts.items()):
        log.info(f"Scenes last seen as {verdict}: {number}")
    for scene_id, reason in missing:
        log.info(f"  scene {scene_id}: {reason}")
    for rule in drainer.get("unused_rules") or ():
        log.warning(f"The rule {rule} of Path map has concerned no file since the worker's start: is it written right?")
    views = learned(context.data_dir)
    for (here, there), number in views.items():
        hint = "" if drainer.get("rules") else f". As a rule for Path map: {here} => {there}"
        log.info(f"Stash {here} -> Plex {there}, {number:,} scenes{hint}")
    log.info("Dead letters: " + (", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())) or "none"))
    for letter in letters:
        log.info(f"  scene {letter['scene_id']}: {letter['message']} ({letter['attempts']} tries)")
        for one in letter["detail"].get("candidates", ())[:SHOWN]:
            log.info(f"    item {one['rating_key']} {one['title']!r}: {one['path']} ({', '.join(one['reasons'])})")
    if dead > len(letters):
        log.info(f"  ... and {dead - len(letters)} more")
    return {
        "queue": queue,
        "dead_letters": {
            "count": dead,
            "by_type": counts,
            "newest": [
                {
                    name: letter[name]
                    for name in ("scene_id", "error_type", "message", "attempts", "first_at", "last_at")
                }
                for letter in letters
            ],
        },
        "verdicts": verdicts,
        "learned": [{"stash": here, "plex": there, "files": number} for (here, there), number in views.items()],
        "not_in_plex": [{"scene_id": scene_id, "reason": reason} for scene_id, reason in missing],
        "drainer": drainer,
        "attention": attention,
    }


def _of_drainer(drainer: dict[str, Any]) -> str:
    if not drainer:
        return "Background worker: has not run yet"
    if not lives(drainer):
        return "Background worker: none at work; the next save or task starts one"
    since = drainer.get("since")
    ago = f" since {_ago(time.time() - since)}" if isinstance(since, (int, float)) else ""
    words = f"Background worker: {drainer.get('state', 'unknown')}{ago}"
    return f"{words}, scenes written since its start: {drainer['written']}" if drainer.get("written") else words


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"

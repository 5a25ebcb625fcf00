"""View Queue Status: what waits, what failed and why, how the worker is, and when Stash and Plex were compared."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

from plex.views import learned
from stash import log
from sync_queue import state
from sync_queue.dlq import DeadLetterQueue
from sync_queue.events import Events
from sync_queue.ledger import IN_STEP, Ledger, Verdict
from sync_queue.operations import get_stats
from tasks.context import Context
from tasks.words import ago, moment, numbers, times, until
from worker.glance import ATTENTION, lives, read_status, read_text

SHOWN = 10
WEEK = 7 * 86_400.0
# An outage that was over sooner is nobody's business.
LONG_ENOUGH = 60.0
_OF_LETTER = ("scene_id", "error_type", "message", "attempts", "first_at", "last_at", "detail")


def queue_status(context: Context) -> dict[str, Any]:
    """Say how things are. Asks neither Stash nor Plex."""
    facts = gather(context.data_dir, context.queue_dir)
    for level, line in lines(facts, time.time()):
        (log.warning if level == "warning" else log.info)(line)
    return facts


def gather(data_dir: str, queue_dir: str) -> dict[str, Any]:
    """What is known without asking anybody, as plain data."""
    facts: dict[str, Any] = {
        "queue": get_stats(queue_dir),
        "drainer": read_status(data_dir),
        "attention": read_text(os.path.join(data_dir, ATTENTION)),
        "dead_letters": {"count": 0, "by_type": {}, "newest": []},
        "verdicts": {},
        "not_in_plex": [],
        "outages": [],
        "reconciliation": _reconciliation(data_dir),
        "learned": [
            {"stash": here, "plex": there, "files": number} for (here, there), number in learned(data_dir).items()
        ],
    }
    if os.path.exists(os.path.join(data_dir, state.FILE)):
        dlq = DeadLetterQueue(data_dir)
        counts = dlq.counts()
        facts["dead_letters"] = {
            "count": sum(counts.values()),
            "by_type": counts,
            "newest": [{name: letter[name] for name in _OF_LETTER} for letter in dlq.entries(SHOWN)],
        }
        with closing(state.connect(data_dir)) as db:
            ledger = Ledger(db)
            facts["outages"] = [asdict(one) for one in Events(db).outages(time.time() - WEEK)]
            facts["verdicts"] = ledger.counts()
            facts["not_in_plex"] = [
                {"scene_id": scene_id, "reason": reason}
                for scene_id, reason in ledger.newest(Verdict.NOT_IN_PLEX, SHOWN)
            ]
    return facts


def _reconciliation(data_dir: str) -> dict[str, Any]:
    from reconciliation.scheduler import ReconciliationScheduler
    from sync_queue import due

    try:
        following = due.read(os.path.join(data_dir, due.FILE))[0]
    except (OSError, ValueError):  # nothing was arranged yet
        following = float("inf")
    known = asdict(ReconciliationScheduler(data_dir).load_state())
    return {**known, "next_run_time": None if following == float("inf") else following}


def lines(facts: dict[str, Any], now: float) -> Iterator[tuple[str, str]]:
    """The facts as (level, line) for the log."""
    queue, drainer = facts["queue"], facts["drainer"]
    yield "info", f"Queue: {queue['waiting']:,} wait, {queue['in_flight']:,} are being written"
    yield "info", _of_drainer(drainer, now)
    if facts["attention"]:
        yield "warning", facts["attention"]
    yield from _of_outages(facts["outages"], now)
    yield from _of_scenes(facts)
    yield from _of_reconciliation(facts["reconciliation"], now)
    for rule in drainer.get("unused_rules") or ():
        yield (
            "warning",
            f"The rule {rule} of Path map has concerned no file since the worker's start: is it written right?",
        )
    for view in facts["learned"]:
        hint = "" if drainer.get("rules") else f". As a rule for Path map: {view['stash']} => {view['plex']}"
        yield "info", f"Stash {view['stash']} -> Plex {view['plex']}, {view['files']:,} scenes{hint}"
    yield from _of_letters(facts["dead_letters"])


def _of_drainer(drainer: dict[str, Any], now: float) -> str:
    if not drainer:
        return "Background worker: has not run yet"
    if not lives(drainer):
        return "Background worker: none at work; the next save or task starts one"
    since = drainer.get("since")
    words = f"Background worker: {drainer.get('state', 'unknown')}"
    if isinstance(since, (int, float)):
        words += f" since {ago(now - since)}"
    return f"{words}, scenes written since its start: {drainer['written']:,}" if drainer.get("written") else words


def _of_outages(outages: list[dict[str, Any]], now: float) -> Iterator[tuple[str, str]]:
    long = [one for one in outages if (one["ended"] or now) - one["began"] >= LONG_ENOUGH]
    if not long:
        return
    last = long[-1]
    began, lasted = moment(last["began"]), ago((last["ended"] or now) - last["began"])
    how = f"{lasted} long" if last["ended"] else f"for {lasted} now"
    yield (
        "info",
        f"Plex was away {times(len(long))} in the last seven days, last on {began}, {how}, {last['waiting']:,} waiting"
        f": {last['reason']}",
    )


def _of_scenes(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    verdicts: dict[str, int] = dict(facts["verdicts"])
    in_step = sum(verdicts.pop(verdict.value, 0) for verdict in IN_STEP)
    if in_step:
        yield "info", f"Scenes that were the same in Plex when last looked at: {in_step:,}"
    for verdict, number in sorted(verdicts.items()):
        yield "info", f"Scenes last seen as {verdict}: {number:,}"
    for one in facts["not_in_plex"]:
        yield "info", f"  scene {one['scene_id']}: {one['reason']}"


def _of_reconciliation(known: dict[str, Any], now: float) -> Iterator[tuple[str, str]]:
    if not known["last_run_time"]:
        yield "info", "Reconciliation: has not run yet; Reconcile Library (All) compares Stash and Plex"
    else:
        yield (
            "info",
            f"Reconciliation: last {moment(known['last_run_time'])} ({known['last_scope']}), "
            f"{known['last_scenes_checked']:,} scenes checked, {known['last_gaps_found']:,} gaps found"
            f"{numbers(known['last_gaps_by_type'])}, {known['last_enqueued']:,} queued"
            f"{numbers(known['last_enqueued_by_type'])}",
        )
        if known["last_error"]:
            yield "warning", f"  it ended early: {known['last_error']}"
    full, following = known["last_full_run_time"], known["next_run_time"]
    over_all = f"{ago(now - full)} ago" if full else "never"
    planned = (
        "only after a start of Stash (Reconcile interval is never)" if following is None else until(following, now)
    )
    yield "info", f"  all scenes were compared last: {over_all}; the next run by itself: {planned}"


def _of_letters(letters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(letters["by_type"].items()))
    yield "info", f"Dead letters: {counts or 'none'}"
    for letter in letters["newest"]:
        yield "info", f"  scene {letter['scene_id']}: {letter['message']} ({letter['attempts']} tries)"
        for one in letter["detail"].get("candidates", ())[:SHOWN]:
            yield (
                "info",
                f"    item {one['rating_key']} {one['title']!r}: {one['path']} ({', '.join(one['reasons'])})",
            )
    if letters["count"] > len(letters["newest"]):
        yield "info", f"  ... and {letters['count'] - len(letters['newest']):,} more"

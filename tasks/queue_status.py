"""View Queue Status: what waits, what failed and why, how the worker is, and when Stash and Plex were compared."""

from __future__ import annotations

import json
import os
import time

from api.causes import IN_STEP, NOT_IN_PLEX
from api.read_model import LETTERS_BY_TYPE, next_comparison, open_queue, open_state, rows_by_state
from common import stash_log
from common.human_text import ago, moment, numbers, times, until
from matching.learned_mapping import learned
from state.outages import outages
from state.reconciliation_state import load
from state.worker_status import ATTENTION, lives, read_status, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from typing import Any

    from tasks.status_context import StatusContext

SHOWN = 10
WEEK = 7 * 86_400.0
# An outage that was over sooner is nobody's business.
LONG_ENOUGH = 60.0
_OF_LETTER = ("scene_id", "error_type", "message", "attempts", "first_at", "last_at", "detail")
# First which they are, then what stands in them: it would all be sorted.
_LETTERS = (
    "SELECT scene_id, error_type, message, attempts, first_at, last_at, detail FROM dead_letters "
    "WHERE rowid IN (SELECT rowid FROM dead_letters ORDER BY last_at DESC LIMIT ?) ORDER BY last_at DESC"
)
# SQLite counts a table faster than a part of it: so the verdict that most scenes have is what the others leave over.
_MOST = IN_STEP[0]
_OTHERS = (
    "SELECT verdict, COUNT(*) FROM ledger WHERE verdict < ? GROUP BY verdict UNION ALL "
    "SELECT verdict, COUNT(*) FROM ledger WHERE verdict > ? GROUP BY verdict UNION ALL "
    "SELECT NULL, COUNT(*) FROM ledger"
)
_NEWEST = "SELECT scene_id, reason FROM ledger WHERE verdict = ? ORDER BY at DESC LIMIT ?"


def queue_status(run: StatusContext) -> dict[str, Any]:
    """Say how things are. Asks neither Stash nor Plex."""
    facts = gather(run.data_dir)
    for level, line in lines(facts, time.time()):
        (stash_log.warning if level == "warning" else stash_log.info)(line)
    return facts


def gather(data_dir: str) -> dict[str, Any]:
    """What is known without asking anybody, as plain data. Raises sqlite3.Error, OSError."""
    queue = open_queue(data_dir)
    try:
        rows = rows_by_state(queue)
    finally:
        if queue is not None:
            queue.close()
    facts = {
        "queue": rows,
        "drainer": read_status(data_dir),
        "attention": read_text(os.path.join(data_dir, ATTENTION)),
        "reconciliation": {**load(data_dir), "next_run_time": next_comparison(data_dir)},
        "learned": [
            {"stash": here, "plex": there, "files": number} for (here, there), number in learned(data_dir).items()
        ],
    }
    db = open_state(data_dir)
    try:
        return {**facts, **_of_state(db)}
    finally:
        db.close()


def _of_state(db: sqlite3.Connection) -> dict[str, Any]:
    by_type = dict(db.execute(LETTERS_BY_TYPE).fetchall())
    letters = [dict(zip(_OF_LETTER, row, strict=True)) for row in db.execute(_LETTERS, (SHOWN,))]
    for letter in letters:
        letter["detail"] = json.loads(letter["detail"])
    away = outages(db, time.time() - WEEK)
    return {
        "dead_letters": {"count": sum(by_type.values()), "by_type": by_type, "newest": letters},
        "verdicts": _verdicts(db),
        "not_in_plex": [
            {"scene_id": scene_id, "reason": reason} for scene_id, reason in db.execute(_NEWEST, (NOT_IN_PLEX, SHOWN))
        ],
        "outages": [dict(zip(("began", "ended", "reason", "waiting"), one, strict=True)) for one in away],
    }


def _verdicts(db: sqlite3.Connection) -> dict[str, int]:
    """Scenes by verdict."""
    counts = dict(db.execute(_OTHERS, (_MOST, _MOST)).fetchall())
    counts[_MOST] = counts.pop(None) - sum(counts.values())
    return {verdict: number for verdict, number in counts.items() if number}


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
    in_step = sum(verdicts.pop(verdict, 0) for verdict in IN_STEP)
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

"""View Queue Status: jobs, worker, outages, scenes by result, reconciliation and dead letters, as lines of the log."""

from __future__ import annotations

import time

from api.dead_letter_causes import cause_of
from api.read_model import MAX_LISTED, queue_status_facts
from common import stash_log
from common.human_text import (
    counted,
    format_counts,
    format_duration,
    format_local_time,
    format_time_until,
    format_times,
)
from common.verdicts import SYNCED, VERDICT_LINES, Verdict
from state.worker_status import lives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from api.read_model import DeadLetterFacts, OutageFacts, QueueStatusFacts
    from tasks.status_context import StatusContext

# Shorter outages are not worth a line.
MIN_OUTAGE_S = 60.0


def queue_status(context: StatusContext) -> QueueStatusFacts:
    """Log the status. Asks neither Stash nor Plex. Raise sqlite3.Error, OSError."""
    facts = queue_status_facts(context.data_dir)
    for level, line in lines(facts, time.time()):
        (stash_log.warning if level == "warning" else stash_log.info)(line)
    return facts


def lines(facts: QueueStatusFacts, now: float) -> Iterator[tuple[str, str]]:
    """Yield the facts as (level, line)."""
    queue, worker = facts["queue"], facts["drainer"]
    yield "info", f"Queue: {queue['waiting']:,} waiting, {queue['in_flight']:,} in progress"
    yield "info", _worker_line(worker, now)
    if facts["attention"]:
        yield "warning", facts["attention"]
    yield from _outage_lines(facts["outages"], now)
    yield from _scene_lines(facts)
    yield from _reconciliation_lines(facts["reconciliation"], now)
    yield from _path_map_lines(facts)
    yield from _dead_letter_lines(facts["dead_letters"])


def _worker_line(worker: dict[str, Any], now: float) -> str:
    if not worker:
        return "Background worker: has not run yet"
    if not lives(worker):
        return "Background worker: not running. The next save or task starts it"
    line = f"Background worker: {worker.get('state', 'running')}"
    since, written = worker.get("since"), worker.get("written")
    if isinstance(since, (int, float)):
        line += f" for {format_duration(now - since)}"
    return f"{line}, {counted(written, 'scene')} written since it started" if written else line


def _outage_lines(outages: list[OutageFacts], now: float) -> Iterator[tuple[str, str]]:
    long = [outage for outage in outages if (outage["ended"] or now) - outage["began"] >= MIN_OUTAGE_S]
    if not long:
        return
    last = long[-1]
    lasted = format_duration((last["ended"] or now) - last["began"])
    duration = f"for {lasted}" if last["ended"] else f"for {lasted} so far"
    yield (
        "info",
        f"Plex was down {format_times(len(long))} in the last seven days, last on "
        f"{format_local_time(last['began'])} {duration} with {counted(last['waiting'], 'job')} waiting: "
        f"{last['reason']}",
    )


def _scene_lines(facts: QueueStatusFacts) -> Iterator[tuple[str, str]]:
    verdicts = dict(facts["verdicts"])
    in_step = sum(verdicts.pop(verdict.value, 0) for verdict in SYNCED)
    if in_step:
        yield "info", f"Scenes in sync with Plex: {in_step:,}"
    for verdict, count in sorted(verdicts.items()):
        yield "info", f"{VERDICT_LINES.get(verdict, verdict)}: {count:,}"
        if verdict == Verdict.NOT_IN_PLEX.value:
            for scene in facts["not_in_plex"]:
                yield "info", f"  Scene {scene['scene_id']}: {scene['reason']}"


def _reconciliation_lines(last: Mapping[str, Any], now: float) -> Iterator[tuple[str, str]]:
    if not last["last_run_time"]:
        yield "info", "Reconciliation: has not run yet. Reconcile Library (All) compares Stash and Plex"
    else:
        yield (
            "info",
            f"Reconciliation: last {format_local_time(last['last_run_time'])} ({last['last_scope']}), "
            f"{counted(last['last_scenes_checked'], 'scene')} checked, {counted(last['last_gaps_found'], 'gap')} found"
            f"{format_counts(last['last_gaps_by_type'])}, {last['last_enqueued']:,} queued"
            f"{format_counts(last['last_enqueued_by_type'])}",
        )
        if last["last_error"]:
            yield "warning", f"  It ended early: {last['last_error']}"
    full_run, next_run = last["last_full_run_time"], last["next_run_time"]
    full = f"{format_duration(now - full_run)} ago" if full_run else "never"
    due = (
        "only after Stash restarts (Reconcile interval is never)"
        if next_run is None
        else format_time_until(next_run, now)
    )
    yield "info", f"  Last run over all scenes: {full}. Next automatic run: {due}"


def _path_map_lines(facts: QueueStatusFacts) -> Iterator[tuple[str, str]]:
    worker: Mapping[str, Any] = facts["drainer"]
    for rule in worker.get("unused_rules") or ():
        yield "warning", f"Path map: the rule {rule} has matched no file since the worker started. Is it correct?"
    for pair in facts["learned"]:
        stash, plex = pair["stash"], pair["plex"]
        rule = "" if worker.get("rules") else f". As a rule for Path map: {stash} => {plex}"
        yield "info", f"Stash's {stash} is Plex's {plex}, as {counted(pair['files'], 'scene')} showed{rule}"


def _dead_letter_lines(dead_letters: DeadLetterFacts) -> Iterator[tuple[str, str]]:
    by_cause: dict[str, int] = {}
    for code, count in sorted(dead_letters["by_type"].items()):
        cause = cause_of(code).text
        by_cause[cause] = by_cause.get(cause, 0) + count
    yield (
        "info",
        f"Dead letters: {dead_letters['count']:,}{format_counts(by_cause)}" if by_cause else "Dead letters: none",
    )
    newest = dead_letters["newest"]
    for dead_letter in newest:
        subject = "A job" if dead_letter["scene_id"] is None else f"Scene {dead_letter['scene_id']}"
        yield "info", f"  {subject}: {dead_letter['message']} ({counted(dead_letter['attempts'], 'attempt')})"
        candidates = dead_letter["detail"].get("candidates")
        for candidate in candidates[:MAX_LISTED] if isinstance(candidates, list) else ():
            reasons = ", ".join(candidate["reasons"])
            yield (
                "info",
                f"    Item {candidate['rating_key']} {candidate['title']!r}: {candidate['path']} ({reasons})",
            )
    if dead_letters["count"] > len(newest):
        yield "info", f"  ... and {dead_letters['count'] - len(newest):,} more"

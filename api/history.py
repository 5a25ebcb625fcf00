"""Operation ``history``: scenes written and failed per hour or day, outages, reconciliations, and single events."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from typing import TypedDict

from api import MAX_ROWS, VERSION
from api.arguments import number
from api.read_model import json_object, last_reconciliation, open_state
from common.errors import UserError
from state.events import RECONCILED, Event, Events

DAY_HOURS = 24
MONTH_HOURS = 720
DEFAULT_LIMIT = 100


class Bucket(TypedDict):
    """Scenes of one hour or day. ``at`` is its beginning (epoch seconds)."""

    at: float
    written: int
    unchanged: int
    failed: int


class ReconciliationRun(TypedDict):
    """One reconciliation."""

    at: float
    scope: str
    checked: int
    found: int
    queued: int
    error: str | None


def history(args: dict[str, object], data_dir: str) -> dict[str, object]:
    """Return the last ``hours`` (24, per hour; or 720, per day), and the events before ``after``.

    Raise UserError, sqlite3.Error, OSError.
    """
    hours = number(args, "hours", DAY_HOURS)
    if hours not in (DAY_HOURS, MONTH_HOURS):
        raise UserError(f"hours is {DAY_HOURS} or {MONTH_HOURS}, not {hours}")
    limit = max(1, min(MAX_ROWS, number(args, "limit", DEFAULT_LIMIT)))
    after = number(args, "after", 0) or None
    now = time.time()
    starts = _starts_of_hours(now) if hours == DAY_HOURS else _starts_of_days(now)
    with closing(open_state(data_dir)) as db:
        events = Events(db)
        rows = events.newest(limit + 1, before=after)
        return {
            "version": VERSION,
            "buckets": _buckets(starts, events.hourly_counts(starts[0])),
            "outages": [asdict(outage) for outage in events.outages(starts[0])[-MAX_ROWS:]],
            "reconciliations": _reconciliations(
                events.newest_of_kind(RECONCILED, starts[0], MAX_ROWS), data_dir, starts[0]
            ),
            "events": [
                {"id": key, "at": event.at, "kind": event.kind, "scene_id": event.scene_id, "detail": event.detail}
                for key, event in rows[:limit]
            ],
            "next": rows[limit - 1][0] if len(rows) > limit else None,
        }


def _starts_of_hours(now: float) -> list[float]:
    this_hour = now // 3600 * 3600
    return [this_hour - 3600 * back for back in reversed(range(DAY_HOURS))]


def _starts_of_days(now: float) -> list[float]:
    """Return the starts of the last thirty days on this machine's clock. Not every day has 24 hours."""
    today = time.localtime(now)
    return [
        time.mktime((today.tm_year, today.tm_mon, today.tm_mday - back, 0, 0, 0, 0, 0, -1))
        for back in reversed(range(MONTH_HOURS // DAY_HOURS))
    ]


def _buckets(starts: list[float], sums: list[tuple[int, int, int, int]]) -> list[Bucket]:
    buckets: list[Bucket] = [{"at": start, "written": 0, "unchanged": 0, "failed": 0} for start in starts]
    for at, written, unchanged, failed in sums:
        started = [bucket for bucket in buckets if bucket["at"] <= at]
        if started:
            started[-1]["written"] += written
            started[-1]["unchanged"] += unchanged
            started[-1]["failed"] += failed
    return buckets


def _reconciliations(events: list[Event], data_dir: str, since: float) -> list[ReconciliationRun]:
    """Return the reconciliations, oldest first.

    Old events are deleted, but the last reconciliation is also stored in a file of its own.
    """
    parsed_runs = [_run_of_event(event) for event in events]
    runs = [run for run in parsed_runs if run is not None]
    last = last_reconciliation(data_dir)
    at = last.get("last_run_time")
    if isinstance(at, (int, float)) and at >= since and not any(abs(run["at"] - at) < 1 for run in runs):
        runs.append(
            {
                "at": at,
                "scope": str(last.get("last_scope") or ""),
                "checked": _count(last.get("last_scenes_checked")),
                "found": _count(last.get("last_gaps_found")),
                "queued": _count(last.get("last_enqueued")),
                "error": str(last.get("last_error") or "") or None,
            }
        )
    return sorted(runs, key=lambda run: run["at"])[-MAX_ROWS:]


def _run_of_event(event: Event) -> ReconciliationRun | None:
    detail = json_object(event.detail)
    if not detail:
        return None
    error = detail.get("error")
    return {
        "at": event.at,
        "scope": str(detail.get("scope") or ""),
        "checked": _count(detail.get("checked")),
        "found": _count(detail.get("found")),
        "queued": _count(detail.get("queued")),
        "error": str(error) if error else None,
    }


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0

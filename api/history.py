"""``history``: what was written and what failed by the hour or by the day, outages, comparisons, and single events."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import asdict
from typing import Any

from api.arguments import number
from api.causes import MOST, VERSION
from api.read_model import last_comparison, open_state
from common.errors import UserError
from state.events import RECONCILED, Event, Events

DAY = 24
MONTH = 720
USUAL = 100


def history(args: dict[str, Any], data_dir: str) -> dict[str, Any]:
    """The last ``hours`` (24, by the hour; 720, by the day), and the events before ``after``. Raises UserError,
    sqlite3.Error, OSError."""
    hours = number(args, "hours", DAY)
    if hours not in (DAY, MONTH):
        raise UserError(f"hours is {DAY} or {MONTH}, not {hours}")
    limit = max(1, min(MOST, number(args, "limit", USUAL)))
    after = number(args, "after", 0) or None
    now = time.time()
    starts = _hours(now) if hours == DAY else _days(now)
    with closing(open_state(data_dir)) as db:
        events = Events(db)
        rows = events.newest(limit + 1, before=after)
        return {
            "version": VERSION,
            "buckets": _buckets(starts, events.hours(starts[0])),
            "outages": [asdict(one) for one in events.outages(starts[0])[-MOST:]],
            "reconciliations": _reconciliations(events.of_kind(RECONCILED, starts[0], MOST), data_dir, starts[0]),
            "events": [
                {"id": key, "at": one.at, "kind": one.kind, "scene_id": one.scene_id, "detail": one.detail}
                for key, one in rows[:limit]
            ],
            "next": rows[limit - 1][0] if len(rows) > limit else None,
        }


def _hours(now: float) -> list[float]:
    this = now // 3600 * 3600
    return [this - 3600 * back for back in reversed(range(DAY))]


def _days(now: float) -> list[float]:
    """The beginnings of the last thirty days on this machine's clock; days are not all as long."""
    today = time.localtime(now)
    return [
        time.mktime((today.tm_year, today.tm_mon, today.tm_mday - back, 0, 0, 0, 0, 0, -1))
        for back in reversed(range(MONTH // DAY))
    ]


def _buckets(starts: list[float], sums: list[tuple[int, int, int, int]]) -> list[dict[str, Any]]:
    buckets = [{"at": start, "written": 0, "unchanged": 0, "failed": 0} for start in starts]
    for at, *numbers in sums:
        inside = [bucket for bucket in buckets if bucket["at"] <= at]
        if inside:
            for name, value in zip(("written", "unchanged", "failed"), numbers, strict=True):
                inside[-1][name] += value
    return buckets


def _reconciliations(events: list[Event], data_dir: str, since: float) -> list[dict[str, Any]]:
    """The comparisons, the oldest first. Events are bounded: the last comparison is known without them."""
    found = [run for run in map(_run, events) if run is not None]
    last = last_comparison(data_dir)
    if last and last["last_run_time"] >= since and not any(abs(run["at"] - last["last_run_time"]) < 1 for run in found):
        found.append(
            {
                "at": last["last_run_time"],
                "scope": str(last.get("last_scope") or ""),
                "checked": last.get("last_scenes_checked") or 0,
                "found": last.get("last_gaps_found") or 0,
                "queued": last.get("last_enqueued") or 0,
                "error": str(last.get("last_error") or "") or None,
            }
        )
    return sorted(found, key=lambda run: float(run["at"]))[-MOST:]


def _run(event: Event) -> dict[str, Any] | None:
    try:
        known = json.loads(event.detail)
    except ValueError:
        return None
    numbers = {name: int(known.get(name) or 0) for name in ("checked", "found", "queued")}
    return {"at": event.at, "scope": str(known.get("scope") or ""), **numbers, "error": known.get("error") or None}

"""Checks of the queue, the dead letters and the background worker."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing

from api.dead_letter_causes import cause_of
from api.read_model import dead_letters_by_code, open_state
from common.human_text import counted, format_duration, format_time_until
from state.worker_status import ATTENTION, lives, read_status, read_text
from sync_queue.operations import get_stats
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe
from worker.status_files import read_wait

# What the states of the worker's circuit breaker mean to a person.
_CONNECTION_WORDS = {"closed": "works", "half-open": "being tried again", "open": "down, tried again later"}


def check_queue(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that every job can be read."""
    counts = get_stats(probe.context.queue_dir)
    jobs = f"{counts['waiting']:,} waiting, {counts['in_flight']:,} in progress"
    if counts["failed"]:
        yield HealthFinding(
            "Queue", False, f"{jobs}. {counted(counts['failed'], 'job')} cannot be read", "Please report this"
        )
    else:
        yield HealthFinding("Queue", True, jobs)


def check_dead_letters(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Count the jobs that failed for good, by cause."""
    by_cause: dict[str, int] = {}
    with closing(open_state(probe.data_dir)) as db:
        for code, count in sorted(dead_letters_by_code(db).items()):
            cause = cause_of(code).text
            by_cause[cause] = by_cause.get(cause, 0) + count
    if not by_cause:
        yield HealthFinding("Dead letters", True, "none")
        return
    yield HealthFinding(
        "Dead letters",
        None,
        ", ".join(f"{cause}: {count:,}" for cause, count in by_cause.items()),
        "View Queue Status says why each job failed. When that is fixed, run Retry Dead Letters",
    )


def check_worker(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the worker runs if it should. Its lock is not tried, since that would keep a hook from starting it."""
    status = read_status(probe.data_dir)
    waiting = get_stats(probe.context.queue_dir)["waiting"]
    attention = read_text(os.path.join(probe.data_dir, ATTENTION))
    if attention:
        yield HealthFinding("Background worker", False, attention)
    now = time.time()
    if lives(status):
        since = status.get("since")
        duration = f" for {format_duration(now - since)}" if isinstance(since, (int, float)) else ""
        yield HealthFinding(
            "Background worker",
            True,
            f"process {status['pid']}, {status.get('state', 'running')}{duration}, "
            f"connection to Plex: {_CONNECTION_WORDS.get(str(status.get('breaker')), 'not tried yet')}",
        )
        return
    wait = read_wait(probe.data_dir)[0]
    if wait > now:
        yield HealthFinding(
            "Background worker",
            None,
            f"not running, starts again {format_time_until(wait, now)}",
            "Run Process Queue to start it now",
        )
    elif waiting:
        yield HealthFinding(
            "Background worker",
            False,
            f"not running, with {counted(waiting, 'job')} waiting",
            "Run Process Queue to start it, or save a scene",
        )
    else:
        reason = status.get("reason")
        stopped = f" (it stopped because: {reason})" if reason else ""
        yield HealthFinding("Background worker", True, f"not running{stopped}. The next save starts it")

"""Operations ``retry`` and ``discard``, and the retrying of dead letters that a task of the menu shares."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from api import VERSION
from api.context import Context
from api.dead_letter_causes import cause_of
from common.errors import UserError
from common.job_rows import PRIORITY_SCAN
from common.sqlite import transaction
from state import database
from sync_queue import dlq
from sync_queue.setup import open_writer
from worker.dlq_retry import DeadLetter, delete_requeued, read_dead_letters, requeued_job

# Ids in one call; a whole group is named by its cause instead.
MAX_IDS = 5_000


@dataclass(frozen=True)
class RetryCounts:
    """Dead letters that were queued again, and those whose job cannot be read."""

    queued: int = 0
    unreadable: int = 0


def retry(context: Context) -> dict[str, object]:
    """Queue the jobs of dead letters again: those with ``ids``, or all with a ``cause``.

    Raise UserError, QueueUnavailable, sqlite3.Error.
    """
    is_chosen = _chosen(context)
    counts = retry_dead_letters(context, lambda dead_letter: is_chosen(dead_letter.job_key, dead_letter.error_type))
    return {"version": VERSION, "queued": counts.queued}


def discard(context: Context) -> dict[str, object]:
    """Delete dead letters: those with ``ids``, or all with a ``cause``. Raise UserError, sqlite3.Error."""
    is_chosen = _chosen(context)
    with closing(database.connect(context.data_dir)) as db, transaction(db):
        rows = db.execute("SELECT job_key, error_type FROM dead_letters").fetchall()
        discarded = sum(dlq.discard(db, job_key) for job_key, code in rows if is_chosen(job_key, code))
    return {"version": VERSION, "discarded": discarded}


def retry_dead_letters(context: Context, is_chosen: Callable[[DeadLetter], bool]) -> RetryCounts:
    """Queue the jobs of the chosen dead letters again and start the worker. Raise QueueUnavailable, sqlite3.Error."""
    if not os.path.exists(os.path.join(context.data_dir, database.FILE)):
        return RetryCounts()
    queued = unreadable = 0
    last_key = ""
    with closing(open_writer(context.data_dir)) as writer, closing(database.connect(context.data_dir)) as db:
        while page := read_dead_letters(db, last_key):
            last_key = page[-1].job_key
            now = time.time()
            chosen = [dead_letter for dead_letter in page if is_chosen(dead_letter)]
            jobs = [(dead_letter, requeued_job(dead_letter, priority=PRIORITY_SCAN, now=now)) for dead_letter in chosen]
            readable = [(dead_letter, job) for dead_letter, job in jobs if job is not None]
            # Queue first, then delete: if the process is killed in between, retrying twice changes nothing.
            writer.fold_all((json.dumps(job.as_row()), dead_letter.job_key) for dead_letter, job in readable)
            delete_requeued(db, [dead_letter for dead_letter, _ in readable])
            queued += len(readable)
            unreadable += len(chosen) - len(readable)
    if queued:
        context.start_worker()
    return RetryCounts(queued, unreadable)


def _chosen(context: Context) -> Callable[[str, str], bool]:
    """Return whether ``ids`` or ``cause`` of the arguments name a dead letter, by its job key and error code."""
    cause, ids = context.args.get("cause"), context.args.get("ids")
    if cause is not None:
        return lambda job_key, code: cause_of(code).text == cause
    if isinstance(ids, str):
        ids = [ids]
    if not isinstance(ids, list) or not ids or len(ids) > MAX_IDS or not all(isinstance(key, str) for key in ids):
        raise UserError('ids are those of rows of attention, like ["scene_12"]; or name the cause of a group')
    job_keys = set(ids)
    return lambda job_key, code: job_key in job_keys

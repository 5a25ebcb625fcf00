"""Reconcile Library: find scenes that Plex does not show as Stash has them, and queue them. Writes nothing to Plex."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from api.context import Context
from common import stash_log
from common.errors import UserError
from common.file_locks import try_lock, unlock
from settings.config import Stash2PlexConfig
from stash.client import stash_interface
from stash.scenes import count_scenes
from stash.tags import tag_descendants
from sync_queue.setup import set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciliation.report import ReconciliationReport
    from reconciliation.result import GapDetectionResult

REPORT_FILE = "reconciliation_report.csv"
# The choices of the setting Reconcile scope, and the scopes they stand for.
SCOPES = {"24h": "recent", "7days": "recent_7days"}
# Errors, and folders, that are logged.
MAX_LISTED = 10


def reconcile_all(context: Context) -> dict[str, object]:
    """Compare every scene. Raise UserError, StashError, QueueUnavailable."""
    return _reconcile(context, "all")


def reconcile_recent(context: Context) -> dict[str, object]:
    """Compare the scenes updated in the last 24 hours. Raise as :func:`reconcile_all`."""
    return _reconcile(context, "recent")


def reconcile_7days(context: Context) -> dict[str, object]:
    """Compare the scenes updated in the last seven days. Raise as :func:`reconcile_all`."""
    return _reconcile(context, "recent_7days")


def reconcile_custom(context: Context) -> dict[str, object]:
    """Compare the scenes updated in ``range``, else in the range of the settings. Raise BadScope too."""
    given = context.args.get("range")
    return _reconcile(context, str(given).strip() if given else configured_scope(context.config))


def configured_scope(config: Stash2PlexConfig) -> str:
    """Return the scope of the settings: 24h, 7days, all, or a range as the user wrote it."""
    chosen = config.reconcile_scope.strip()
    return SCOPES.get(chosen.lower(), chosen)


def scope_problem(config: Stash2PlexConfig) -> str | None:
    """Return what is wrong with the setting Reconcile scope, or None."""
    from reconciliation.scopes import BadScope, parse_scope

    try:
        parse_scope(configured_scope(config))
    except BadScope as error:
        return f"Reconcile scope must be 24h, 7days, all or a range. {error}"
    return None


def _reconcile(context: Context, scope: str) -> dict[str, object]:
    from common.reconcile_due import stash_process
    from reconciliation.report import ReconciliationReport
    from reconciliation.scheduler import ReconciliationScheduler

    config = context.require_settings()
    with reconciliation_lock(context.data_dir):
        report = ReconciliationReport(context.data_dir, REPORT_FILE)
        with closing(report):
            result = run(context, config, scope, report)
        if result.complete:
            # A manual run resets the timer, and counts as the run after the start of this Stash.
            ReconciliationScheduler(context.data_dir).arrange(config, stash_process())
    log_result(result, report)
    return {**result.numbers(), "missing_by_folder": report.missing_by_folder(), "report": report.path}


@contextmanager
def reconciliation_lock(data_dir: str) -> Iterator[None]:
    """Hold the lock of reconciliation. Raise UserError if another run holds it."""
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    from common.file_locks import RECONCILE_LOCK

    handle = try_lock(os.path.join(data_dir, RECONCILE_LOCK))
    if handle is None:
        raise UserError(
            "A reconciliation is already running. Wait until it ends; View Queue Status then shows what it found"
        )
    try:
        yield
    finally:
        unlock(handle)


def run(
    context: Context, config: Stash2PlexConfig, scope: str, report: ReconciliationReport | None
) -> GapDetectionResult:
    """Find gaps, queue them, start the worker, and record the run. The caller holds the lock.

    Raise BadScope, StashError, QueueUnavailable.
    """
    from reconciliation.engine import GapDetectionEngine
    from reconciliation.scheduler import ReconciliationScheduler
    from sync_queue.batch_writer import BatchWriter

    progress = ReconciliationProgress(context, scope)
    set_up(context.data_dir)
    with closing(BatchWriter(context.queue_dir)) as writer:
        engine = GapDetectionEngine(
            stash_interface(context.stash),
            config,
            context.data_dir,
            writer,
            descendants=tag_descendants(context.stash, config.tag_rules),
            report=report,
            progress=progress.after_page,
        )
        result = engine.run(scope)
    ReconciliationScheduler(context.data_dir).record_run(result.scope, result)
    return result


class ReconciliationProgress:
    """Moves the progress bar, and starts the worker after the first page with a gap."""

    def __init__(self, context: Context, scope: str, *, start_worker: bool = True) -> None:
        from reconciliation.scopes import parse_scope

        self._context = context
        self._total = max(1, count_scenes(context.stash, parse_scope(scope).since))
        self._start_worker = start_worker

    def after_page(self, result: GapDetectionResult) -> None:
        """Take note of the result so far."""
        stash_log.progress(result.scenes_checked / self._total)
        if self._start_worker and result.enqueued_count:
            self._start_worker = False
            self._context.start_worker()


def log_result(result: GapDetectionResult, report: ReconciliationReport, *, queued: bool = True) -> None:
    """Log what was found, what was queued, and what is left for the user to do."""
    from reconciliation.report import summary

    for sentence in summary(result, queued=queued):
        stash_log.info(sentence)
    for sentence in report.advice():
        stash_log.info(sentence)
    for sentence in report.doubtful:
        stash_log.warning(f"Doubtful: {sentence}")
    for sentence in result.errors[:MAX_LISTED]:
        stash_log.warning(sentence)
    if len(result.errors) > MAX_LISTED:
        stash_log.warning(f"... and {len(result.errors) - MAX_LISTED:,} more errors")
    if not result.complete:
        stash_log.warning("The run ended early. What it found so far was used; the next run finds the rest")
    stash_log.info(f"All findings are in {report.path}")

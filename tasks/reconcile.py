"""Reconcile Library: find what Plex does not show as Stash has it, and queue it. Nothing is written to Plex here."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

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

REPORT = "reconciliation_report.csv"
# The names in the settings page, and the scopes they stand for.
SCOPES = {"24h": "recent", "7days": "recent_7days"}
SHOWN = 10


def reconcile_all(context: Context) -> dict[str, Any]:
    """Every scene. Raises UserError, StashError, QueueUnavailable."""
    return _reconcile(context, "all")


def reconcile_recent(context: Context) -> dict[str, Any]:
    """The scenes updated in the last 24 hours. Raises as :func:`reconcile_all`."""
    return _reconcile(context, "recent")


def reconcile_7days(context: Context) -> dict[str, Any]:
    """The scenes updated in the last seven days. Raises as :func:`reconcile_all`."""
    return _reconcile(context, "recent_7days")


def reconcile_custom(context: Context) -> dict[str, Any]:
    """The scenes updated in the ``range`` of the arguments, else in that of the settings. Raises BadScope too."""
    return _reconcile(context, custom_scope(context))


def custom_scope(context: Context) -> str:
    """The range that was asked for, or that of the settings."""
    given = context.args.get("range")
    return str(given).strip() if given else configured_scope(context.config)


def configured_scope(config: Stash2PlexConfig) -> str:
    """The scope of the settings: 24h, 7days, all, or a range as a person writes it."""
    chosen = str(getattr(config, "reconcile_scope", "24h")).strip()
    return SCOPES.get(chosen.lower(), chosen)


def scope_problem(config: Stash2PlexConfig) -> str | None:
    """What is wrong with the scope of the settings, in words; None where it can be used."""
    from reconciliation.scopes import BadScope, parse_scope

    try:
        parse_scope(configured_scope(config))
    except BadScope as error:
        return f"Reconcile scope: 24h, 7days and all are known, and ranges. {error}"
    return None


def _reconcile(context: Context, scope: str) -> dict[str, Any]:
    from common.reconcile_due import stash_process
    from reconciliation.report import ReconciliationReport
    from reconciliation.scheduler import ReconciliationScheduler

    config = context.require_settings()
    with alone(context.data_dir):
        report = ReconciliationReport(context.data_dir, REPORT)
        with closing(report):
            result = run(context, config, scope, report)
        if result.complete:
            # A person's run resets the timer, and does for the start of this Stash too.
            ReconciliationScheduler(context.data_dir).arrange(config, stash_process())
    tell(result, report)
    return {**result.numbers(), "missing_by_folder": report.missing_by_folder(), "report": report.path}


@contextmanager
def alone(data_dir: str) -> Iterator[None]:
    """Hold the lock of reconciliation. Raises UserError where another holds it."""
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    from reconciliation.launch import LOCK

    handle = try_lock(os.path.join(data_dir, LOCK))
    if handle is None:
        raise UserError("A reconciliation is at work already: wait for its end. View Queue Status shows what it found")
    try:
        yield
    finally:
        unlock(handle)


def run(
    context: Context, config: Stash2PlexConfig, scope: str, report: ReconciliationReport | None
) -> GapDetectionResult:
    """Find gaps, queue them, have them worked on, and remember the run. Raises BadScope, StashError, QueueUnavailable.

    The caller holds the lock.
    """
    from reconciliation.engine import GapDetectionEngine
    from reconciliation.scheduler import ReconciliationScheduler
    from sync_queue.page_writer import PageWriter

    progress = Progress(context, scope)
    set_up(context.data_dir)
    with ExitStack() as stack:
        engine = GapDetectionEngine(
            stash_interface(context.stash),
            config,
            context.data_dir,
            stack.enter_context(closing(PageWriter(context.queue_dir))),
            descendants=tag_descendants(context.stash, config.tag_rules),
            report=report,
            progress=progress.after,
        )
        result = engine.run(scope)
    ReconciliationScheduler(context.data_dir).record_run(result.scope, result)
    return result


class Progress:
    """Moves the bar by scenes checked, and has the drainer begin with the first page that brought something."""

    def __init__(self, context: Context, scope: str, *, wake: bool = True) -> None:
        from reconciliation.scopes import parse_scope

        self._context = context
        self._total = max(1, count_scenes(context.stash, parse_scope(scope).since))
        self._wake = wake

    def after(self, result: GapDetectionResult) -> None:
        """A page is done."""
        stash_log.progress(result.scenes_checked / self._total)
        if self._wake and result.enqueued_count:
            self._wake = False
            self._context.start_worker()


def tell(result: GapDetectionResult, report: ReconciliationReport, *, queued: bool = True) -> None:
    """Say in Stash's log what was found, what was done, and what is left to do."""
    from reconciliation.report import summary

    for sentence in summary(result, queued=queued):
        stash_log.info(sentence)
    for sentence in report.advice():
        stash_log.info(sentence)
    for sentence in report.doubtful:
        stash_log.warning(f"Doubtful: {sentence}")
    for sentence in result.errors[:SHOWN]:
        stash_log.warning(sentence)
    if len(result.errors) > SHOWN:
        stash_log.warning(f"... and {len(result.errors) - SHOWN:,} more errors")
    if not result.complete:
        stash_log.warning("The run ended early: what was found until then counts, and the next run finds the rest")
    stash_log.info(f"Every finding is in {report.path}")

"""Gap Report: what a reconciliation would find, and what Plex has that Stash does not know. Queues nothing."""

from __future__ import annotations

from contextlib import closing

from api.context import Context
from common import stash_log
from common.data_dir import make_private_dir
from stash.client import stash_interface
from stash.tags import tag_descendants
from tasks.reconcile import MAX_LISTED, ReconciliationProgress, log_result

REPORT_FILE = "gap_report.csv"
# Folders in the answer.
MAX_FOLDERS = 100


def gap_report(context: Context) -> dict[str, object]:
    """Compare every scene, or those updated in ``range``. Raise UserError, StashError, BadScope."""
    from reconciliation.engine import GapDetectionEngine
    from reconciliation.report import ReconciliationReport

    config = context.require_settings()
    make_private_dir(context.data_dir)
    scope = str(context.args.get("range") or "all").strip()
    progress = ReconciliationProgress(context, scope, start_worker=False)
    with closing(ReconciliationReport(context.data_dir, REPORT_FILE, both_ways=True)) as report:
        engine = GapDetectionEngine(
            stash_interface(context.stash),
            config,
            context.data_dir,
            descendants=tag_descendants(context.stash, config.tag_rules),
            report=report,
            progress=progress.after_page,
        )
        result = engine.detect_gaps(scope)
    log_result(result, report, queued=False)
    unknown = report.unknown_by_folder()
    for folder, count in unknown[:MAX_LISTED]:
        stash_log.info(f"In Plex, unknown to Stash: {count:,} in {folder}")
    if len(unknown) > MAX_LISTED:
        stash_log.info(f"... and in {len(unknown) - MAX_LISTED:,} more folders")
    if report.unknown_path:
        stash_log.info(f"All {report.unknown_count:,} that Stash does not know are in {report.unknown_path}")
    return {
        **result.numbers(),
        "missing_by_folder": report.missing_by_folder(),
        "unknown_to_stash": report.unknown_count,
        "unknown_by_folder": [{"folder": folder, "items": count} for folder, count in unknown[:MAX_FOLDERS]],
        "report": report.path,
        "unknown_report": report.unknown_path,
    }

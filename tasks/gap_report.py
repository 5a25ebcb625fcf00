"""Gap ReconciliationReport: what a reconciliation would find, in both directions. Queues nothing."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from api.context import Context
from common import stash_log
from stash.client import stash_interface
from stash.tags import tag_descendants
from sync_queue.setup import make_dir
from tasks.reconcile import SHOWN, Progress, tell

REPORT = "gap_report.csv"


def gap_report(context: Context) -> dict[str, Any]:
    """Look at every scene, or those of the ``range`` in the arguments. Raises UserError, StashError, BadScope."""
    from reconciliation.engine import GapDetectionEngine
    from reconciliation.report import ReconciliationReport

    config = context.require_settings()
    make_dir(context.data_dir)
    scope = str(context.args.get("range") or "all").strip()
    progress = Progress(context, scope, wake=False)
    with closing(ReconciliationReport(context.data_dir, REPORT, both_ways=True)) as report:
        engine = GapDetectionEngine(
            stash_interface(context.stash),
            config,
            context.data_dir,
            descendants=tag_descendants(context.stash, config.tag_rules),
            report=report,
            progress=progress.after,
        )
        result = engine.detect_gaps(scope)
    tell(result, report, queued=False)
    strangers = report.unknown_by_folder()
    for folder, number in strangers[:SHOWN]:
        stash_log.info(f"In Plex and unknown to Stash: {number:,} below {folder}")
    if len(strangers) > SHOWN:
        stash_log.info(f"... and in {len(strangers) - SHOWN:,} more folders")
    if report.unknown_path:
        stash_log.info(f"All {report.unknown_count:,} that Stash does not know are in {report.unknown_path}")
    return {
        **result.numbers(),
        "missing_by_folder": report.missing_by_folder(),
        "unknown_to_stash": report.unknown_count,
        "unknown_by_folder": [{"folder": folder, "items": number} for folder, number in strangers[:100]],
        "report": report.path,
        "unknown_report": report.unknown_path,
    }

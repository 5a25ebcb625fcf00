"""The automatic reconciliation: periodic, and after Stash has started.

It is a detached process of its own, so that no save and no task waits for it. It reads and queues, nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

from api.context import Context
from common import bundled_packages, damaged_files
from common.errors import UserFacingError
from common.file_locks import try_lock

if TYPE_CHECKING:
    from reconciliation.scheduler import ReconciliationScheduler
    from settings.config import Stash2PlexConfig


def main(plugin_dir: str, arguments: list[str]) -> NoReturn:
    """Run what is due and exit.

    ``arguments``: the process of Stash that started us, the data directory and, if it could be inherited, the
    descriptor that holds the lock. The Stash connection comes on standard input.
    """
    from common import redaction
    from common.file_locks import RECONCILE_LOCK

    stash_process, data_dir = arguments[:2]
    os.umask(0o077)
    bundled_packages.add_to_path(plugin_dir)
    try:
        connection = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError:
        connection = {}
    lock = int(arguments[2]) if len(arguments) > 2 else try_lock(os.path.join(data_dir, RECONCILE_LOCK))
    if lock is not None and isinstance(connection, dict):
        os.set_inheritable(lock, False)
        redaction.load(data_dir, plugin_dir)
        with closing(Context({}, connection, plugin_dir, data_dir, stash_process)) as context:
            run_if_due(context, stash_process)
    os._exit(0)


def run_if_due(context: Context, stash_process: str) -> str | None:
    """Run a reconciliation if one is due. Return its scope, or None.

    Whatever happens, the time of the next look is stored.
    """
    from pipeline.write_blockers import write_blocker
    from reconciliation.scheduler import ReconciliationScheduler
    from stash.client import StashError

    scheduler = ReconciliationScheduler(context.data_dir)
    known_process = scheduler.known_process()
    scheduler.pause()
    try:
        config = context.config
    except StashError:
        return None
    if not config.enabled or write_blocker(config):
        # The worker says what is wrong as soon as there is something to write.
        return None
    scope = _due_scope(scheduler, config, is_new_stash=known_process != stash_process)
    if scope is None:
        scheduler.arrange(config, stash_process)
        return None
    complete = _run(context, config, scope)
    # A run after the start of Stash that ended early is still due.
    scheduler.arrange(config, stash_process if complete else known_process)
    return scope


def _due_scope(scheduler: ReconciliationScheduler, config: Stash2PlexConfig, *, is_new_stash: bool) -> str | None:
    from tasks.reconcile import configured_scope, scope_problem

    if scheduler.is_due(config):
        # The default is better than no run. Tasks and the health check say what is wrong with the setting.
        return "recent" if scope_problem(config) else configured_scope(config)
    return "recent" if is_new_stash and scheduler.is_startup_due() else None


def _run(context: Context, config: Stash2PlexConfig, scope: str) -> bool:
    """Run, and log the result. Return whether the run was completed."""
    import time

    from reconciliation.report import ReconciliationReport, summary
    from reconciliation.result import GapDetectionResult
    from reconciliation.scheduler import ReconciliationScheduler
    from tasks.reconcile import REPORT_FILE, run
    from worker.stash_log_relay import StashLogRelay

    log = StashLogRelay(context.stash, time.monotonic)
    try:
        with closing(ReconciliationReport(context.data_dir, REPORT_FILE)) as report:
            result = run(context, config, scope, report)
        for sentence in summary(result):
            log.notify("info", f"Reconciliation ({scope}): {sentence}")
    except Exception as error:  # noqa: BLE001 - nobody sees this process: the error is stored, and the run repeated
        sentence = " ".join(str(error).split())
        if not isinstance(error, UserFacingError):
            sentence = f"Unexpected {type(error).__name__}: {sentence}"
        result = GapDetectionResult(errors=[sentence], complete=False, scope=scope)
        ReconciliationScheduler(context.data_dir).record_run(scope, result)
    if not result.complete:
        log.notify(
            "warning", f"Reconciliation ({scope}) ended early: {result.errors[-1]}. It will be tried again later"
        )
    for sentence in damaged_files.take_notices():
        log.notify("error", sentence)
    log.send(now=True)
    return result.complete

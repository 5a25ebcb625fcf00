"""The reconciliation that nobody asked for: periodic, and after a start of Stash (specification 5).

A detached process of its own, so that no save and no task waits behind it. It reads and queues, nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from typing import Any, NoReturn

from api.context import Context
from common import bundled_packages, damaged_files
from common.errors import UserFacingError
from common.file_locks import try_lock


def main(plugin_dir: str, arguments: list[str]) -> NoReturn:
    """``arguments``: the process of Stash that started us, the data directory and, where it could be inherited, the
    descriptor that holds the lock. The Stash connection comes on standard input."""
    from common import redaction
    from reconciliation.launch import LOCK

    stash_process, data_dir = arguments[:2]
    os.umask(0o077)
    bundled_packages.use(plugin_dir)
    try:
        connection = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError:
        connection = {}
    lock = int(arguments[2]) if len(arguments) > 2 else try_lock(os.path.join(data_dir, LOCK))
    if lock is not None and isinstance(connection, dict):
        os.set_inheritable(lock, False)
        redaction.begin(data_dir, plugin_dir)
        context = Context({}, connection, plugin_dir, data_dir, stash_process)
        with closing(context):
            run_if_due(context, stash_process)
    os._exit(0)


def run_if_due(context: Context, stash_process: str) -> str | None:
    """Run what is due; gives the scope, or None where nothing was. Whatever happens, the next look comes later."""
    from pipeline.write_blockers import in_the_way
    from reconciliation.scheduler import ReconciliationScheduler
    from stash.client import StashError

    scheduler = ReconciliationScheduler(context.data_dir)
    known = scheduler.known_process()
    scheduler.pause()
    try:
        config = context.config
    except StashError:
        return None
    if not config.enabled or in_the_way(config):
        # The drainer says what is the matter, where there is anything to write.
        return None
    scope = _due_scope(scheduler, config, known != stash_process)
    if scope is None:
        scheduler.arrange(config, stash_process)
        return None
    complete = _run(context, config, scope)
    # The start of a Stash that a broken run was for is still to be looked after.
    scheduler.arrange(config, stash_process if complete else known)
    return scope


def _due_scope(scheduler: Any, config: Any, new_stash: bool) -> str | None:
    from tasks.reconcile import configured_scope, scope_problem

    if scheduler.is_due(config):
        # Better the usual one than none; tasks and the health check say what is wrong with it.
        return "recent" if scope_problem(config) else configured_scope(config)
    return "recent" if new_stash and scheduler.is_startup_due() else None


def _run(context: Context, config: Any, scope: str) -> bool:
    """Run, and say in Stash's log what came of it. True where the run came to its end."""
    import time

    from reconciliation.report import ReconciliationReport, summary
    from reconciliation.result import GapDetectionResult
    from reconciliation.scheduler import ReconciliationScheduler
    from tasks.reconcile import REPORT, run
    from worker.stash_log_relay import StashLogRelay

    speaker = StashLogRelay(context.stash, time.monotonic)
    try:
        with closing(ReconciliationReport(context.data_dir, REPORT)) as report:
            result = run(context, config, scope, report)
        for sentence in summary(result):
            speaker.tell("info", f"Reconciliation ({scope}): {sentence}")
    except Exception as error:  # noqa: BLE001 - nobody is there to see it: it is remembered, and tried again later
        sentence = " ".join(str(error).split())
        if not isinstance(error, UserFacingError):
            sentence = f"Unexpected {type(error).__name__}: {sentence}"
        result = GapDetectionResult(errors=[sentence], complete=False, scope=scope)
        ReconciliationScheduler(context.data_dir).record_run(scope, result)
    if not result.complete:
        speaker.tell("warning", f"Reconciliation ({scope}) ended early: {result.errors[-1]}. It is tried again later")
    for sentence in damaged_files.take():
        speaker.tell("error", sentence)
    speaker.send(now=True)
    return result.complete

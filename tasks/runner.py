"""Run the row of ``tasks.modes`` that the caller asks for."""

from __future__ import annotations

import sys

from common.errors import UserError, UserFacingError
from tasks.modes import BOTH, FILES, MODES, PAGE, STATUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tasks.modes import Mode


def run(args: dict[str, object], connection: dict[str, object], plugin_dir: str, data_dir: str) -> Mapping[str, object]:
    """Run what ``args["mode"]`` names. Raise UserError with a sentence for the user."""
    name = args.get("mode")
    row = MODES.get(name) if isinstance(name, str) else None
    if row is None:
        raise UserError(f"There is no mode {name!r}. The modes are {', '.join(MODES)}")
    try:
        if row.context == FILES:
            return _function(row)(args, data_dir)
        if row.context == STATUS:
            return _run_status(row, args, connection, plugin_dir, data_dir)
        return _run_with_context(row, args, connection, plugin_dir, data_dir)
    except Exception as error:
        if row.asked_by != PAGE:
            raise
        return _error_answer(error, plugin_dir, data_dir)


def _function(row: Mode) -> Callable[..., Mapping[str, object]]:
    if row.context == STATUS:
        # Without importlib, which View Queue Status would otherwise have to load first.
        from tasks.queue_status import queue_status

        return queue_status
    from importlib import import_module

    function: Callable[..., Mapping[str, object]] = getattr(import_module(row.module), row.function)
    return function


def _run_status(
    row: Mode, args: dict[str, object], connection: dict[str, object], plugin_dir: str, data_dir: str
) -> Mapping[str, object]:
    from tasks.status_context import StatusContext

    context = StatusContext(args, connection, plugin_dir, data_dir)
    try:
        context.begin()
        result = _function(row)(context)
        context.check_settings()
        if row.starts_reconciliation:
            context.start_reconciliation_if_due()
        if row.starts_worker:
            queue = result["queue"]
            context.start_worker_if_jobs_left(isinstance(queue, dict) and bool(queue["waiting"] or queue["in_flight"]))
    finally:
        _log_damaged_files()
        context.close()
    return result


def _run_with_context(
    row: Mode, args: dict[str, object], connection: dict[str, object], plugin_dir: str, data_dir: str
) -> Mapping[str, object]:
    from api.context import Context
    from tasks.settings_page import log_problems, log_what_blocks_writing, show_default_switches

    context = Context(args, connection, plugin_dir, data_dir)
    try:
        context.begin(read_settings=row.reads_settings)
        log_problems(context)
        if not row.read_only:
            show_default_switches(context)
        result = _function(row)(context)
        if not row.read_only:
            log_what_blocks_writing(context)
        if row.starts_reconciliation:
            context.start_reconciliation_if_due()
        if row.starts_worker:
            context.start_worker_if_jobs_left()
    finally:
        _log_damaged_files()
        context.close()
    return {"version": 1, **result} if row.asked_by == BOTH else result


def _log_damaged_files() -> None:
    # Loaded already if a damaged file was found.
    damaged_files = sys.modules.get("common.damaged_files")
    for sentence in damaged_files.take_notices() if damaged_files is not None else ():
        from common import stash_log

        stash_log.error(sentence)


def _error_answer(error: Exception, plugin_dir: str, data_dir: str) -> Mapping[str, object]:
    """Return an error that a person can act on as an answer. Raise any other again."""
    if not isinstance(error, UserFacingError):
        from common import redaction

        redaction.load(data_dir, plugin_dir)  # it will be logged
        raise error
    return {"version": 1, "error": " ".join(str(error).split())}

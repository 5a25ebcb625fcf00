"""The tasks of Stash's menu and the operations of the page: one small module each, found by ``mode``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tasks.context import Context, UserError
from tasks.defaults import look_after, remind

__all__ = ["MODES", "Context", "UserError", "run"]

# mode -> module and function; each takes a Context and gives a dict
MODES = {
    "all": ("sync", "sync_all"),
    "recent": ("sync", "sync_recent"),
    "sync": ("sync", "sync_some"),
    "reconcile_all": ("reconcile", "reconcile_all"),
    "reconcile_recent": ("reconcile", "reconcile_recent"),
    "reconcile_7days": ("reconcile", "reconcile_7days"),
    "reconcile_custom": ("reconcile", "reconcile_custom"),
    "gap_report": ("gap_report", "gap_report"),
    "process_queue": ("process_queue", "process_queue"),
    "queue_status": ("queue_status", "queue_status"),
    "health": ("health_check", "health_check"),
    "preview": ("preview", "preview"),
    "give_back": ("give_back", "give_back"),
    "clear_queue": ("clear_queue", "clear_queue"),
    "retry_dlq": ("dead_letters", "retry"),
    "clear_dlq": ("dead_letters", "clear"),
    "purge_dlq": ("dead_letters", "purge"),
    "say": ("say", "say"),
    "wake": ("wake", "wake"),
}


# These do it themselves, are it, come from the drainer, promise to change nothing, or are a person's way out.
_QUIET = frozenset(
    (
        *("say", "wake", "preview", "give_back"),
        *("gap_report", "reconcile_all", "reconcile_recent", "reconcile_7days", "reconcile_custom"),
    )
)


# Nothing is changed by these, not even how Stash shows a setting; and the check says itself what is wrong.
_LOOK_ONLY = frozenset(("health", "preview", "gap_report", "give_back"))


def run(args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> dict[str, Any]:
    """Run what ``args["mode"]`` names. Raises UserError with a sentence for the person."""
    mode = args.get("mode")
    if not isinstance(mode, str) or mode not in MODES:
        raise UserError(f"There is no mode {mode!r}. The modes are {', '.join(MODES)}")
    module, function = MODES[mode]
    context = Context(args, connection, plugin_dir, data_dir)
    try:
        context.begin(ask=mode not in ("say", "wake"))
        look_after(context, change=mode not in _LOOK_ONLY)
        result: dict[str, Any] = getattr(import_module(f"tasks.{module}"), function)(context)
        if mode not in _LOOK_ONLY:
            remind(context)
        if mode not in _QUIET:
            context.reconcile_if_due()
        if mode not in _LOOK_ONLY and mode not in ("say", "wake"):
            context.drain_if_waiting()
    finally:
        context.close()
    return result

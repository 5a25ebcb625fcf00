"""The tasks of Stash's menu and the operations of the page: one small module each, found by ``mode``."""

from __future__ import annotations

import sys

from common.errors import UserError, UserFacingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["LIGHT", "MODES", "OF_OUR_FILES", "QUICK", "UserError", "run"]

# mode -> module and function; each takes a Context (those that are LIGHT take a StatusContext) and gives a dict
MODES = {
    "all": ("tasks.sync", "sync_all"),
    "recent": ("tasks.sync", "sync_recent"),
    "sync": ("tasks.sync", "sync_some"),
    "reconcile_all": ("tasks.reconcile", "reconcile_all"),
    "reconcile_recent": ("tasks.reconcile", "reconcile_recent"),
    "reconcile_7days": ("tasks.reconcile", "reconcile_7days"),
    "reconcile_custom": ("tasks.reconcile", "reconcile_custom"),
    "gap_report": ("tasks.gap_report", "gap_report"),
    "process_queue": ("tasks.process_queue", "process_queue"),
    "queue_status": ("tasks.queue_status", "queue_status"),
    "health": ("tasks.health_check", "health_check"),
    "preview": ("tasks.preview", "preview"),
    "give_back": ("tasks.restore", "give_back"),
    "clear_queue": ("tasks.clear_queue", "clear_queue"),
    "retry_dlq": ("tasks.dead_letters", "retry"),
    "clear_dlq": ("tasks.dead_letters", "clear"),
    "purge_dlq": ("tasks.dead_letters", "purge"),
    "say": ("api.say", "say"),
    "wake": ("api.wake", "wake"),
    "paths": ("api.settings_choices", "paths"),
    "sections": ("api.settings_choices", "sections"),
    "retry": ("api.actions", "retry"),
    "discard": ("api.actions", "discard"),
    "bind": ("api.actions", "bind"),
    "refuse": ("api.actions", "refuse"),
    "unbind": ("api.actions", "unbind"),
    "sync_now": ("api.actions", "sync_now"),
}

# Answered out of our own files alone: these take the arguments and the data directory. The page asks them all the time.
QUICK = {
    "status": ("api.status", "status"),
    "scene": ("api.scene", "scene"),
    "attention": ("api.needs_you", "attention"),
    "history": ("api.history", "history"),
}

# The one task that knows what it says out of our own files, and asks for settings only where it has to
# (tasks.status_context).
LIGHT = frozenset(("queue_status",))
# These begin without any package but Python's own.
OF_OUR_FILES = frozenset((*QUICK, *LIGHT))

# Tasks whose answers the page shows too.
_FOR_BOTH = frozenset(("preview", "health", "give_back"))
# What a person could mend comes as an answer here, not as an error in Stash's log (docs/operations.md).
_OF_THE_PAGE = frozenset(("paths", "sections", "retry", "discard", "bind", "refuse", "unbind", "sync_now"))

# These do it themselves, are it, come from the drainer, promise to change nothing, are a person's way out, or must be
# quick: somebody looks at a page that waits for them.
_QUIET = _OF_THE_PAGE | frozenset(
    (
        *("say", "wake", "preview", "give_back"),
        *("gap_report", "reconcile_all", "reconcile_recent", "reconcile_7days", "reconcile_custom"),
    )
)


# Nothing is changed by these, not even how Stash shows a setting; and the check says itself what is wrong.
_LOOK_ONLY = frozenset(("health", "preview", "gap_report", "give_back", "paths", "sections"))
# These need no settings, or ask for them themselves where they do.
_ASK_NOTHING = frozenset(("say", "wake")) | _OF_THE_PAGE


def _say_what_is_damaged() -> None:
    # Who has found a file of ours that is not whole has loaded this.
    damage = sys.modules.get("common.damaged_files")
    for sentence in damage.take() if damage is not None else ():
        from common import stash_log

        stash_log.error(sentence)


def run(args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> dict[str, Any]:
    """Run what ``args["mode"]`` names. Raises UserError with a sentence for the person."""
    mode = args.get("mode")
    if not isinstance(mode, str) or (mode not in MODES and mode not in QUICK):
        raise UserError(f"There is no mode {mode!r}. The modes are {', '.join((*MODES, *QUICK))}")
    try:
        if mode in QUICK:
            return _quickly(mode, args, data_dir)
        if mode in LIGHT:
            return _lightly(args, connection, plugin_dir, data_dir)
        return _run(mode, args, connection, plugin_dir, data_dir)
    except Exception as error:
        if mode in MODES and mode not in _OF_THE_PAGE:
            raise
        return _told(error, plugin_dir, data_dir)


def _quickly(mode: str, args: dict[str, Any], data_dir: str) -> dict[str, Any]:
    answer: dict[str, Any] = _function(*QUICK[mode])(args, data_dir)
    return answer


def _function(module: str, name: str) -> Callable[..., Any]:
    from importlib import import_module

    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def _lightly(args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> dict[str, Any]:
    from tasks.queue_status import queue_status
    from tasks.status_context import StatusContext

    light = StatusContext(args, connection, plugin_dir, data_dir)
    try:
        light.begin()
        result = queue_status(light)
        light.end(undone=bool(result["queue"]["waiting"] or result["queue"]["in_flight"]))
    finally:
        _say_what_is_damaged()
        light.close()
    return result


def _told(error: Exception, plugin_dir: str, data_dir: str) -> dict[str, Any]:
    """An answer with the sentence, where it is one for people. Raises the error where it is not."""
    if not isinstance(error, UserFacingError):
        from common import redaction

        redaction.begin(data_dir, plugin_dir)  # it will be said in Stash's log
        raise error
    return {"version": 1, "error": " ".join(str(error).split())}


def _run(mode: str, args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> dict[str, Any]:
    from api.context import Context
    from tasks.default_switches import look_after, remind

    context = Context(args, connection, plugin_dir, data_dir)
    try:
        context.begin(ask=mode not in _ASK_NOTHING)
        look_after(context, change=mode not in _LOOK_ONLY)
        result: dict[str, Any] = _function(*MODES[mode])(context)
        if mode not in _LOOK_ONLY:
            remind(context)
        if mode not in _QUIET:
            context.reconcile_if_due()
        if mode not in _LOOK_ONLY and mode not in _ASK_NOTHING:
            context.drain_if_waiting()
    finally:
        _say_what_is_damaged()
        context.close()
    return {"version": 1, **result} if mode in _FOR_BOTH else result

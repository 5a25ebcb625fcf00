"""The table of modes: its flags, its functions, and the tasks of the manifest that start them."""

from __future__ import annotations

from importlib import import_module

import pytest

from tasks.menu import TASKS
from tasks.modes import API, BOTH, FILES, FULL, MENU, MODES, PAGE, STATUS, needs_packages

pytestmark = pytest.mark.unit

READ_SETTINGS = {
    *("all", "recent", "sync", "reconcile_all", "reconcile_recent", "reconcile_7days", "reconcile_custom"),
    *("gap_report", "process_queue", "health", "preview", "give_back"),
    *("clear_queue", "retry_dlq", "clear_dlq", "purge_dlq"),
}
READ_ONLY = {
    *("gap_report", "health", "preview", "give_back", "paths", "sections"),
    *("status", "scene", "attention", "history"),
}
START_RECONCILIATION = {
    *("all", "recent", "sync", "process_queue", "queue_status", "health"),
    *("clear_queue", "retry_dlq", "clear_dlq", "purge_dlq"),
}
ONLY_FOR_THE_PAGE = {
    *("paths", "sections", "retry", "discard", "bind", "refuse", "unbind", "sync_now"),
    *("status", "scene", "attention", "history"),
}


def test_flags_are_those_of_each_mode() -> None:
    assert {name for name, mode in MODES.items() if mode.reads_settings} == READ_SETTINGS
    assert {name for name, mode in MODES.items() if mode.read_only} == READ_ONLY
    assert {name for name, mode in MODES.items() if mode.starts_reconciliation} == START_RECONCILIATION
    starts_worker = READ_SETTINGS - READ_ONLY | {"queue_status"}
    assert {name for name, mode in MODES.items() if mode.starts_worker} == starts_worker


def test_askers_and_contexts_are_those_of_each_mode() -> None:
    assert {name for name, mode in MODES.items() if mode.asked_by == PAGE} == ONLY_FOR_THE_PAGE
    assert {name for name, mode in MODES.items() if mode.asked_by == BOTH} == {"preview", "health", "give_back"}
    assert {name for name, mode in MODES.items() if mode.asked_by == API} == {"sync", "say", "wake"}
    assert {name for name, mode in MODES.items() if mode.context == STATUS} == {"queue_status"}
    assert {name for name, mode in MODES.items() if mode.context == FILES} == {
        *("status", "scene", "attention", "history")
    }


@pytest.mark.parametrize("name", MODES)
def test_function_of_each_mode_exists(name: str) -> None:
    mode = MODES[name]
    assert callable(getattr(import_module(mode.module), mode.function))
    assert mode.module.partition(".")[0] == ("api" if mode.asked_by == PAGE or name in ("say", "wake") else "tasks")


def test_tasks_of_the_manifest_are_the_modes_of_the_menu() -> None:
    assert {arguments["mode"] for _, _, arguments in TASKS} == {
        name for name, mode in MODES.items() if mode.asked_by in (MENU, BOTH)
    }


def test_packages_are_needed_by_full_contexts_and_unknown_modes() -> None:
    assert {name for name in MODES if not needs_packages(name)} == {
        name for name, mode in MODES.items() if mode.context != FULL
    }
    assert needs_packages("nonsense")
    assert needs_packages(None)
    assert needs_packages(["status"])

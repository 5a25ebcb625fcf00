"""The manifest matches the tables it is generated from, and Stash loads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooks.process import _QUEUED
from release.manifest import TRIGGERS, manifest_text
from sandbox.stash.manifest import read
from settings.table import PLUGIN_ID, TABLE
from tasks.menu import TASKS

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

ROOT = Path(__file__).parents[2]


def test_manifest_file_is_generated_from_the_tables() -> None:
    assert (ROOT / f"{PLUGIN_ID}.yml").read_text(encoding="utf-8") == manifest_text()


def test_manifest_read_by_stash_has_the_tables_content() -> None:
    manifest = read(ROOT / f"{PLUGIN_ID}.yml")
    assert manifest.id == PLUGIN_ID
    assert [task.name for task in manifest.tasks] == [name for name, _, _ in TASKS]
    assert [dict(task.default_args) for task in manifest.tasks] == [arguments for _, _, arguments in TASKS]
    assert {trigger for hook in manifest.hooks for trigger in hook.triggers} == set(TRIGGERS) == set(_QUEUED)
    found = {setting.name: (setting.display_name, setting.description, setting.type) for setting in manifest.settings}
    assert found == {setting.name: (setting.title, setting.help, setting.kind) for setting in TABLE}


@pytest.mark.parametrize("mode", ["all", "recent", "process_queue", "queue_status", "clear_queue", "clear_dlq"])
def test_manifest_tasks_include_each_published_mode(mode: str) -> None:
    assert mode in {arguments["mode"] for _, _, arguments in TASKS}


def test_no_other_yml_file_is_in_the_plugin_folder() -> None:
    hidden = {".venv", ".git"}
    found = [path for path in ROOT.rglob("*.yml") if not hidden & set(path.relative_to(ROOT).parts)]
    assert found == [ROOT / f"{PLUGIN_ID}.yml"]

"""First setup: missing and wrong settings, and the switches as Stash's settings page shows them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from api.context import Context
from settings.config import Stash2PlexConfig
from settings.table import TABLE
from stash.client import StashUnreachable
from tasks import settings_page
from tasks.menu import TASKS
from tests.installation import PLUGIN, Installation, wait_for

from .test_tasks import operation, said

pytestmark = [pytest.mark.end_to_end, pytest.mark.forked, pytest.mark.slow(seconds=8)]

TOKEN = "any item, ... > Get Info > View XML"
ON = {one.name for one in TABLE if one.default is True}


def stored(installation: Installation) -> dict[str, Any]:
    found = installation.stash.gql("{ configuration { plugins } }")["configuration"]["plugins"].get(PLUGIN, {})
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("name", "args"), [(name, args) for name, _, args in TASKS])
def test_task_without_settings_says_in_one_line_what_to_do(
    bare_installation: Installation, name: str, args: dict[str, str]
) -> None:
    bare_installation.start(configured=False)
    bare_installation.task(name)
    loud = [line.message for line in bare_installation.stash.log if line.level in ("Warning", "Error")]
    # Stash itself repeats what a task ended with.
    told = [line for line in loud if "Plex URL and Plex token" in line and "Plugin returned error" not in line]
    assert len(told) == 1
    assert "Settings > Plugins > Stash2Plex" in told[0]
    assert TOKEN in told[0]


@pytest.mark.parametrize(("name", "args"), [(name, args) for name, _, args in TASKS])
def test_task_with_a_wrong_setting_names_it_and_what_is_allowed(
    bare_installation: Installation, name: str, args: dict[str, str]
) -> None:
    bare_installation.start()
    bare_installation.configure(max_tags="plenty")
    bare_installation.task(name)
    loud = [line.message for line in bare_installation.stash.log if line.level in ("Warning", "Error")]
    told = [line for line in loud if "Maximum tags" in line and "Plugin returned error" not in line]
    assert len(told) == 1
    assert "a whole number from 0 to 10000, not 'plenty'" in told[0]
    assert "Settings > Plugins" in told[0]


def test_saves_before_the_settings_wait_and_the_first_after_arrives_at_once(
    bare_installation: Installation,
) -> None:
    installation = bare_installation
    installation.start(configured=False)
    early, late = installation.scenes_with_file(2)
    installation.save(early, title="Before the settings")
    wait_for(lambda: "Plex URL and Plex token" in (installation.attention() or ""), 20, "the reason to be said")
    installation.configure()
    began = time.monotonic()
    installation.save(late, title="After them")
    installation.wait_until_plex_shows(late, title="After them")
    assert time.monotonic() - began < 2.0
    installation.wait_until_plex_shows(early, title="Before the settings")
    installation.wait_until_idle()
    assert installation.differences([early, late]) == []


def test_task_stores_switches_that_are_on_by_default(installation: Installation) -> None:
    installation.configure(sync_rating=False, max_tags=7)
    before = stored(installation)
    assert not {name for name, value in before.items() if value is True}
    installation.task("Sync Recent Scenes")
    after = stored(installation)
    assert after == {**before, **dict.fromkeys(ON - {"sync_rating"}, True)}
    assert Stash2PlexConfig.from_settings(after) == Stash2PlexConfig.from_settings(before)
    assert f"{len(ON) - 1} switches that are on by default are now shown as on" in said(installation)
    installation.task("View Queue Status")
    assert said(installation).count("are now shown as on") == 1
    assert installation.stash.counters["graphql:configurePlugin"] == 1


def test_task_that_fails_stores_default_switches_too(bare_installation: Installation) -> None:
    bare_installation.start(configured=False)
    bare_installation.task("Sync All Scenes")
    assert stored(bare_installation) == dict.fromkeys(ON, True)


def test_saves_operations_and_read_only_tasks_store_no_settings(installation: Installation) -> None:
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Only a save")
    installation.wait_until_idle()
    for mode in ("wake", "preview", "gap_report", "give_back", "health"):
        operation(installation, mode=mode)
    assert set(stored(installation)) == {"plex_url", "plex_token"}


def test_setting_replaced_by_its_default_is_named_with_what_is_allowed(installation: Installation) -> None:
    installation.configure(reconcile_interval="sometimes")
    installation.task("View Queue Status")
    [line] = [one for one in said(installation, "Warning").splitlines() if "sometimes" in one]
    assert "Reconcile interval" in line
    assert "must be one of never, hourly, daily, weekly" in line


class Busy:
    """A Stash that answers the first question only."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.sent: list[Any] = []

    def call(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Answer, or fail on a write."""
        if "configurePlugin" in query:
            self.sent.append(variables)
            raise StashUnreachable("Stash does not answer")
        return {"configuration": {"plugins": {PLUGIN: self.settings}, "general": {"apiKey": ""}}, "plugins": []}

    def close(self) -> None:
        """Nothing to close."""


def test_default_switches_that_stash_rejects_are_no_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    context = Context({}, {}, str(tmp_path), str(tmp_path))
    busy = Busy({"enabled": False, "plex_url": "http://x"})
    vars(context)["stash"] = busy
    settings_page.show_default_switches(context)
    assert busy.sent == []  # the settings were not read
    settings_page.log_what_blocks_writing(context)
    assert capfd.readouterr().err == ""
    assert context.config.enabled is False
    settings_page.show_default_switches(context)
    assert [set(one["input"]) for one in busy.sent] == [ON | {"plex_url"}]
    assert busy.sent[0]["input"]["enabled"] is False
    assert "could not be stored: Stash does not answer" in capfd.readouterr().err


def test_reason_that_the_worker_logged_is_not_logged_twice(installation: Installation) -> None:
    installation.configure(plex_token="")
    [scene] = installation.scenes_with_file()
    installation.save(scene, title="Waits")
    wait_for(lambda: "Plex token" in (installation.attention() or ""), 20, "the reason")
    seen = len(installation.stash.log)
    installation.task("View Queue Status")
    told = [line.message for line in installation.stash.log[seen:] if TOKEN in line.message and line.level == "Warning"]
    assert len(told) == 1
    assert json.loads((installation.data / "worker_status.json").read_text())["state"] == "waiting for a person"

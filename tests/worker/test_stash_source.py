"""What the source of scenes and settings answers, and what of it blocks writing."""

from __future__ import annotations

from typing import Any

import pytest

from settings.config import Stash2PlexConfig
from worker.stash_source import CallerSource, PluginState, SourceAnswer

pytestmark = pytest.mark.unit

SETTINGS = {"plex_url": "http://127.0.0.1:32400", "plex_token": "token"}


def config(**settings: Any) -> Stash2PlexConfig:
    return Stash2PlexConfig.from_settings({**SETTINGS, **settings})


@pytest.mark.parametrize(
    ("settings", "state", "blocker"),
    [
        ({}, PluginState.ENABLED, None),
        ({}, PluginState.DISABLED, "the plugin is disabled"),
        ({}, PluginState.UNINSTALLED, "the plugin is uninstalled"),
        ({"enabled": False}, PluginState.DISABLED, "the plugin is disabled"),
        ({"enabled": False}, PluginState.ENABLED, "Enabled is off"),
        ({"plex_token": ""}, PluginState.ENABLED, "Plex token"),
        ({"enabled": False, "plex_token": ""}, PluginState.ENABLED, "Enabled is off"),
        ({"path_map": "nonsense"}, PluginState.ENABLED, "wrong setting"),
    ],
)
def test_write_blocker_names_what_the_user_has_to_change(
    settings: dict[str, Any], state: PluginState, blocker: str | None
) -> None:
    found = SourceAnswer(None, config(**settings), state).write_blocker
    assert (found is None) if blocker is None else (blocker in (found or ""))


def test_caller_source_without_stash_leaves_the_scenes_to_the_jobs() -> None:
    settings = [config()]
    source = CallerSource(lambda: settings[0], None)
    assert source.ask([1, 2]) == SourceAnswer(None, settings[0])
    settings[0] = config(sync_title=False)
    assert source.ask([]).config is settings[0]

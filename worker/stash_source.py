"""What the worker asks before each batch: scenes, settings, and whether the plugin is still enabled. One request."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from common import redaction
from metadata.tag_rules import NO_DESCENDANTS, TagDescendants
from pipeline.scene_reader import read_scenes
from pipeline.write_blockers import write_blocker
from settings.config import Stash2PlexConfig
from stash.client import StashClient
from stash.scene_source import SceneFinder
from stash.scenes import Scene, from_stash, read_batch
from stash.tags import tag_descendants
from state import last_known
from worker.stash_log_relay import StashLogRelay

# Nothing announces a change of the tag hierarchy (stash 4.2): it is read again after this.
TAG_DESCENDANTS_MAX_AGE_S = 600.0
# The settings that the page reads without asking Stash; never the token.
PAGE_SETTINGS = (
    "enabled",
    "plex_library",
    "path_map",
    "strict_matching",
    "skip_not_found",
    "plex_web_url",
    "show_marks",
)


class PluginState(Enum):
    """What Stash says about the plugin; the value is the reason in words."""

    ENABLED = "the plugin is enabled"
    DISABLED = "the plugin is disabled"
    UNINSTALLED = "the plugin is uninstalled"


@dataclass(frozen=True)
class SourceAnswer:
    """The answer for one batch. Without ``scenes`` the data of the jobs counts."""

    scenes: Mapping[int, Scene] | None
    config: Stash2PlexConfig
    plugin_state: PluginState = PluginState.ENABLED
    tag_descendants: TagDescendants = field(default_factory=dict)

    @property
    def write_blocker(self) -> str | None:
        """The sentence for the user if nothing may be written, else None."""
        if self.plugin_state is not PluginState.ENABLED:
            return f"Stash2Plex has stopped: {self.plugin_state.value}. Waiting saves are kept"
        if not self.config.enabled:
            return "Stash2Plex is paused: Enabled is off in its settings. Saves are queued"
        return write_blocker(self.config)


class SceneSource(Protocol):
    """Where the dispatcher gets scenes and settings from."""

    def ask(self, scene_ids: Sequence[int]) -> SourceAnswer:
        """Return the scenes and the settings in force. Raises StashError."""

    def discard_tag_descendants(self) -> None:
        """Read the tag hierarchy again with the next answer."""


class StashSource:
    """Asks Stash, and lets new settings take effect in this process: log level, redaction, reconciliation schedule."""

    def __init__(
        self,
        client: StashClient,
        db: sqlite3.Connection,
        relay: StashLogRelay,
        on_settings: Callable[[Stash2PlexConfig], None],
    ) -> None:
        self.plugin_state = PluginState.ENABLED
        self._client = client
        self._db = db
        self._relay = relay
        self._on_settings = on_settings
        self._config = Stash2PlexConfig()
        self._asked_at = time.monotonic()
        self._tag_descendants: TagDescendants = NO_DESCENDANTS
        self._tag_descendants_at: float | None = None

    def ask(self, scene_ids: Sequence[int]) -> SourceAnswer:
        """Read scenes, settings and the plugin's state. Raises StashError, sqlite3.Error."""
        answer = read_batch(self._client, scene_ids)
        self._asked_at = time.monotonic()
        if answer.api_key:
            self._client.use_api_key(answer.api_key)
        self._apply(Stash2PlexConfig.from_settings(answer.settings))
        if self._tag_descendants_at is None or time.monotonic() - self._tag_descendants_at > TAG_DESCENDANTS_MAX_AGE_S:
            self._tag_descendants = tag_descendants(self._client, self._config.tag_rules)
            self._tag_descendants_at = time.monotonic()
        if answer.enabled is None:
            self.plugin_state = PluginState.UNINSTALLED
        elif not answer.enabled:
            self.plugin_state = PluginState.DISABLED
        scenes = {scene_id: from_stash(scene_id, scene) for scene_id, scene in answer.scenes.items()}
        redaction.add_paths(path for scene in scenes.values() for path in scene.paths)
        self._relay.send()  # during a long bulk too
        return SourceAnswer(scenes, self._config, self.plugin_state, self._tag_descendants)

    def discard_tag_descendants(self) -> None:
        """Read the tag hierarchy again with the next answer."""
        self._tag_descendants_at = None

    @property
    def session_due_at(self) -> float:
        """When Stash has to be asked again to keep the session alive (monotonic seconds; stash 6)."""
        lifetime = self._client.cookie_expires_at - self._asked_at
        return self._asked_at + max(0.5, lifetime * 0.4)

    def _apply(self, config: Stash2PlexConfig) -> None:
        last_known.put(self._db, last_known.SETTINGS, {name: getattr(config, name) for name in PAGE_SETTINGS})
        if config == self._config:
            return
        self._config = config
        self._tag_descendants_at = None
        logging.getLogger("Stash2Plex").setLevel(logging.DEBUG if config.debug_logging else logging.INFO)
        self._on_settings(config)


class CallerSource:
    """Takes the settings from the program that runs the worker as a library; scenes come from anything with
    stashapp-tools' ``find_scene``, else from the jobs."""

    def __init__(self, config: Callable[[], Stash2PlexConfig], stash: StashClient | SceneFinder | None) -> None:
        self._config = config
        self._stash = stash

    def ask(self, scene_ids: Sequence[int]) -> SourceAnswer:
        """Read the scenes, if there is a Stash. Raises StashError."""
        scenes = None if self._stash is None else read_scenes(self._stash, scene_ids)
        return SourceAnswer(scenes, self._config())

    def discard_tag_descendants(self) -> None:
        """Do nothing: rules about tags do not include their descendants here."""

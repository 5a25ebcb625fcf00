"""What a task is given, and what it may ask for."""

from __future__ import annotations

import contextlib
import json
from functools import cached_property
from typing import Any

from api.follow_up import drain_if_waiting, reconcile_if_due
from common import config_file_watch, redaction, stash_log
from common.errors import UserError
from common.reconcile_due import stash_process
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashError
from stash.scenes import config_file, read_batch
from sync_queue.writer import queue_dir

__all__ = ["Context", "UserError"]


class Context:
    """One run of a task. ``args`` are the task's defaults and the caller's; the connection is Stash's.
    ``process_of_stash`` (common.reconcile_due) is for a process that Stash itself has not started."""

    def __init__(
        self,
        args: dict[str, Any],
        connection: dict[str, Any],
        plugin_dir: str,
        data_dir: str,
        process_of_stash: str | None = None,
    ) -> None:
        self.args = args
        self.connection = connection
        self.plugin_dir = plugin_dir
        self.data_dir = data_dir
        self.stash_process = stash_process() if process_of_stash is None else process_of_stash

    @property
    def queue_dir(self) -> str:
        """Where the queue is."""
        return queue_dir(self.data_dir)

    @cached_property
    def stash(self) -> StashClient:
        """Stash; nothing is asked yet."""
        return StashClient(self.connection)

    @cached_property
    def config(self) -> Stash2PlexConfig:
        """The settings in force. Raises StashError."""
        seen = config_file_watch.look(
            self.connection, self.stash_process
        )  # before: what changes from now on is to be seen
        config = Stash2PlexConfig.from_settings(read_batch(self.stash, []).settings)
        if seen and seen != config_file_watch.read(self.data_dir).get("seen") and not self._keeps_settings_there():
            seen = ""
        redaction.heed(self.data_dir, self.plugin_dir, config.obfuscate_paths, seen)
        return config

    def _keeps_settings_there(self) -> bool:
        """Whether the file that was looked at is the one in which Stash keeps its settings."""
        try:
            return config_file_watch.is_of(config_file(self.stash))
        except StashError as error:
            stash_log.debug(f"Where Stash keeps its settings could not be learned: {error}")
            return False

    def begin(self, *, ask: bool) -> None:
        """Speak as the settings ask for, and say what an older installation has left, once. Without ``ask`` Stash is
        not asked: the settings are those that somebody read last. Raises sqlite3.Error, OSError."""
        from sync_queue.migration import migrate

        redaction.begin(self.data_dir, self.plugin_dir)
        if not ask:
            return
        with contextlib.suppress(StashError):  # then as they asked for when somebody looked last
            _ = self.config
        older = migrate(self.data_dir)
        if older:
            stash_log.info(older)

    def require_settings(self) -> Stash2PlexConfig:
        """The settings, complete enough to write to Plex. Raises UserError, StashError."""
        from pipeline.write_blockers import in_the_way

        sentence = in_the_way(self.config)
        if sentence:
            raise UserError(sentence)
        return self.config

    def wake(self) -> bool:
        """See that a drainer lives and sits out no pause. True when one was started. Raises UserError."""
        from common.detached_process import end_wait, ensure_drainer

        end_wait(self.data_dir)
        try:
            return ensure_drainer(self.data_dir, self.plugin_dir, json.dumps(self.connection))
        except OSError as error:
            raise UserError(f"The background worker could not be started: {error}") from error

    def drain_if_waiting(self) -> bool:
        """As :func:`api.follow_up.drain_if_waiting`."""
        return drain_if_waiting(self.data_dir, self.plugin_dir, self.connection)

    def reconcile_if_due(self) -> bool:
        """As :func:`api.follow_up.reconcile_if_due`."""
        return reconcile_if_due(self.data_dir, self.plugin_dir, self.connection)

    def close(self) -> None:
        """Close what was opened."""
        if "stash" in self.__dict__:
            self.stash.close()

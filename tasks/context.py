"""What a task is given, and what it may ask for."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from functools import cached_property
from typing import Any

from stash import discretion, log
from stash.client import StashClient, StashError
from stash.scenes import read_batch
from stash.settings import Stash2PlexConfig
from sync_queue.writer import open_existing, queue_dir
from tasks.errors import UserError

__all__ = ["Context", "UserError"]


class Context:
    """One run of a task. ``args`` are the task's defaults and the caller's; the connection is Stash's."""

    def __init__(self, args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> None:
        self.args = args
        self.connection = connection
        self.plugin_dir = plugin_dir
        self.data_dir = data_dir

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
        config = Stash2PlexConfig.from_settings(read_batch(self.stash, []).settings)
        discretion.heed(self.data_dir, self.plugin_dir, config.obfuscate_paths)
        return config

    def begin(self, *, ask: bool) -> None:
        """Speak as the settings ask for, and say what an older installation has left, once. Without ``ask`` Stash is
        not asked: the settings are those that somebody read last. Raises sqlite3.Error, OSError."""
        from sync_queue.migration import migrate

        discretion.begin(self.data_dir, self.plugin_dir)
        if not ask:
            return
        with contextlib.suppress(StashError):  # then as they asked for when somebody looked last
            _ = self.config
        older = migrate(self.data_dir)
        if older:
            log.info(older)

    def require_settings(self) -> Stash2PlexConfig:
        """The settings, complete enough to write to Plex. Raises UserError, StashError."""
        from worker.checks import in_the_way

        sentence = in_the_way(self.config)
        if sentence:
            raise UserError(sentence)
        return self.config

    def wake(self) -> bool:
        """See that a drainer lives and sits out no pause. True when one was started. Raises UserError."""
        from worker.launcher import end_wait, ensure_drainer

        end_wait(self.data_dir)
        try:
            return ensure_drainer(self.data_dir, self.plugin_dir, json.dumps(self.connection))
        except OSError as error:
            raise UserError(f"The background worker could not be started: {error}") from error

    def drain_if_waiting(self) -> bool:
        """See that a drainer lives where rows wait, or were left behind by one that was killed. True when one was
        started; one that sits out a pause goes on doing so."""
        from worker.launcher import ensure_drainer

        try:
            writer = open_existing(self.queue_dir)
            if writer is None:
                return False
            with contextlib.closing(writer):
                undone = writer.any_undone()
            return undone and ensure_drainer(self.data_dir, self.plugin_dir, json.dumps(self.connection))
        except (sqlite3.Error, OSError) as error:
            log.warning(f"The background worker could not be started: {error}")
            return False

    def reconcile_if_due(self) -> bool:
        """Start the comparison of Stash and Plex where one is due by itself. True when it was started."""
        from reconciliation.launch import ensure
        from sync_queue.due import due

        try:
            return due(self.data_dir) and ensure(self.data_dir, self.plugin_dir, json.dumps(self.connection))
        except OSError as error:
            log.warning(f"The automatic reconciliation could not be started: {error}")
            return False

    def close(self) -> None:
        """Close what was opened."""
        if "stash" in self.__dict__:
            self.stash.close()

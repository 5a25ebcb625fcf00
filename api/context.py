"""What a task or an operation is called with: arguments, Stash, settings, and ways to start our processes."""

from __future__ import annotations

import contextlib
import json
from functools import cached_property

from api.follow_up import start_reconciliation_if_due, start_worker_if_jobs_left
from common import config_file_watch, redaction, stash_log
from common.errors import UserError
from common.reconcile_due import stash_process
from settings.config import Stash2PlexConfig
from stash.client import StashClient, StashError
from stash.scenes import config_file_path, read_batch
from sync_queue.writer import queue_dir


class Context:
    """One run of a task or an operation.

    ``args`` are the default arguments of the task and those of the caller; ``connection`` is Stash's
    ``server_connection``. ``stash_process_id`` (common.reconcile_due) is for a process that Stash has not started
    itself.
    """

    def __init__(
        self,
        args: dict[str, object],
        connection: dict[str, object],
        plugin_dir: str,
        data_dir: str,
        stash_process_id: str | None = None,
    ) -> None:
        self.args = args
        self.connection = connection
        self.plugin_dir = plugin_dir
        self.data_dir = data_dir
        self._stash_process = stash_process() if stash_process_id is None else stash_process_id

    @property
    def queue_dir(self) -> str:
        """The folder of the queue."""
        return queue_dir(self.data_dir)

    @cached_property
    def stash(self) -> StashClient:
        """Stash. Creating the client sends no request."""
        return StashClient(self.connection)

    @cached_property
    def config(self) -> Stash2PlexConfig:
        """The settings in force. Raise StashError."""
        # Look before reading, so that a change during the read is noticed later.
        seen = config_file_watch.fingerprint(self.connection, self._stash_process)
        config = Stash2PlexConfig.from_settings(read_batch(self.stash, []).settings)
        if (
            seen
            and seen != config_file_watch.read_record(self.data_dir).get("seen")
            and not self._is_watched_file_in_use()
        ):
            seen = ""
        redaction.apply(self.data_dir, self.plugin_dir, config.obfuscate_paths, seen)
        return config

    @property
    def config_if_read(self) -> Stash2PlexConfig | None:
        """The settings if they were read already, else None."""
        return self.__dict__.get("config")

    @property
    def stash_if_used(self) -> StashClient | None:
        """The client for Stash if it was created already, else None."""
        return self.__dict__.get("stash")

    def _is_watched_file_in_use(self) -> bool:
        """Return whether the file that is watched for changes is the one in which Stash keeps its settings."""
        try:
            return config_file_watch.is_watched_file(config_file_path(self.stash))
        except StashError as error:
            stash_log.debug(f"The path of Stash's configuration file could not be read: {error}")
            return False

    def begin(self, *, read_settings: bool) -> None:
        """Apply the setting ``obfuscate_paths`` and take over the data of an older installation, once.

        Without ``read_settings`` the setting as last read counts. Raise sqlite3.Error, OSError.
        """
        from sync_queue.migration import migrate

        redaction.load(self.data_dir, self.plugin_dir)
        if not read_settings:
            return
        with contextlib.suppress(StashError):  # the setting as last read counts
            _ = self.config
        older = migrate(self.data_dir)
        if older:
            stash_log.info(older)

    def require_settings(self) -> Stash2PlexConfig:
        """Return the settings if they are complete enough to write to Plex. Raise UserError, StashError."""
        from pipeline.write_blockers import write_blocker

        sentence = write_blocker(self.config)
        if sentence:
            raise UserError(sentence)
        return self.config

    def start_worker(self) -> bool:
        """End a pause after a crash and start the worker. Return whether one was started. Raise UserError."""
        from common.detached_process import end_wait, ensure_worker

        end_wait(self.data_dir)
        try:
            return ensure_worker(self.data_dir, self.plugin_dir, json.dumps(self.connection))
        except OSError as error:
            raise UserError(f"The background worker could not be started: {error}") from error

    def start_worker_if_jobs_left(self) -> bool:
        """As :func:`api.follow_up.start_worker_if_jobs_left`."""
        return start_worker_if_jobs_left(self.data_dir, self.plugin_dir, self.connection)

    def start_reconciliation_if_due(self) -> bool:
        """As :func:`api.follow_up.start_reconciliation_if_due`."""
        return start_reconciliation_if_due(self.data_dir, self.plugin_dir, self.connection)

    def close(self) -> None:
        """Close the connection to Stash."""
        if self.stash_if_used is not None:
            self.stash_if_used.close()

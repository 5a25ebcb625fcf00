"""The context of View Queue Status, which reads our own files and must be quick.

Stash is asked for the settings only if they may have changed since they were last read, or if that cannot be known and
a path is about to be logged (setting ``obfuscate_paths``).
"""

from __future__ import annotations

import os

from api.follow_up import start_reconciliation_if_due, start_worker_if_jobs_left
from common import config_file_watch, stash_log
from common.reconcile_due import stash_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from api.context import Context

# Exists once nothing of an older installation is left to take over: sync_queue.migration.FILE, which a test compares.
MIGRATED_FILE = "older.json"


class StatusContext:
    """One run of View Queue Status. Creates a full ``api.context.Context`` only if it needs one."""

    def __init__(self, args: dict[str, object], connection: dict[str, object], plugin_dir: str, data_dir: str) -> None:
        self.connection = connection
        self.plugin_dir = plugin_dir
        self.data_dir = data_dir
        self._args = args
        self._context: Context | None = None

    def begin(self) -> None:
        """Apply the setting ``obfuscate_paths`` to what will be logged. Raise sqlite3.Error, OSError."""
        record = config_file_watch.read_record(self.data_dir)
        seen = config_file_watch.fingerprint(self.connection, stash_process())
        unchanged = seen == record.get("seen")
        if not os.path.exists(os.path.join(self.data_dir, MIGRATED_FILE)) or (seen and not unchanged):
            self._read_settings()
        elif not seen or record.get("on") is True:
            stash_log.set_redactor(lambda text: self._redact_first_path(text, read_settings=not seen))

    def check_settings(self) -> None:
        """Log problems of the settings and show default switches, if the settings were read."""
        if self._context is not None:
            from tasks.settings_page import log_problems, log_what_blocks_writing, show_default_switches

            log_problems(self._context)
            show_default_switches(self._context)
            log_what_blocks_writing(self._context)

    def start_reconciliation_if_due(self) -> bool:
        """As :func:`api.follow_up.start_reconciliation_if_due`."""
        return start_reconciliation_if_due(self.data_dir, self.plugin_dir, self.connection)

    def start_worker_if_jobs_left(self, jobs_left: bool) -> bool:
        """As :func:`api.follow_up.start_worker_if_jobs_left`."""
        return start_worker_if_jobs_left(self.data_dir, self.plugin_dir, self.connection, jobs_left)

    def close(self) -> None:
        """Close the connection to Stash."""
        if self._context is not None:
            self._context.close()

    def _read_settings(self) -> None:
        from common import bundled_packages

        bundled_packages.add_to_path(self.plugin_dir)
        from api.context import Context

        self._context = Context(self._args, self.connection, self.plugin_dir, self.data_dir)
        self._context.begin(read_settings=True)

    def _redact_first_path(self, text: str, *, read_settings: bool) -> str:
        """Redact a text. The first text with a path decides how all later ones are redacted."""
        if not config_file_watch.may_contain_path(text):
            return text
        from common import redaction

        # First, or an error below would come back here when it is logged.
        redaction.load(self.data_dir, self.plugin_dir)
        if read_settings:
            self._read_settings()
        return stash_log.redacted(text)

"""What a task is given that knows all it says out of our own files: a status must be quick.

Stash is asked for the settings only where something may have changed them since somebody asked, or where that cannot be
known and a path is about to be said (the setting ``obfuscate_paths``).
"""

from __future__ import annotations

import os

from api.follow_up import drain_if_waiting, reconcile_if_due
from common import config_file_watch, stash_log
from common.reconcile_due import stash_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from api.context import Context

# Where it is, nothing of an older installation is left to be taken over: sync_queue.migration.FILE, to which a test
# holds this.
OLDER = "older.json"


class StatusContext:
    """One run of such a task, with what makes a Context (api.context), which is made only where it has to be."""

    def __init__(self, args: dict[str, Any], connection: dict[str, Any], plugin_dir: str, data_dir: str) -> None:
        self.connection = connection
        self.plugin_dir = plugin_dir
        self.data_dir = data_dir
        self._args = args
        self._context: Context | None = None

    def begin(self) -> None:
        """See to it that nothing is said otherwise than the settings ask for. Raises sqlite3.Error, OSError."""
        known = config_file_watch.read(self.data_dir)
        looks = config_file_watch.look(self.connection, stash_process())
        as_known = looks == known.get("seen")
        if not os.path.exists(os.path.join(self.data_dir, OLDER)) or (looks and not as_known):
            self._ask()
        elif not looks or known.get("on") is True:
            stash_log.through(lambda text: self._first(text, ask=not looks))

    def end(self, *, undone: bool) -> None:
        """Say what is wrong with the settings where they were read, and start what is due, and a drainer where rows are
        ``undone``."""
        if self._context is not None:
            from tasks.default_switches import look_after, remind

            look_after(self._context, change=True)
            remind(self._context)
        reconcile_if_due(self.data_dir, self.plugin_dir, self.connection)
        drain_if_waiting(self.data_dir, self.plugin_dir, self.connection, undone)

    def close(self) -> None:
        """Close what was opened."""
        if self._context is not None:
            self._context.close()

    def _ask(self) -> None:
        from common import bundled_packages

        bundled_packages.use(self.plugin_dir)
        from api.context import Context

        self._context = Context(self._args, self.connection, self.plugin_dir, self.data_dir)
        self._context.begin(ask=True)

    def _first(self, text: str, *, ask: bool) -> str:
        """A text as it may be said. The first with a path in it decides how all others are said."""
        if not config_file_watch.could_change(text):
            return text
        from common import redaction

        # First of all, or whatever goes wrong below would come by here again when it is said.
        redaction.begin(self.data_dir, self.plugin_dir)
        if ask:
            self._ask()
        return stash_log.shown(text)

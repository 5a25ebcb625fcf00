"""Notice that the plugin's own files were updated or removed while the worker lives."""

from __future__ import annotations

import os
import time
from enum import Enum

from settings.table import PLUGIN_ID

CHECK_INTERVAL_S = 0.05
# An update deletes the files and unpacks the new ones (stash 1.5); this is how long that may take.
UPDATE_TIME_S = 10.0


class PluginChange(Enum):
    """What happened to the plugin's files."""

    UPDATED = "updated"
    REMOVED = "removed"


class PluginFiles:
    """Watches the manifest in the plugin directory."""

    def __init__(self, plugin_dir: str) -> None:
        self._manifest = _manifest_of(plugin_dir)
        self._stamp = _stamp(self._manifest)
        self._next_check_at = 0.0
        self._change: PluginChange | None = None

    def change(self) -> PluginChange | None:
        """Return what has happened since the start, or None. Looks at the file at most every CHECK_INTERVAL_S."""
        now = time.monotonic()
        if self._change is None and now >= self._next_check_at:
            self._next_check_at = now + CHECK_INTERVAL_S
            stamp = _stamp(self._manifest)
            if stamp != self._stamp:
                self._change = PluginChange.REMOVED if stamp is None else PluginChange.UPDATED
        return self._change


def wait_for_update(plugin_dir: str) -> bool:
    """Return whether the plugin is complete again within the time that an update takes."""
    manifest = _manifest_of(plugin_dir)
    end = time.monotonic() + UPDATE_TIME_S
    before = None
    while time.monotonic() < end:
        now = _stamp(manifest)
        if now is not None and now == before:
            return True
        before = now
        time.sleep(0.5)
    return False


def _manifest_of(plugin_dir: str) -> str:
    return os.path.join(plugin_dir, f"{PLUGIN_ID}.yml")


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino

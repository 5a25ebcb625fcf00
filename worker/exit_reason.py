"""Why the worker ends."""

from __future__ import annotations

from enum import Enum

from worker.stash_source import PluginState


class ExitReason(Enum):
    """Why the worker leaves. The value is the reason in words, and whether the next worker has to pause first."""

    IDLE = ("no jobs are waiting", False)
    STOPPED = ("it was told to stop", False)
    UPDATED = ("the plugin was updated", False)
    DISABLED = (PluginState.DISABLED.value, False)
    UNINSTALLED = (PluginState.UNINSTALLED.value, False)
    REFUSED = ("Stash rejects its session", False)
    STASH_GONE = ("Stash has not answered for half an hour", True)
    BROKEN = ("an error", True)

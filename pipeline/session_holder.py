"""The Plex session that the settings name: opened on first use, replaced when they name another server."""

from __future__ import annotations

import time
from collections.abc import Callable

from matching.plex_connection import OnLibraries, ignore_libraries
from pipeline.plex_session import PlexSession
from plex.client import PlexClient
from settings.config import Stash2PlexConfig

_SESSION_SETTINGS = ("plex_url", "plex_token", "plex_library", "path_map", "connect_timeout", "read_timeout")


class SessionHolder:
    """Holds the settings in force and at most one session. ``clock`` is monotonic seconds."""

    def __init__(
        self,
        config: Stash2PlexConfig,
        data_dir: str | None,
        clock: Callable[[], float] = time.monotonic,
        on_libraries: OnLibraries = ignore_libraries,
    ) -> None:
        self.config = config
        # How many sessions were closed: what was read over an earlier one must not be written over a later one.
        self.generation = 0
        self._data_dir = data_dir
        self._clock = clock
        self._on_libraries = on_libraries
        self._session: PlexSession | None = None

    @property
    def session(self) -> PlexSession:
        """The session, opened where there is none. Raises ValueError without a data directory."""
        if self._session is None:
            if self._data_dir is None:
                raise ValueError("the worker needs a data directory to keep the library's index in")
            self._session = PlexSession(self.config, self._data_dir, self._clock, self._on_libraries)
        return self._session

    @property
    def open_session(self) -> PlexSession | None:
        """The session if there is one."""
        return self._session

    @property
    def client(self) -> PlexClient:
        """The client of the session."""
        return self.session.client

    def configure(self, config: Stash2PlexConfig) -> bool:
        """Apply settings. Close the session and return True if they name another server or view it differently."""
        old, self.config = self.config, config
        changed = any(getattr(old, name) != getattr(config, name) for name in _SESSION_SETTINGS)
        if changed:
            self.close()
        return changed

    def close(self) -> None:
        """Close the session; the next use opens another."""
        session, self._session = self._session, None
        if session is not None:
            self.generation += 1
            session.close()

"""Items of Plex, asked for while Stash still tells what their scenes are: neither server has to wait for the other."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from plex.client import PlexClient
from plex.items import FullItem, read_items


class Prefetch:
    """One question, asked at once in a thread of its own. ``at`` is when, by the clock of whoever asks. The client is
    connected."""

    def __init__(self, client: PlexClient, rating_keys: Iterable[int], at: float) -> None:
        self.keys = frozenset(rating_keys)
        self.at = at
        self._client = client
        self._items: dict[int, FullItem] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True, name="Stash2Plex items")
        self._thread.start()

    def items(self) -> dict[int, FullItem]:
        """The answer, waited for: those that are gone are missing. Raises PlexError."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._items

    def _ask(self) -> None:
        try:
            self._items = read_items(self._client, self.keys)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._error = error

"""Which items have a file: by whole path, base name or folder. It stays correct when a test renames a part."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.plex.model import Changes, Item
from sandbox.plex.paths import split


class FileIndex:
    """Look-ups over the parts of all items. Built on first use, and rebuilt after any part's file was set."""

    def __init__(self, items: dict[int, Item]) -> None:
        self._items = items
        self._by_name: dict[str, list[Item]] = {}
        self._by_folder: dict[str, list[Item]] = {}
        self._state: tuple[int, int] = (-1, -1)

    def items_at(self, path: str) -> list[Item]:
        """Return the items with a part at exactly this path, oldest first."""
        return [item for item in self.items_named(split(path)[1]) if any(part.file == path for part in item.parts())]

    def items_named(self, name: str) -> list[Item]:
        """Return the items with a part of this base name."""
        self._refresh()
        return self._by_name.get(name, [])

    def items_in(self, folder: str) -> list[Item]:
        """Return the items with a part directly in this folder."""
        self._refresh()
        return self._by_folder.get(folder, [])

    def folders_with(self, name: str) -> Iterable[str]:
        """Return the folders that contain a file of this base name."""
        return {
            folder
            for item in self.items_named(name)
            for folder, base in (split(part.file) for part in item.parts())
            if base == name
        }

    def mark_stale(self) -> None:
        """Rebuild on next use: items were added, removed or given other media."""
        self._state = (-1, -1)

    def _refresh(self) -> None:
        # creating and renaming a part both count as a move, so that new and renamed files are found
        state = (Changes.moves, len(self._items))
        if state == self._state:
            return
        self._by_name, self._by_folder = {}, {}
        for item in self._items.values():
            for part in item.parts():
                folder, name = split(part.file)
                _append_once(self._by_name, name, item)
                _append_once(self._by_folder, folder, item)
        self._state = state


def _append_once(index: dict[str, list[Item]], key: str, item: Item) -> None:
    known = index.setdefault(key, [])
    if not known or known[-1] is not item:
        known.append(item)

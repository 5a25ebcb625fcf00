"""Which items own a file: by whole path, by base name, by folder. Stays right when a test renames a part."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.plex.model import Changes, Item
from sandbox.plex.paths import split


class FileIndex:
    """Look-ups over the parts of all items. Built when first asked, rebuilt when any part's file was set."""

    def __init__(self, items: dict[int, Item]) -> None:
        self._items = items
        self._by_name: dict[str, list[Item]] = {}
        self._by_folder: dict[str, list[Item]] = {}
        self._state: tuple[int, int] = (-1, -1)

    def at(self, path: str) -> list[Item]:
        """Items with a part of exactly this path, oldest first."""
        return [item for item in self.named(split(path)[1]) if any(part.file == path for part in item.parts())]

    def named(self, name: str) -> list[Item]:
        """Items with a part of this base name."""
        self._refresh()
        return self._by_name.get(name, [])

    def inside(self, folder: str) -> list[Item]:
        """Items with a part directly in this folder."""
        self._refresh()
        return self._by_folder.get(folder, [])

    def folders_with(self, name: str) -> Iterable[str]:
        """The folders that hold a file of this base name."""
        return {
            folder
            for item in self.named(name)
            for folder, base in (split(part.file) for part in item.parts())
            if base == name
        }

    def stale(self) -> None:
        """Items came or went, or were given other media."""
        self._state = (-1, -1)

    def _refresh(self) -> None:
        # making a part and renaming one both count as a move, so new media are seen as well as renamed files
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

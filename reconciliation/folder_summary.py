"""Where things are absent, in as few words as are true: the highest folders in which nothing is there. Pure."""

from __future__ import annotations

from collections import Counter

from common.media_paths import is_windows


class Folders:
    """Counts files by folder, those that are there and those that are not."""

    def __init__(self) -> None:
        self._present: set[str] = set()
        self._absent: Counter[str] = Counter()

    def add(self, path: str, absent: bool) -> None:
        """Take note of one file."""
        folder = parent(path)
        if absent:
            self._absent[folder] += 1
            return
        # Where a folder is known, those above it are.
        while folder not in self._present:
            self._present.add(folder)
            folder = parent(folder)

    def groups(self) -> list[tuple[str, int]]:
        """Folders with the number of absent files in or below them, most first.

        A folder in which nothing is there stands for all that is below it; its parent has something.
        """
        found: Counter[str] = Counter()
        for folder, count in self._absent.items():
            top = folder
            while top not in self._present:
                above = parent(top)
                if above in self._present or not above.strip("\\/"):
                    break
                top = above
            found[top] += count
        return sorted(found.items(), key=lambda group: (-group[1], group[0]))


def parent(path: str) -> str:
    """The folder above; the root is above itself."""
    at = max(path.rfind("/"), path.rfind("\\") if is_windows(path) else -1)
    return path[:at] if at > 0 else path[:1] if at == 0 else ""

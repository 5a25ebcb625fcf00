"""Summarise missing files by folder: the topmost folders of which nothing is present. Pure."""

from __future__ import annotations

from collections import Counter

from common.media_paths import is_windows


class FolderSummary:
    """Counts present and missing files by folder."""

    def __init__(self) -> None:
        self._present: set[str] = set()
        self._missing: Counter[str] = Counter()

    def add(self, path: str, missing: bool) -> None:
        """Count one file."""
        folder = parent_folder(path)
        if missing:
            self._missing[folder] += 1
            return
        # All folders above a present one are present.
        while folder not in self._present:
            self._present.add(folder)
            folder = parent_folder(folder)

    def groups(self) -> list[tuple[str, int]]:
        """Return folders with the number of missing files in or below them, most first.

        Each is the topmost folder of which nothing is present.
        """
        found: Counter[str] = Counter()
        for folder, count in self._missing.items():
            top = folder
            while top not in self._present:
                above = parent_folder(top)
                if above in self._present or not above.strip("\\/"):
                    break
                top = above
            found[top] += count
        return sorted(found.items(), key=lambda group: (-group[1], group[0]))


def parent_folder(path: str) -> str:
    """Return the folder above; the root is its own."""
    at = max(path.rfind("/"), path.rfind("\\") if is_windows(path) else -1)
    return path[:at] if at > 0 else path[:1] if at == 0 else ""

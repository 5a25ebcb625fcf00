"""The tag table: rows are global by kind and name, ignoring letter case; the first spelling stays (plex 4.4)."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.plex.model import Tag


class TagTable:
    """Names and ids of tags. ``next_id`` returns a new id."""

    def __init__(self, next_id: Callable[[], int]) -> None:
        self._next_id = next_id
        self._rows: dict[tuple[str, str], tuple[int, str]] = {}
        self._names: dict[int, tuple[str, str]] = {}

    def row(self, kind: str, name: str) -> tuple[int, str]:
        """Return id and spelling of the row, creating it if needed. Labels start with a capital letter."""
        key = (kind, name.casefold())
        found = self._rows.get(key)
        if found is None:
            spelling = name[:1].upper() + name[1:] if kind == "label" else name
            found = self._rows[key] = (self._next_id(), spelling)
            self._names[found[0]] = (kind, spelling)
        return found

    def id_of(self, kind: str, name: str) -> int:
        return self.row(kind, name)[0]

    def spelled(self, kind: str, tag: Tag) -> Tag:
        """Return the tag as PMS would show it."""
        return tag._replace(tag=self.row(kind, tag.tag)[1])

    def name_of(self, kind: str, id_: int) -> str | None:
        """Return the spelling for an id, or None if there is no such row of this kind."""
        found = self._names.get(id_)
        return found[1] if found and found[0] == kind else None

    def respell(self, kind: str, name: str) -> int:
        """Set the spelling of a row to ``name``. Return the row's id."""
        id_ = self.id_of(kind, name)
        self._rows[(kind, name.casefold())] = (id_, name)
        self._names[id_] = (kind, name)
        return id_

"""One table of rows; ids only grow."""

from __future__ import annotations

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .model import Folder, Marker, Row, VideoFile

R = TypeVar("R", bound="Row | Folder | VideoFile | Marker")


class Table(Generic[R]):
    """Rows by id, in id order. Writers hold the store's lock; readers need none, since whole rows are replaced."""

    def __init__(self) -> None:
        self._rows: dict[int, R] = {}
        self._ids: list[int] = []
        self._next = 1

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, number: int) -> bool:
        return number in self._rows

    def __iter__(self) -> Iterator[R]:
        """Return all rows in id order, as of now."""
        return iter([self._rows[number] for number in list(self._ids)])

    def get(self, number: int | None) -> R | None:
        """Return the row with that id, or None."""
        return self._rows.get(number) if number is not None else None

    def __getitem__(self, number: int) -> R:
        """Return the row with that id. Raise KeyError."""
        return self._rows[number]

    def new_id(self) -> int:
        """Return the id of the next row; ids are never reused."""
        number, self._next = self._next, self._next + 1
        return number

    def add(self, row: R) -> R:
        """Add a row; its id is new or, for a fixture, any free one."""
        if row.id in self._rows:
            raise ValueError(f"there is a row {row.id} already")
        self._rows[row.id] = row
        self._ids.insert(bisect_left(self._ids, row.id), row.id)
        self._next = max(self._next, row.id + 1)
        return row

    def change(self, number: int, edit: Callable[[R], None]) -> R:
        """Replace a row by a copy that ``edit`` changed. Raise KeyError; an error in ``edit`` changes nothing."""
        row = copy.copy(self._rows[number])
        edit(row)
        self._rows[number] = row
        return row

    def put_back(self, row: R) -> None:
        """Undo a change: restore the row."""
        self._rows[row.id] = row

    def remove(self, number: int) -> R:
        """Remove a row. Raise KeyError."""
        row = self._rows.pop(number)
        del self._ids[bisect_left(self._ids, number)]
        return row

    def ids_between(self, above: int | None = None, below: int | None = None) -> list[int]:
        """Return the ids greater than ``above`` and less than ``below``, in order, by bisection."""
        start = bisect_right(self._ids, above) if above is not None else 0
        end = bisect_left(self._ids, below) if below is not None else len(self._ids)
        return self._ids[start:end]

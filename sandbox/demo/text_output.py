"""Plain text for a terminal: tables, headings and a progress bar, at most 100 columns wide."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

WIDTH = 96
_BAR = 40


def heading(text: str) -> str:
    """Return an underlined heading with an empty line above it."""
    return f"\n{text}\n{'-' * min(len(text), WIDTH)}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; numbers are aligned to the right, words to the left."""
    lines = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[n]) for line in [list(head), *lines]) for n in range(len(head))]
    right = [bool(lines) and all(_is_number(line[n]) for line in lines) for n in range(len(head))]

    def text(cells: Sequence[str]) -> str:
        placed = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return "  " + "  ".join(placed).rstrip()

    return "\n".join([text(head), "  " + "  ".join("-" * width for width in widths), *(text(line) for line in lines)])


def seconds(value: float) -> str:
    """Return a duration in readable form."""
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"


def _is_number(cell: str) -> bool:
    return cell in ("", "-", "never") or re.fullmatch(r"[\d.,]+( ?(ms|s|x|%))?", cell) is not None


class Progress:
    """A progress bar on a terminal; without one, only its last state is written."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._live = sys.stdout.isatty()
        self._shown = ""

    def show(self, share: float, note: str = "") -> None:
        """Draw the bar; ``share`` runs from 0 to 1."""
        full = int(_BAR * max(0.0, min(1.0, share)))
        line = f"  {self._label:<16} [{'#' * full}{'.' * (_BAR - full)}] {share:>4.0%}  {note}"[:WIDTH]
        if self._live and line != self._shown:
            print("\r" + line.ljust(len(self._shown)), end="", flush=True)
        self._shown = line

    def end(self, note: str) -> None:
        """Fill the bar and end the line."""
        before = len(self._shown)
        self.show(1.0, note)
        print() if self._live else print(self._shown.ljust(before).rstrip(), flush=True)

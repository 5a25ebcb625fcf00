"""``python -m sandbox.demo.picture FILE``: run the demo and draw what it says as the SVG picture of the README."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

# The acts that are shown, by the beginning of their headings.
ACTS = ("10 edits", "Sync All Scenes, then", "What Plex shows", "What a save costs", "In the end")
_WIDE, _HIGH, _EDGE = 8.4, 19, 22
_BACK, _TEXT, _HEAD, _GOOD = "#10151c", "#c9d4df", "#f0c674", "#8cc26d"


def chosen(lines: Sequence[str]) -> list[str]:
    """The acts to be shown, out of all that the demo prints."""
    kept: list[str] = []
    showing = False
    for number, line in enumerate(lines):
        if lines[number + 1 : number + 2] and set(lines[number + 1]) == {"-"}:
            showing = line.startswith(ACTS)
        if showing and "###" not in line:
            kept.append(line.rstrip())
    return kept


def draw(lines: Sequence[str]) -> str:
    """An SVG picture of ``lines``."""
    width = 2 * _EDGE + _WIDE * max(len(line) for line in lines)
    height = 2 * _EDGE + _HIGH * len(lines)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" role="img">',
        "<title>What make demo prints: ten edits, and when Plex showed them</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{_BACK}"/>',
        '<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14">',
    ]
    for number, line in enumerate(lines):
        heading = bool(lines[number + 1 : number + 2]) and set(lines[number + 1]) == {"-"}
        good = line.endswith("  ok") or "as it should be" in line
        colour = _HEAD if heading else _GOOD if good else _TEXT
        # Each cell has its own place: the columns stand where no such font is.
        for cell in re.finditer(r"\S+(?: \S+)*", line):
            x, y = _EDGE + _WIDE * cell.start(), _EDGE + _HIGH * number + 14
            wide = _WIDE * len(cell.group())
            rows.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{wide:.1f}" fill="{colour}">{escape(cell.group())}</text>'
            )
    return "\n".join([*rows, "</g>", "</svg>", ""])


def main(arguments: Sequence[str]) -> int:
    """Write the picture; 1 where the demo did not end well."""
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ended.returncode:
        print(ended.stdout, ended.stderr, file=sys.stderr)
        return 1
    Path(arguments[0]).write_text(draw(chosen(ended.stdout.splitlines())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

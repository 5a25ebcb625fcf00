"""``python -m sandbox.demo.picture FILE``: run the demo and draw its output as the SVG picture of the README."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

# The steps to show, by the beginning of their headings.
STEPS = ("10 edits", "Sync All Scenes, then", "What Plex shows", "What a save costs", "Result")
_CHARACTER_WIDTH, _LINE_HEIGHT, _MARGIN = 8.4, 19, 22
_BACKGROUND, _TEXT, _HEADING, _GOOD = "#10151c", "#c9d4df", "#f0c674", "#8cc26d"


def shown_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of the steps to show, out of all that the demo prints."""
    kept: list[str] = []
    showing = False
    for number, line in enumerate(lines):
        if lines[number + 1 : number + 2] and set(lines[number + 1]) == {"-"}:
            showing = line.startswith(STEPS)
        if showing and "###" not in line:
            kept.append(line.rstrip())
    return kept


def draw(lines: Sequence[str]) -> str:
    """Return an SVG picture of the lines."""
    width = 2 * _MARGIN + _CHARACTER_WIDTH * max(len(line) for line in lines)
    height = 2 * _MARGIN + _LINE_HEIGHT * len(lines)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" role="img">',
        "<title>What make demo prints: ten edits, and when Plex showed them</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{_BACKGROUND}"/>',
        '<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14">',
    ]
    for number, line in enumerate(lines):
        heading = bool(lines[number + 1 : number + 2]) and set(lines[number + 1]) == {"-"}
        good = line.endswith("  ok") or "as it should be" in line
        colour = _HEADING if heading else _GOOD if good else _TEXT
        # Each cell has its own position, so that the columns line up without a monospaced font.
        for cell in re.finditer(r"\S+(?: \S+)*", line):
            x, y = _MARGIN + _CHARACTER_WIDTH * cell.start(), _MARGIN + _LINE_HEIGHT * number + 14
            wide = _CHARACTER_WIDTH * len(cell.group())
            rows.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{wide:.1f}" fill="{colour}">{escape(cell.group())}</text>'
            )
    return "\n".join([*rows, "</g>", "</svg>", ""])


def main(arguments: Sequence[str]) -> int:
    """Write the picture. Return 1 if the demo failed."""
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ended.returncode:
        print(ended.stdout, ended.stderr, file=sys.stderr)
        return 1
    Path(arguments[0]).write_text(draw(shown_lines(ended.stdout.splitlines())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The pages for people, and what in the code they may quote."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from release.contents import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
# What runs: from here come the lines that people see.
ROOMS = PACKAGES
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
# So many letters a text needs for being recognised in a line, and so much of a line must be recognised.
FEWEST_LETTERS = 7
# What is filled in is a name, a path, a number; never so long.
LONGEST_FILLED_IN = 60
MOST_OF_IT = 0.8
# What is filled in, in the old way of writing texts.
_FORMATS = re.compile(r"%(?:\.\d+f|[sdr])|\{\w*\}")
_FILLED_IN = "\0"


def text_of(page: Path) -> str:
    """A page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", text_of(page), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^[ ]*```.*?^[ ]*```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


@cache
def source() -> str:
    """All that runs, and what is made here, as one text."""
    files = [path for room in (*ROOMS, "release", "sandbox", "ui") for path in (ROOT / room).rglob("*.*")]
    files += [ROOT / "Stash2Plex.py", ROOT / "Stash2Plex.yml", ROOT / "Makefile", ROOT / "pyproject.toml"]
    files += [ROOT / "tests" / "conftest.py"]
    return "\n".join(
        path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".js", ".yml", ".toml", "")
    )


def said(line: str) -> bool:
    """Whether the code has the texts that a line of the log is made of."""
    found = bytearray(len(line))
    for pattern in _patterns():
        if line in pattern.pattern.replace("\\", ""):
            return True  # it stands in an answer to Stash
        if match := pattern.search(line):
            known = bytearray(b"x" * len(line))
            for number in range(1, (pattern.groups or 0) + 1):
                if len(match[number]) > LONGEST_FILLED_IN:  # a sentence of its own, which has to stand somewhere too
                    known[match.start(number) : match.end(number)] = bytes(len(match[number]))
            for place in range(match.start(), match.end()):
                found[place] |= known[place]
    return found.count(b"x") >= MOST_OF_IT * len(line)


@cache
def _patterns() -> list[re.Pattern[str]]:
    """Every text in the code that could be a line for people or a part of one; what is filled in may be anything."""
    files = [
        ROOT / "Stash2Plex.py",
        ROOT / "entry_point.py",
        *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))),
    ]
    lines = {line for path in files for text in _texts(ast.parse(text_of(path))) for line in text.splitlines()}
    return [
        re.compile("(.+)".join(map(re.escape, line.split(_FILLED_IN))))
        for line in lines
        if sum(letter.isalpha() for letter in line) >= FEWEST_LETTERS
    ]


def _texts(tree: ast.AST) -> Iterator[str]:
    """Each text, with a mark for what is filled in."""
    inside = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else _FILLED_IN for one in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            if isinstance(node.value, str):
                yield _FORMATS.sub(_FILLED_IN, node.value)
            elif isinstance(node.value, bytes):
                yield node.value.decode("utf-8", "replace")

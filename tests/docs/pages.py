"""The pages for users and developers, and the texts in the code that they may quote."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from release.contents import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
# A text in the code needs this many letters to be recognised in a quoted line, and a line this share of known text.
MIN_LETTERS = 7
MIN_KNOWN_SHARE = 0.8
# A placeholder stands for a name, a path or a number, and those are never longer.
MAX_PLACEHOLDER_CHARS = 60
# Placeholders of str.format and of the % operator.
_FORMATS = re.compile(r"%(?:\.\d+f|[sdr])|\{\w*\}")
_PLACEHOLDER = "\0"


def text_of(page: Path) -> str:
    """Return the text of a file."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Return the content of a page's fenced blocks of one language."""
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", text_of(page), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^[ ]*```.*?^[ ]*```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


@cache
def source() -> str:
    """Return the product, its tools and their configuration as one text."""
    files = [path for package in (*PACKAGES, "release", "sandbox", "ui") for path in (ROOT / package).rglob("*.*")]
    files += [ROOT / "Stash2Plex.py", ROOT / "Stash2Plex.yml", ROOT / "Makefile", ROOT / "pyproject.toml"]
    files += [ROOT / "tests" / "conftest.py"]
    return "\n".join(text_of(path) for path in files if path.suffix in (".py", ".js", ".yml", ".toml", ""))


def is_logged(line: str) -> bool:
    """Return whether the texts that make up a line of the log are in the code."""
    known = bytearray(len(line))
    for pattern in _patterns():
        if line in pattern.pattern.replace("\\", ""):
            return True  # part of a longer text
        if match := pattern.search(line):
            covered = bytearray(b"x" * len(line))
            for number in range(1, (pattern.groups or 0) + 1):
                if len(match[number]) > MAX_PLACEHOLDER_CHARS:  # a sentence, which must itself be in the code
                    covered[match.start(number) : match.end(number)] = bytes(len(match[number]))
            for position in range(match.start(), match.end()):
                known[position] |= covered[position]
    return known.count(b"x") >= MIN_KNOWN_SHARE * len(line)


@cache
def _patterns() -> list[re.Pattern[str]]:
    """Return a pattern for every line of text in the code; a placeholder matches anything."""
    files = [
        ROOT / "Stash2Plex.py",
        ROOT / "entry_point.py",
        *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))),
    ]
    lines = {line for path in files for text in _texts(ast.parse(text_of(path))) for line in text.splitlines()}
    return [
        re.compile("(.+)".join(map(re.escape, line.split(_PLACEHOLDER))))
        for line in lines
        if sum(letter.isalpha() for letter in line) >= MIN_LETTERS
    ]


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield each string constant and f-string, with a mark for each placeholder."""
    inside = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _PLACEHOLDER for part in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            if isinstance(node.value, str):
                yield _FORMATS.sub(_PLACEHOLDER, node.value)
            elif isinstance(node.value, bytes):
                yield node.value.decode("utf-8", "replace")

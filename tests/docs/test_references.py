"""A remark like "(stash 2.6)" points to a chapter of ``docs/reference``, and that chapter exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import ROOT, text_of

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

REFERENCE = ROOT / "docs" / "reference"
SHEETS = {sheet.stem: sheet for sheet in REFERENCE.glob("*.md")}
# A chapter is "2", "2.6" or "A3"; a point of a numbered list in chapter 10 is "10.9".
CHAPTER = r"(?:\d+(?:\.\d+)?|[A-F]\d?)"
REMARK = re.compile(rf"\b({'|'.join(sorted(SHEETS))}) ({CHAPTER}(?:(?:, | and | to ){CHAPTER})*)(?![\w.]*\w)")
NOT_OURS = (".venv", ".git", "build", "dist", "lib", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def remarks() -> Iterator[tuple[str, str, str]]:
    """Yield each remark in code and docs as the file, the sheet and the chapter."""
    for folder in sorted(path for path in ROOT.iterdir() if path.name not in NOT_OURS):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.suffix in (".py", ".js", ".css", ".md") and REFERENCE not in path.parents:
                for sheet, chapters in REMARK.findall(text_of(path)):
                    for chapter in re.findall(CHAPTER, chapters):
                        yield str(path.relative_to(ROOT)), sheet, chapter


def chapters(sheet: Path) -> set[str]:
    """Return the numbers of a sheet's headings, and of the points of its numbered lists."""
    found: set[str] = set()
    above = ""
    for line in text_of(sheet).splitlines():
        if heading := re.match(rf"#+ ({CHAPTER})[. ]", line):
            above = heading[1]
            found.add(above)
        elif point := re.match(r"(\d+)\. ", line):
            found.add(f"{above}.{point[1]}")
    return found


def test_remark_names_an_existing_chapter() -> None:
    known = {name: chapters(sheet) for name, sheet in SHEETS.items()}
    found = list(remarks())
    assert len(found) > 100
    assert [remark for remark in found if remark[2] not in known[remark[1]]] == []


@pytest.mark.parametrize("sheet", sorted(SHEETS.values()), ids=lambda sheet: sheet.stem)
def test_sheet_names_no_path_of_the_machine_it_was_written_on(sheet: Path) -> None:
    assert re.findall(r"(?:^|[\s(`])/(?:work|tmp|home)/\S*", text_of(sheet)) == []

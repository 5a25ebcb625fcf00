"""The pages are consistent: links lead somewhere, and what should be named is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common import missing_packages
from tasks.menu import TASKS

from .pages import PAGES, ROOT, prose, text_of

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

README = ROOT / "README.md"
# Words that the glossary has replaced: by worker, dead letter, fix, desired state, reconciliation and manual match.
REPLACED_WORDS = ("drainer", "letters? of", "mend(?:ed|s)?", "wish(?:es)?", "comparisons?", "by hand", "somebody")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_within_the_repository_leads_to_a_file_and_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    inner = [link.partition("#") for link in links if "://" not in link]
    assert [file for file, _, _ in inner if not (page.parent / file).exists()] == []
    targets = [(page.parent / file if file else page, anchor) for file, _, anchor in inner if anchor]
    assert [anchor for target, anchor in targets if anchor not in anchors(target)] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors by which links name the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_documentation_index_links_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = set(re.findall(r"\]\(([\w/.-]+)\)", text_of(index)))
    assert {page.name for page in index.parent.glob("*.md")} - {index.name} <= linked


def test_readme_contents_list_every_heading() -> None:
    [contents] = re.findall(r"^\*\*Contents:\*\*(.*?)\n\n", text_of(README), re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^## (.+)$", prose(README), re.MULTILINE)
    assert re.findall(r"\[([^\]]+)\]", contents) == headings


def test_readme_names_every_task() -> None:
    assert [name for name, _, _ in TASKS if name not in text_of(README)] == []


def test_readme_offers_demo_and_test_as_its_first_commands() -> None:
    commands = re.findall(r"^make \S.*$", text_of(README), re.MULTILINE)
    assert [command.split()[1] for command in commands[:2]] == ["demo", "test"]


def test_readme_gives_the_same_pip_command_as_the_log() -> None:
    [named] = re.findall(r"^ *python3 (-m pip install .*)$", text_of(README), re.MULTILINE)
    assert named == missing_packages.install_command("").split(" ", 1)[1]


def test_architecture_names_every_package() -> None:
    text = text_of(ROOT / "docs" / "architecture.md")
    packages = sorted(entry.parent.name for entry in ROOT.glob("*/__init__.py"))
    assert [package for package in packages if f"{package}/" not in text] == []


def test_glossary_defines_each_term_once() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE)
    terms = [row for row in rows if row not in ("term", "---")]
    assert len(terms) > 40
    assert sorted({term for term in terms if terms.count(term) > 1}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_uses_the_words_of_the_glossary(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", prose(page))
    found = re.findall(rf"\b(?:{'|'.join(REPLACED_WORDS)})\b", text, re.IGNORECASE)
    assert found == []

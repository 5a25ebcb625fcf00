"""The pages for people: what they link to is there, and what they should name is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common import missing_packages
from release.manifest import TASKS

from .pages import PAGES, ROOT

pytestmark = [pytest.mark.unit, pytest.mark.no_cover]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_installation_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    inner = [link.partition("#") for link in links if "://" not in link]
    assert [file for file, _, _ in inner if not (page.parent / file).exists()] == []
    places = [(page.parent / file if file else page, place) for file, _, place in inner if place]
    assert [place for target, place in places if place not in headings(target)] == []


def headings(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


def test_the_readme_names_every_task() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name, _, _ in TASKS if name not in text] == []


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^make \S.*$", text, re.MULTILINE)
    assert [command.split()[1] for command in commands[:2]] == ["demo", "test"]


def test_the_readme_gives_the_command_that_the_plugin_gives() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [named] = re.findall(r"^ *python3 (-m pip install .*)$", text, re.MULTILINE)
    said = missing_packages.command("").split(" ", 1)[1]
    assert named == said


def test_the_installation_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = sorted(entry.parent.name for entry in ROOT.glob("*/__init__.py"))
    assert [room for room in rooms if f"{room}/" not in text] == []

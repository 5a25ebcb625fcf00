"""The pages for people: what they link to is there, and what they should name is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stash.manifest import TASKS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "architecture.md", ROOT / "docs" / "configuration.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_house_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    inner = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in inner if not (page.parent / link).exists()] == []


def test_the_readme_names_every_task() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name, _, _ in TASKS if name not in text] == []


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^make \S.*$", text, re.MULTILINE)
    assert [command.split()[1] for command in commands[:2]] == ["demo", "test"]


def test_the_readme_asks_for_the_packages_of_the_requirements() -> None:
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    runtime = [line for line in wanted.splitlines() if line.startswith(("stashapp-tools", "plexapi", "persist-queue"))]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(runtime) == 3
    assert [line for line in runtime if f'"{line}"' not in text] == []


def test_the_house_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = sorted(entry.parent.name for entry in ROOT.glob("*/__init__.py"))
    assert [room for room in rooms if f"{room}/" not in text] == []

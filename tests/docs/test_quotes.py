"""What the docs quote exists: log lines, settings, tasks, names, commands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from release.manifest import TASKS
from settings.config import TABLE
from tasks.modes import MODES

from .pages import PAGES, ROOT, blocks, prose, said, source, text_of

pytestmark = [pytest.mark.unit, pytest.mark.no_cover]

QUOTED = [(page, line.strip()) for page in PAGES for block in blocks(page, "log") for line in block.splitlines()]
# A contract between the plugin and its page.
NOT_OURS = {"operations.md"}


@pytest.mark.parametrize(("page", "line"), QUOTED, ids=lambda one: one.name if isinstance(one, Path) else one[:40])
def test_every_line_of_the_log_that_is_quoted_is_said(page: Path, line: str) -> None:
    assert said(line)


def test_a_line_that_nobody_says_is_found_out() -> None:
    assert said("Plex works again; 12 saves wait and are written now")
    assert not said("Plex works again, and 12 saves wait: they are written")
    assert len(QUOTED) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_in_bold_is_a_task_or_a_setting(page: Path) -> None:
    known = {name for name, _, _ in TASKS} | {setting.title for setting in TABLE}
    bold = {" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", prose(page))}
    sentences_in_bold = {words for words in bold if words.endswith((".", ":", "?"))}
    assert sorted(bold - known - sentences_in_bold) == []


@pytest.mark.parametrize("page", [one for one in PAGES if one.name not in NOT_OURS], ids=lambda page: page.name)
def test_names_with_an_underscore_are_those_of_the_code(page: Path) -> None:
    words = {
        word for code in re.findall(r"`([^`\n]+)`", prose(page)) for word in re.findall(r"\w*[a-z]_[a-z]\w*", code)
    }
    everything = set(re.findall(r"\w+", source()))
    assert sorted(words - everything) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = {
        code
        for code in re.findall(r"`([\w./-]+)`", prose(page))
        if re.fullmatch(r"[\w-]+(/[\w.-]+)+/?", code) and code.split("/")[0] in {one.name for one in ROOT.iterdir()}
    }
    made = ("dist/", "build/", "data/", ".venv/", "lib/", "queue/")
    assert [name for name in sorted(named) if not name.startswith(made) and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_named_can_be_given(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), re.MULTILINE)) <= targets
    modules = re.findall(r"python -m ([a-z][\w.]*)", text_of(page))
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_modes_that_are_quoted_are_known() -> None:
    quoted = {mode for page in PAGES for mode in re.findall(r'mode: "(\w+)"', text_of(page))}
    assert quoted
    assert quoted <= set(MODES)


def test_every_setting_and_task_is_in_the_docs() -> None:
    everything = "\n".join(text_of(page) for page in PAGES)
    assert [one.name for one in TABLE if f"`{one.name}`" not in everything] == []
    assert [name for name, _, _ in TASKS if name not in text_of(ROOT / "README.md")] == []


def test_the_table_for_those_who_come_from_elsewhere_names_settings() -> None:
    rows = [line for line in text_of(ROOT / "docs" / "from-stashplexagent.md").splitlines() if line.startswith("| ")]
    ours = {word for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[-2])}
    kinds = {"studio", "parent_studio", "performer", "group", "organized"}
    assert ours - kinds <= {setting.name for setting in TABLE}
    assert len(ours - kinds) >= 8


def test_the_targets_of_make_are_all_explained() -> None:
    makefile = text_of(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE))
    assert {"help", "demo", "test", "check", "release"} <= targets


def test_the_picture_is_what_the_demo_says() -> None:
    from xml.etree.ElementTree import fromstring

    picture = fromstring(text_of(ROOT / "docs" / "demo.svg"))
    words = [element.text or "" for element in picture.iter() if element.tag.endswith("text")]
    show = text_of(ROOT / "sandbox" / "demo" / "show.py")
    for heading in ("in Plex after", "equal after", "hook, median of"):
        assert any(heading in one for one in words)
        assert heading in show
    assert any("Everything is as it should be" in one for one in words)
    assert (ROOT / "docs" / "demo.svg").stat().st_size < 40_000

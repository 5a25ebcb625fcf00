"""Everything that the docs quote exists: log lines, settings, tasks, names, files and commands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from settings.table import TABLE
from tasks.menu import TASKS
from tasks.modes import MODES

from .pages import PAGES, ROOT, blocks, is_logged, prose, source, text_of

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

QUOTED = [(page, line.strip()) for page in PAGES for block in blocks(page, "log") for line in block.splitlines()]
# The keys of answers are held by tests/plugin/test_operations.py.
HELD_ELSEWHERE = {"operations.md"}


@pytest.mark.parametrize(
    ("page", "line"), QUOTED, ids=lambda value: value.name if isinstance(value, Path) else value[:40]
)
def test_quoted_log_line_is_in_the_code(page: Path, line: str) -> None:
    assert is_logged(line)


def test_log_line_that_is_not_in_the_code_is_detected() -> None:
    assert is_logged("Plex is available again. 12 waiting saves will be written now")
    assert not is_logged("Plex is available again, and 12 waiting saves will be written")
    assert len(QUOTED) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_bold_words_are_a_task_or_a_setting(page: Path) -> None:
    known = {name for name, _, _ in TASKS} | {setting.title for setting in TABLE}
    bold = {" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", prose(page))}
    sentences_in_bold = {words for words in bold if words.endswith((".", ":", "?"))}
    assert sorted(bold - known - sentences_in_bold) == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in HELD_ELSEWHERE], ids=lambda page: page.name
)
def test_names_with_an_underscore_are_in_the_code(page: Path) -> None:
    words = {
        word for code in re.findall(r"`([^`\n]+)`", prose(page)) for word in re.findall(r"\w*[a-z]_[a-z]\w*", code)
    }
    everything = set(re.findall(r"\w+", source())) | {path.stem for path in (ROOT / "tests").rglob("*.py")}
    assert sorted(words - everything) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = {
        code
        for code in re.findall(r"`([\w./-]+)`", prose(page))
        if re.fullmatch(r"[\w-]+(/[\w.-]+)+/?", code) and code.split("/")[0] in {path.name for path in ROOT.iterdir()}
    }
    generated = ("dist/", "build/", "data/", ".venv/", "lib/", "queue/")
    assert [name for name in sorted(named) if not name.startswith(generated) and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), re.MULTILINE)) <= targets
    modules = re.findall(r"python -m ([a-z][\w.]*)", text_of(page))
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_quoted_modes_exist() -> None:
    quoted = {mode for page in PAGES for mode in re.findall(r'mode: "(\w+)"', text_of(page))}
    assert quoted
    assert quoted <= set(MODES)


def test_every_setting_and_task_is_documented() -> None:
    everything = "\n".join(text_of(page) for page in PAGES)
    assert [setting.name for setting in TABLE if f"`{setting.name}`" not in everything] == []
    assert [name for name, _, _ in TASKS if name not in text_of(ROOT / "README.md")] == []


def test_table_for_stashplexagent_names_settings() -> None:
    rows = [line for line in text_of(ROOT / "docs" / "from-stashplexagent.md").splitlines() if line.startswith("| ")]
    ours = {word for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[-2])}
    kinds = {"studio", "parent_studio", "performer", "group", "organized"}
    assert ours - kinds <= {setting.name for setting in TABLE}
    assert len(ours - kinds) >= 8


def test_every_make_target_has_a_description() -> None:
    makefile = text_of(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE))
    assert {"help", "demo", "test", "check", "release"} <= targets


def test_demo_picture_shows_what_the_demo_prints() -> None:
    from xml.etree.ElementTree import fromstring

    picture = fromstring(text_of(ROOT / "docs" / "demo.svg"))
    words = [element.text or "" for element in picture.iter() if element.tag.endswith("text")]
    walkthrough = text_of(ROOT / "sandbox" / "demo" / "walkthrough.py")
    for heading in ("in Plex after", "equal after", "hook, median of"):
        assert any(heading in word for word in words)
        assert heading in walkthrough
    assert any("Everything is as it should be" in word for word in words)
    assert (ROOT / "docs" / "demo.svg").stat().st_size < 40_000

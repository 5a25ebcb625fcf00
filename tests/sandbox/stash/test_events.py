"""Every recorded operation starts the recorded processes with the recorded input (stash 4.2, 4.3)."""

from __future__ import annotations

import re

import pytest

from .story import Story, recorded_stdin, shape
from .support import golden

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

BEHAVIOUR = golden("behaviour.json")
COUNTS: dict[str, int] = BEHAVIOUR["hook processes per operation"]
MOVED: dict[str, bool] = BEHAVIOUR["updated_at of the scene changes"]
STDIN = recorded_stdin()


@pytest.mark.parametrize("operation", COUNTS)
def test_as_many_processes_as_recorded(story: Story, operation: str) -> None:
    assert len(story.stdin[operation]) == COUNTS[operation]


@pytest.mark.parametrize("operation", MOVED)
def test_updated_at_moves_as_recorded(story: Story, operation: str) -> None:
    assert story.moved[operation] == MOVED[operation]


@pytest.mark.parametrize("name", [name for name in STDIN if not name.startswith("task-")])
def test_stdin_is_as_recorded(story: Story, name: str) -> None:
    operation, _, number = name.rpartition("-") if re.search(r"-\d$", name) else (name, "", "1")
    written = [shape(stdin) for stdin in story.stdin[operation]]
    assert STDIN[name] == written[int(number) - 1]


def test_a_renamed_folder_changes_the_paths(story: Story) -> None:
    recorded = BEHAVIOUR["files of scene 4 after its folder was renamed"]
    assert [path.lstrip("/") for path in story.files_after_rename] == recorded

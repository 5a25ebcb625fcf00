"""Every recorded operation starts the recorded processes with the recorded input (stash 4.2, 4.3)."""

from __future__ import annotations

import re

import pytest

from .recorded_operations import RecordedOperations, recorded_stdin, shape
from .support import golden

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

BEHAVIOUR = golden("behaviour.json")
COUNTS: dict[str, int] = BEHAVIOUR["hook processes per operation"]
MOVED: dict[str, bool] = BEHAVIOUR["updated_at of the scene changes"]
STDIN = recorded_stdin()


@pytest.mark.parametrize("operation", COUNTS)
def test_operation_starts_as_many_processes_as_recorded(operations: RecordedOperations, operation: str) -> None:
    assert len(operations.stdin[operation]) == COUNTS[operation]


@pytest.mark.parametrize("operation", MOVED)
def test_operation_changes_updated_at_as_recorded(operations: RecordedOperations, operation: str) -> None:
    assert operations.moved[operation] == MOVED[operation]


@pytest.mark.parametrize("name", [name for name in STDIN if not name.startswith("task-")])
def test_operation_sends_the_recorded_stdin(operations: RecordedOperations, name: str) -> None:
    operation, _, number = name.rpartition("-") if re.search(r"-\d$", name) else (name, "", "1")
    written = [shape(stdin) for stdin in operations.stdin[operation]]
    assert STDIN[name] == written[int(number) - 1]


def test_renamed_folder_changes_the_paths(operations: RecordedOperations) -> None:
    recorded = BEHAVIOUR["files of scene 4 after its folder was renamed"]
    assert [path.lstrip("/") for path in operations.files_after_rename] == recorded

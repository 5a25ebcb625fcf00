"""The topmost folders of missing files."""

from __future__ import annotations

import pytest

from reconciliation.folder_summary import FolderSummary, parent_folder

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("present", "absent", "groups"),
    [
        ([], [], []),
        (["/data/a/1"], [], []),
        (["/data/a/1"], ["/data/new/x/1", "/data/new/y/2", "/data/new/3"], [("/data/new", 3)]),
        (["/data/a/1"], ["/data/a/2"], [("/data/a", 1)]),
        ([], ["/data/a/1", "/data/b/2"], [("/data", 2)]),
        ([], ["/1.mp4"], [("/", 1)]),
        (["/data/a/1"], ["/other/x/1", "/data/b/1", "/data/b/2"], [("/data/b", 2), ("/other", 1)]),
        (["/data/a/b/1"], ["/data/a/2", "/data/a/c/3"], [("/data/a", 1), ("/data/a/c", 1)]),
        (["D:\\Scenes\\a\\1"], ["D:\\Scenes\\new\\x\\1", "D:\\Scenes\\new\\2"], [("D:\\Scenes\\new", 2)]),
        ([], ["\\\\nas\\share\\1"], [("\\\\nas", 1)]),
        ([], ["odd"], [("", 1)]),
    ],
)
def test_groups_name_the_topmost_missing_folders(
    present: list[str], absent: list[str], groups: list[tuple[str, int]]
) -> None:
    folders = FolderSummary()
    for path in present:
        folders.add(path, False)
    for path in absent:
        folders.add(path, True)
    assert folders.groups() == groups


def test_parent_folder_ends_at_the_root() -> None:
    for path in ("/a/b", "C:\\a\\b", "a/b", "\\\\nas\\share\\x", "a"):
        steps = 0
        while parent_folder(path) != path:
            path = parent_folder(path)
            steps += 1
            assert steps < 10

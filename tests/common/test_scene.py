"""A scene's files, from answers of Stash and stored rows."""

from __future__ import annotations

import pytest

from common.scene import SceneFile, scene_files

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("row", "file"),
    [
        ({"path": "/a.mp4", "size": 5, "duration": 1.5}, SceneFile("/a.mp4", 5, 1.5)),
        ({"path": "/a.mp4", "size": 5.0, "duration": 2}, SceneFile("/a.mp4", 5, 2)),
        ({"path": "/a.mp4"}, SceneFile("/a.mp4")),
        ({"path": "/a.mp4", "size": None, "duration": "?"}, SceneFile("/a.mp4")),
    ],
)
def test_scene_file_from_row_reads_what_is_known(row: dict[str, object], file: SceneFile) -> None:
    assert SceneFile.from_row(row) == file
    assert SceneFile.from_row(file.as_row()) == file


@pytest.mark.parametrize("row", [{}, {"path": None}, {"path": 5}])
def test_scene_file_from_row_without_path_raises(row: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="path"):
        SceneFile.from_row(row)


def test_scene_files_omit_files_without_path() -> None:
    files = [{"path": "/a.mp4", "size": 1}, {"path": ""}, {"path": None}, {"path": "/b.mp4"}]
    assert scene_files({"files": files}) == [SceneFile("/a.mp4", 1), SceneFile("/b.mp4")]
    assert scene_files({"files": None}) == scene_files({}) == []


def test_scene_files_that_are_not_a_list_raise() -> None:
    with pytest.raises(TypeError, match="files"):
        scene_files({"files": {"path": "/a.mp4"}})

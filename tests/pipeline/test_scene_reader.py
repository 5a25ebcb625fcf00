"""Reading the scene of a job: from Stash over HTTP, from stashapp-tools, or from the job itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.errors import PermanentError
from common.iso_time import parse_instant
from common.scene import SceneFile, StashScene
from pipeline.scene_reader import from_job, read_scenes
from sandbox.library import generate
from sandbox.stash import StashSim
from stash.client import StashClient, StashError, stash_interface
from stash.scenes import Scene, from_stash
from sync_queue.job import Job

pytestmark = pytest.mark.integration


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    with StashSim(tmp_path / "stash", library=generate(scenes=20)) as found:
        yield found


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient({"Scheme": "http", "Host": "127.0.0.1", "Port": stash.port})) as found:
        yield found


IDS = [*range(1, 21), 999]


def test_read_scenes_of_a_batch_sends_one_request(stash: StashSim, client: StashClient) -> None:
    scenes = read_scenes(client, IDS)
    assert len(stash.requests) == 1
    assert list(scenes) == IDS
    assert [scene_id for scene_id, scene in scenes.items() if scene.gone] == [999]
    for scene_id, scene in scenes.items():
        if scene.gone:
            continue
        there = stash.scene(scene_id)
        assert scene.paths == stash.paths(scene_id)
        assert (scene.data is None) == (not scene.paths)
        if scene.data is not None:
            assert scene.data["path"] == scene.paths[0]
            assert scene.data["title"] == there.title


def test_read_scenes_over_stashapp_tools_returns_the_same(client: StashClient) -> None:
    assert read_scenes(stash_interface(client), IDS) == read_scenes(client, IDS)


def test_read_scenes_accepts_anything_with_find_scene() -> None:
    asked: list[tuple[int, str]] = []

    class Double:
        def find_scene(self, scene_id: int, fragment: str) -> StashScene | None:
            asked.append((scene_id, fragment))
            if scene_id == 2:
                return None
            return {"title": "T", "files": [{"path": "/data/1.mp4"}], "updated_at": "2024-01-02T03:04:05Z"}

    scenes = read_scenes(Double(), [1, 2])
    assert scenes[1].data is not None
    assert (scenes[1].data["title"], scenes[1].paths) == ("T", ["/data/1.mp4"])
    assert scenes[1].updated_at == parse_instant("2024-01-02T03:04:05Z")
    assert scenes[2] == Scene(2, gone=True)
    assert [scene_id for scene_id, _ in asked] == [1, 2]
    assert "performers" in asked[0][1]


def test_read_scenes_with_stash_unreachable_raises(stash: StashSim, client: StashClient) -> None:
    stash.faults.resolver_error = "database is locked"
    with pytest.raises(StashError):
        read_scenes(client, [1])


def test_scene_without_files_has_no_data() -> None:
    found = from_stash(7, {"id": "7", "title": "T", "files": []})
    assert found == Scene(7)
    assert not found.gone
    assert found.paths == []


def test_scene_files_keep_the_primary_first() -> None:
    found = from_stash(7, {"files": [{"path": "/a.mp4", "size": 5, "duration": 1.5}, {"path": ""}, {"path": "/b.mp4"}]})
    assert found.paths == ["/a.mp4", "/b.mp4"]
    assert found.files[0] == SceneFile("/a.mp4", 5, 1.5)


def test_from_job_reads_the_scene_of_its_data() -> None:
    job = {"scene_id": "7", "data": {"path": "/a.mp4", "title": "T", "updated_at": "2024-01-02T03:04:05+01:00"}}
    found = from_job(Job.from_row(job))
    assert (found.scene_id, found.paths, found.gone) == (7, ["/a.mp4"], False)
    assert found.data == job["data"]
    assert found.updated_at == parse_instant("2024-01-02T02:04:05Z")


@pytest.mark.parametrize("data", [None, {}, {"path": ""}, {"path": None}, {"path": 5}, {"title": "T"}])
def test_from_job_without_a_path_raises_permanent_error(data: Any) -> None:
    with pytest.raises(PermanentError, match="scene 7 has no path"):
        from_job(Job.from_row({"scene_id": 7, "data": data}))

"""Scenes read from a Stash, and the job data made of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest

from common.iso_time import parse_instant
from common.scene import StashScene, scene_files
from sandbox.library import generate
from sandbox.stash import StashSim
from stash import queries
from stash.client import StashClient
from stash.scenes import count_scenes, file_stem, job_data, read_batch, scene_pages

from .test_client import connection

pytestmark = pytest.mark.integration


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash))) as found:
        yield found


def scene_of(client: StashClient, scene_id: int) -> StashScene:
    """Return a scene as the worker reads it."""
    found = read_batch(client, [scene_id]).scenes[scene_id]
    assert found is not None
    return found


def _row(fields: dict[str, Any]) -> StashScene:
    return cast(StashScene, fields)


def test_read_batch_is_one_request(stash: StashSim, client: StashClient) -> None:
    answer = read_batch(client, [3, 1, 999])
    assert stash.counters["graphql"] == 1
    assert list(answer.scenes) == [3, 1, 999]
    assert answer.scenes[999] is None
    one, three = answer.scenes[1], answer.scenes[3]
    assert one is not None
    assert three is not None
    assert (one["id"], one["title"]) == ("1", stash.scene(1).title)
    assert (three["id"], three["files"]) == ("3", [])
    # a Stash that names no plugin at all says nothing about ours
    assert (answer.settings, answer.api_key, answer.enabled) == ({}, "", True)


def test_read_batch_returns_stored_settings(stash: StashSim, client: StashClient) -> None:
    stash.configure("Stash2Plex", {"plex_url": "http://x", "max_retries": 3, "enabled": False})
    stash.configure("Another", {"plex_url": "http://y"})
    assert read_batch(client, []).settings == {"plex_url": "http://x", "max_retries": 3, "enabled": False}


def test_read_batch_of_stash_without_our_plugin_has_enabled_none(stash: StashSim, client: StashClient) -> None:
    folder = stash.core.plugins.folder / "Another"
    folder.mkdir(parents=True)
    (folder / "Another.yml").write_text("name: Another\nexec: [python, x.py]\ninterface: raw\n")
    stash.reload_plugins()
    assert read_batch(client, []).enabled is None


def test_read_batch_says_whether_plugin_is_enabled(stash: StashSim, client: StashClient) -> None:
    folder = stash.core.plugins.folder / "Stash2Plex"
    folder.mkdir(parents=True)
    (folder / "Stash2Plex.yml").write_text("name: Stash2Plex\nexec: [python, x.py]\ninterface: raw\n")
    stash.reload_plugins()
    assert read_batch(client, [1]).enabled is True
    stash.set_plugin_enabled("Stash2Plex", False)
    assert read_batch(client, [1]).enabled is False


@pytest.mark.parametrize("page", [1, 7, 10, 15, 30, 500])
def test_scene_pages_yield_every_scene_once_by_id(stash: StashSim, client: StashClient, page: int) -> None:
    found = list(scene_pages(client, page_size=page))
    assert [int(scene["id"]) for part in found for scene in part] == list(range(1, 31))
    assert all(len(part) == page for part in found[:-1])
    assert all(found)
    assert set(found[0][0]) == {"id", "updated_at", "details", "date", "studio", "performers", "tags"}
    assert stash.counters["graphql"] == 30 // page + 1


def test_scene_pages_of_empty_stash_yield_nothing(stash: StashSim, client: StashClient) -> None:
    stash.gql("mutation($i: [ID!]!) { scenesDestroy(input: {ids: $i}) }", {"i": [str(n) for n in range(1, 31)]})
    assert list(scene_pages(client)) == []
    assert count_scenes(client) == 0


@pytest.mark.parametrize("hours", [-12, -7, 0, 11, 14])
def test_scene_pages_since_omits_no_newer_scene_in_any_timezone(tmp_path: Path, hours: int) -> None:
    with (
        StashSim(tmp_path / "stash", library=generate(scenes=30), timezone=timezone(timedelta(hours=hours))) as stash,
        closing(StashClient(connection(stash))) as client,
    ):
        times = {scene.id: parse_instant(scene.updated_at) or 0.0 for scene in stash.scenes}
        moments = sorted(times.values())
        for since in (moments[0] - 86_400, moments[10], moments[20] - 1, moments[-1] + 30 * 3600):
            found = [int(scene["id"]) for part in scene_pages(client, since) for scene in part]
            assert count_scenes(client, since) == len(found)
            assert {scene for scene, moment in times.items() if moment > since} <= set(found)
            # roughly: fourteen hours for the offset of the server, as much again for that of the row
            assert all(times[scene] >= since - 28 * 3600 for scene in found)
        assert count_scenes(client, moments[0] - 86_400) == 30
        assert count_scenes(client, moments[-1] + 30 * 3600) == 0


def test_job_data_equals_the_scene_in_stash(stash: StashSim, client: StashClient) -> None:
    answer = read_batch(client, [scene.id for scene in stash.scenes])
    for stored in stash.scenes:
        scene = answer.scenes[stored.id]
        assert scene is not None
        data, paths = job_data(scene), stash.paths(stored.id)
        if not paths:
            assert data is None
            continue
        assert data is not None
        assert [file.path for file in scene_files(scene)] == paths
        assert (data["path"], data["title"], data["details"]) == (paths[0], stored.title, stored.details)
        assert (data["date"], data["rating100"], data["updated_at"]) == (
            stored.date,
            stored.rating100,
            stored.updated_at,
        )
        studios = {studio.id: studio.name for studio in stash.store.studios}
        assert data["studio"] == (studios[stored.studio_id] if stored.studio_id else None)
        assert len(data["performers"]) == len(set(data["performers"])) == len(stored.performer_ids)
        names = {tag.id: tag.name for tag in stash.store.tags}
        assert sorted(data["tags"]) == sorted(names[tag] for tag in stored.tag_ids)
        assert [names[int(str(tag))] for tag in data["tag_ids"]] == data["tags"]
        parents = {studio.id: studio.parent_id for studio in stash.store.studios}
        assert data["parent_studio"] == studios.get(parents.get(stored.studio_id or 0) or 0)
        groups = {group.id: group.name for group in stash.store.groups}
        assert data["groups"] == [groups[number] for number, _ in stored.groups]
        assert (data["code"], data["director"]) == (stored.code, stored.director)
        assert (data["organized"], data["has_stash_id"]) == (stored.organized, bool(stored.stash_ids))
        assert data["poster_url"] == data["background_url"] == (scene["paths"] or {})["screenshot"]
        assert f"/scene/{stored.id}/screenshot" in str(data["poster_url"])


ODD = {2: "two files", 20: "three files"}


@pytest.mark.parametrize("scene_id", ODD, ids=ODD.values())
def test_job_data_path_is_the_primary_file(stash: StashSim, client: StashClient, scene_id: int) -> None:
    scene = scene_of(client, scene_id)
    assert len(scene_files(scene)) == len(stash.paths(scene_id)) > 1
    last = scene_files(scene)[-1]
    query = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    stash.gql(query, {"i": {"id": str(scene_id), "primary_file_id": (scene["files"] or [])[-1]["id"]}})
    again = scene_of(client, scene_id)
    data = job_data(again)
    assert data is not None
    assert data["path"] == last.path
    assert scene_files(again)[0] == last
    assert (last.size or 0) > 0
    assert (last.duration or 0) > 0


def test_job_data_disambiguates_performers_with_equal_names(stash: StashSim, client: StashClient) -> None:
    data = job_data(scene_of(client, 18))
    assert data is not None
    third = unicodedata.normalize("NFD", "Zoë Dvořák")
    assert sorted(data["performers"]) == ["Ada Adler (the elder)", "Ada Adler (the younger)", third]


def test_job_data_of_bare_scene_has_empty_values(client: StashClient) -> None:
    data = job_data(scene_of(client, 11))
    assert data is not None
    assert (data["title"], data["details"], data["performers"], data["tags"]) == ("", "", [], [])
    assert (data["date"], data["rating100"], data["studio"]) == (None, None, None)


@pytest.mark.parametrize("scene_id", [3, 24])
def test_job_data_without_files_is_none(client: StashClient, scene_id: int) -> None:
    assert job_data(scene_of(client, scene_id)) is None


def test_job_data_accepts_null_fields() -> None:
    nothing = dict.fromkeys(("title", "details", "date", "rating100", "studio", "performers", "tags", "paths"))
    data = job_data(_row({**nothing, "files": [{"path": "/a/b.mp4"}, {"path": ""}, {"path": None}]}))
    assert data is not None
    assert (data["path"], data["title"], data["performers"], data["poster_url"]) == ("/a/b.mp4", "", [], None)
    assert scene_files({"files": None}) == []
    assert job_data({"files": None}) is None


BEYOND = {"code", "director", "organized", "has_stash_id", "groups", "tag_ids", "parent_studio"}


def test_job_data_omits_fields_that_were_not_requested() -> None:
    asked = {"files": [{"path": "/a/b.mp4"}], "title": "T", "studio": {"name": "S"}}
    data = job_data(_row(asked))
    assert data is not None
    assert not BEYOND & data.keys()
    nothing = dict.fromkeys(("code", "director", "organized", "stash_ids", "groups", "tags", "studio"))
    full = job_data(_row({**asked, **nothing}))
    assert full is not None
    assert {name: value for name, value in full.items() if name in BEYOND} == {
        "code": "", "director": "", "organized": False, "has_stash_id": False, "groups": [], "tag_ids": [],
        "parent_studio": None,
    }  # fmt: skip
    assert (job_data(_row({**asked, "tags": [{"name": "x"}]})) or {})["tag_ids"] == [None]


def test_sandbox_scenes_have_all_optional_fields(stash: StashSim, client: StashClient) -> None:
    found = [job_data(scene) for scene in read_batch(client, range(1, 31)).scenes.values() if scene]
    for name in BEYOND:
        assert any(data and data.get(name) for data in found), name


def test_scene_fields_hold_everything_a_job_needs(client: StashClient) -> None:
    for name in ("title", "details", "date", "rating100", "updated_at", "screenshot", "disambiguation", "stash_ids"):
        assert name in queries.SCENE_FIELDS


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/data/a/Scene One.mp4", "Scene One"),
        ("C:\\Videos\\Scene One.mp4", "Scene One"),
        ("Scene.One.1080p.mkv", "Scene.One.1080p"),
        ("/data.d/none", "none"),
        ("/data/.hidden", ".hidden"),
        ("/日本/🎬.mp4", "🎬"),
    ],
)
def test_file_stem_handles_paths_of_any_system(path: str, wanted: str) -> None:
    assert file_stem(path) == wanted

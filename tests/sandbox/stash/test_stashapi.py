"""The simulator used through unmodified stashapi, as by many plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stashapi.stashapp import StashInterface

from sandbox.stash import StashSim

from .support import running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


@pytest.fixture
def api(stash: StashSim) -> Iterator[Any]:
    stash.gql('mutation { sceneUpdate(input: {id: 1, code: "x"}) { id } }')
    found = StashInterface(stash.processes[0].input["server_connection"])
    yield found
    found.s.close()


def test_stashapi_finds_rows(api: Any, stash: StashSim) -> None:
    scene = api.find_scene(1)
    assert scene["title"] == stash.scene(1).title
    assert [tag["name"] for tag in scene["tags"]] == sorted(tag["name"] for tag in scene["tags"])
    assert scene["files"][0]["path"] == stash.paths(1)[0]
    assert api.find_scene(999) is None
    organized = api.find_scenes(f={"organized": True})
    assert len(organized) == sum(scene.organized for scene in stash.scenes)
    count, page = api.find_scenes(filter={"per_page": 5, "page": 2, "sort": "id"}, get_count=True)
    assert (count, [scene["id"] for scene in page]) == (30, ["6", "7", "8", "9", "10"])
    assert api.find_performers()[0]["name"] == "Ada Adler"
    assert {studio["id"] for studio in api.find_studios()} == {str(studio.id) for studio in stash.store.studios}
    assert api.find_tag("Outdoor")["id"] == "1"
    assert api.find_groups(get_count=True)[0] == len(stash.store.groups)


def test_stashapi_changes_rows(api: Any, stash: StashSim) -> None:
    assert api.update_scene({"id": 2, "title": "by stashapi"}) == "2"
    assert stash.scene(2).title == "by stashapi"
    api.update_scenes({"ids": [2, 3], "organized": True})
    assert api.create_tag({"name": "brand new"})["name"] == "brand new"
    api.destroy_scene(3)
    assert api.find_scene(3) is None


def test_stashapi_settings_tasks_and_raw_queries(api: Any) -> None:
    assert api.configure_plugin("Probe", {"switch": True, "number": 5}) == {"number": 5, "switch": True}
    assert api.find_plugin_config("Probe") == {"number": 5, "switch": True}
    number = api.run_plugin_task("Probe", "Hello", {"days": 3})
    until(lambda: api.find_job(number)["status"] == "FINISHED")
    assert api.job_queue() is None
    assert api.call_GQL("{ systemStatus { status } }") == {"systemStatus": {"status": "OK"}}
    assert api.get_configuration()["general"]["apiKey"] == ""


def test_api_key_works_after_the_cookie_has_expired(tmp_path: Path) -> None:
    with running(tmp_path, username="me", password="pw", api_key="KEY") as stash:
        connection = {"Scheme": "http", "Host": "0.0.0.0", "Port": stash.port, "ApiKey": "KEY"}
        api = StashInterface(connection, force_api_key=True)
        assert api.find_scene(1)["id"] == "1"
        api.s.close()

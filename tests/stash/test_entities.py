"""The scene ids of performers, studios, tags and groups in a Stash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from graphql.utilities import coerce_input_value

from sandbox.stash import StashSim
from stash.client import StashClient, StashQueryError, stash_interface
from stash.entities import EntityPage, scene_ids

from .test_client import connection
from .test_queries import SCHEMAS, schema

pytestmark = pytest.mark.integration

OF: dict[str, Callable[[Any, int], bool]] = {
    "performer": lambda scene, number: number in scene.performer_ids,
    "studio": lambda scene, number: scene.studio_id == number,
    "tag": lambda scene, number: number in scene.tag_ids,
    "group": lambda scene, number: number in [group for group, _ in scene.groups],
}


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash))) as found:
        yield found


def expected(stash: StashSim, kind: str, number: int) -> list[int]:
    """The scenes as the simulator holds them."""
    return [scene.id for scene in stash.scenes if OF[kind](scene, number)]


def commonest(stash: StashSim, kind: str) -> int:
    """The entity of the kind that is on most scenes."""
    return max(range(1, 40), key=lambda number: len(expected(stash, kind, number)))


@pytest.mark.parametrize("kind", OF)
def test_scene_ids_returns_scenes_of_each_entity(stash: StashSim, client: StashClient, kind: str) -> None:
    numbers = range(1, 9)
    found = scene_ids(client, [EntityPage(kind, number) for number in numbers])
    assert found == [expected(stash, kind, number) for number in numbers]
    assert any(found)
    assert stash.counters["graphql"] == 1


@pytest.mark.parametrize("kind", OF)
def test_scene_ids_pages_cover_all_scenes_once(stash: StashSim, client: StashClient, kind: str) -> None:
    number = commonest(stash, kind)
    every = expected(stash, kind, number)
    assert len(every) > 1
    pages: list[int] = []
    while page := scene_ids(client, [EntityPage(kind, number, after=pages[-1] if pages else 0)], page_size=1)[0]:
        assert len(page) == 1
        pages += page
    assert pages == every


def test_scene_ids_of_many_entities_is_one_request(stash: StashSim, client: StashClient) -> None:
    asked = [EntityPage(kind, number) for kind in OF for number in range(1, 6)]
    assert [bool(page) for page in scene_ids(client, asked)].count(True) > 8
    assert stash.counters["graphql"] == 1
    assert scene_ids(client, []) == []
    assert stash.counters["graphql"] == 1


@pytest.mark.parametrize("depth", [0, 1, -1])
@pytest.mark.parametrize("kind", OF)
def test_scene_ids_of_unknown_entity_is_empty(client: StashClient, kind: str, depth: int) -> None:
    depth = depth if kind in ("studio", "tag") else 0
    assert scene_ids(client, [EntityPage(kind, 9999, depth=depth)]) == [[]]


def test_scene_ids_with_depth_includes_children(stash: StashSim, client: StashClient) -> None:
    studio = "mutation($i: StudioCreateInput!) { made: studioCreate(input: $i) { id } }"
    tag = "mutation($i: TagCreateInput!) { made: tagCreate(input: $i) { id } }"
    save = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    above: dict[str, str] = {}
    for scene in (11, 12, 13):
        parent = {"parent_id": above["studio"]} if above else {}
        parents = {"parent_ids": [above["tag"]]} if above else {}
        above = {
            "studio": stash.gql(studio, {"i": {"name": f"Of {scene}", **parent}})["made"]["id"],
            "tag": stash.gql(tag, {"i": {"name": f"Of {scene}", **parents}})["made"]["id"],
        }
        stash.gql(save, {"i": {"id": str(scene), "studio_id": above["studio"], "tag_ids": [above["tag"]]}})
    for kind, number in above.items():
        top = int(number) - 2
        assert scene_ids(client, [EntityPage(kind, top, depth=depth) for depth in (0, 1, -1)]) == [
            [11],
            [11, 12],
            [11, 12, 13],
        ]


def test_scene_ids_over_stash_interface_is_one_request_each(stash: StashSim, client: StashClient) -> None:
    wanted = [EntityPage("performer", 1), EntityPage("studio", 1, after=5, depth=1)]
    assert scene_ids(stash_interface(client), wanted, page_size=3) == scene_ids(client, wanted, page_size=3)
    assert stash.counters["graphql"] == 3


def test_scene_ids_invalid_filter_raises_query_error(client: StashClient) -> None:
    class Odd(EntityPage):
        def filter(self) -> dict[str, Any]:
            return {"no_such_criterion": 1}

    with pytest.raises(StashQueryError):
        scene_ids(client, [Odd("performer", 1)])


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("kind", OF)
def test_entity_page_filter_is_valid_for_stash(name: str, kind: str) -> None:
    kind_of_filter: Any = schema(name).type_map["SceneFilterType"]
    for depth in (0, 1, -1) if kind in ("studio", "tag") else (0,):
        given = EntityPage(kind, 12, after=3, depth=depth).filter()
        assert coerce_input_value(given, kind_of_filter) == given
    page: Any = schema(name).type_map["FindFilterType"]
    assert coerce_input_value({"per_page": 500, "sort": "id", "direction": "ASC"}, page)

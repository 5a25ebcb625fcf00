"""The tags of a Stash that rules ending in /* mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from sandbox.stash import StashSim
from stash.client import StashClient
from stash.tags import tag_descendants

from .test_client import connection

pytestmark = pytest.mark.integration

CREATE = "mutation($i: TagCreateInput!) { tagCreate(input: $i) { id } }"


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash))) as found:
        yield found


@pytest.fixture
def tree(stash: StashSim) -> dict[str, str]:
    """My place > Öffentlich > Park > Bench, My place > Inside one, Toys > Bench; ids by name."""
    ids: dict[str, str] = {}
    for name, parents in (
        ("My place", []),
        ("Öffentlich", ["My place"]),
        ("Inside one", ["My place"]),
        ("Park", ["Öffentlich"]),
        ("Toys", []),
        ("Bench", ["Park", "Toys"]),
    ):
        made: dict[str, Any] = stash.gql(CREATE, {"i": {"name": name, "parent_ids": [ids[one] for one in parents]}})
        ids[name] = made["tagCreate"]["id"]
    return ids


def test_tag_descendants_returns_tag_and_all_below(stash: StashSim, client: StashClient, tree: dict[str, str]) -> None:
    names = {tag_id: name for name, tag_id in tree.items()}

    def family(*members: str) -> dict[str, str]:
        return {tag_id: name for tag_id, name in names.items() if name in members}

    asked = stash.counters["graphql"]
    found = tag_descendants(
        client, ["my place/*", "öFFENTLICH/*", f"{tree['Toys']}/*", "Bench/*", "No such tag/*", "0/*", "Park"]
    )
    assert found == {
        "my place/*": family("My place", "Öffentlich", "Inside one", "Park", "Bench"),
        "öFFENTLICH/*": family("Öffentlich", "Park", "Bench"),
        f"{tree['Toys']}/*": family("Toys", "Bench"),
        "Bench/*": family("Bench"),
        "No such tag/*": {},
        "0/*": {},
    }
    assert stash.counters["graphql"] - asked == 2


def test_tag_descendants_without_wildcard_rule_sends_nothing(stash: StashSim, client: StashClient) -> None:
    assert tag_descendants(client, ["My place", "12"]) == {}
    assert stash.counters["graphql"] == 0


def test_tag_descendants_of_unknown_tags_is_one_request(stash: StashSim, client: StashClient) -> None:
    assert tag_descendants(client, ["No such tag/*"]) == {"No such tag/*": {}}
    assert stash.counters["graphql"] == 1

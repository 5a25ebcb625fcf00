"""Reconciliation follows the user's decisions: a manual match is a match, a rejected candidate is no gap."""

from __future__ import annotations

import pytest

from common.verdicts import Verdict
from sandbox.library import LibraryScene
from sandbox.plex.model import Item
from state.manual_matches import ManualMatch, ManualMatches
from tests.reconciliation.conftest import MakeServers
from tests.reconciliation.support import ServerPair
from tests.reconciliation.test_ledger_and_index import file, library, simple

pytestmark = pytest.mark.integration


def other(servers: ServerPair, path: str = "/data/another name.mp4", size: int = 9) -> Item:
    return servers.plex.add_item(servers.section, [(path, size, 60.0)])


def bind(servers: ServerPair, scene_id: int, item: Item) -> None:
    files = tuple((part.file, part.size) for part in item.parts())
    machine = servers.pipeline.plex.client.machine
    chosen = ManualMatch(scene_id, machine, servers.section.key, item.rating_key, files, servers.clock())
    ManualMatches(servers.db).put(chosen)


def refuse(servers: ServerPair, scene_id: int, item: Item) -> None:
    files = [(part.file, part.size) for part in item.parts()]
    ManualMatches(servers.db).reject(scene_id, servers.section.key, item.rating_key, files, servers.clock())


@pytest.fixture
def servers(make_servers: MakeServers) -> ServerPair:
    """Two scenes, of which Plex has the second only."""
    found = make_servers(simple("a.mp4", "b.mp4"))
    found.plex.add_item(found.section, [("/data/b.mp4", 1002, 60.0)])
    return found


def settled(servers: ServerPair) -> None:
    """Run until the first result stands, then once more: nothing is left to do."""
    servers.reconcile()
    servers.process_queue()
    servers.clock.now += 60
    again = servers.reconcile()
    assert (again.total_gaps, again.enqueued_count) == (0, 0)


def test_manual_match_is_synced_once(servers: ServerPair) -> None:
    item = other(servers)
    bind(servers, 1, item)
    settled(servers)
    assert item.title == "Title 1"
    item.studio = ""
    result = servers.reconcile()
    assert (result.empty_metadata_count, result.enqueued_count) == (1, 1)


def test_manual_match_that_is_gone_is_doubtful_not_missing(servers: ServerPair) -> None:
    item = other(servers)
    bind(servers, 1, item)
    settled(servers)
    servers.plex.remove_item(item.rating_key)
    result = servers.reconcile()
    assert (result.missing_count, result.low_confidence_count, result.enqueued_count) == (0, 1, 0)


def test_rejected_candidate_is_no_gap_until_a_new_one_comes(servers: ServerPair) -> None:
    refuse(servers, 1, other(servers, "/data/x/a.mp4"))
    result = servers.reconcile()
    assert (result.missing_count, result.low_confidence_count) == (0, 0)
    servers.process_queue()
    other(servers, "/data/y/a.mp4", 77)
    result = servers.reconcile()
    assert (result.missing_count, result.low_confidence_count) == (0, 1)


def test_item_rejected_at_the_scenes_path_stays_rejected(servers: ServerPair) -> None:
    item = servers.plex.find("/data/b.mp4")
    assert item is not None
    refuse(servers, 2, item)
    bind(servers, 1, other(servers))
    settled(servers)
    assert item.title == "b"


def test_item_matched_manually_to_another_scene_is_no_gap(make_servers: MakeServers) -> None:
    one = LibraryScene(1, title="Title 1", studio_id=1, files=(file("a.mp4", 1001),))
    two = LibraryScene(2, title="Title 2", studio_id=1, files=(file("b.mp4", 1002),))
    servers = make_servers(library(one, two))
    item = other(servers, "/data/a.mp4", 1001)
    bind(servers, 2, item)
    settled(servers)
    assert item.title == "Title 2"
    assert servers.entry(1).verdict is Verdict.SHARED

"""Reconciliation believes a person: a scene with a chosen item has it, one whose candidates were refused is no gap."""

from __future__ import annotations

import pytest

from common.verdicts import Verdict
from sandbox.library import LibraryScene
from sandbox.plex.model import Item
from state.manual_matches import ManualMatch, ManualMatches
from tests.reconciliation.conftest import Meet
from tests.reconciliation.support import Meeting
from tests.reconciliation.test_ledger_and_index import file, library, simple

pytestmark = pytest.mark.integration


def other(meeting: Meeting, path: str = "/data/another name.mp4", size: int = 9) -> Item:
    return meeting.plex.add_item(meeting.section, [(path, size, 60.0)])


def bind(meeting: Meeting, scene_id: int, item: Item) -> None:
    files = tuple((part.file, part.size) for part in item.parts())
    machine = meeting.pipeline.plex.client.machine
    chosen = ManualMatch(scene_id, machine, meeting.section.key, item.rating_key, files, meeting.clock())
    ManualMatches(meeting.db).put(chosen)


def refuse(meeting: Meeting, scene_id: int, item: Item) -> None:
    files = [(part.file, part.size) for part in item.parts()]
    ManualMatches(meeting.db).refuse(scene_id, meeting.section.key, item.rating_key, files, meeting.clock())


@pytest.fixture
def meeting(meet: Meet) -> Meeting:
    """Two scenes, of which Plex has the second only."""
    found = meet(simple("a.mp4", "b.mp4"))
    found.plex.add_item(found.section, [("/data/b.mp4", 1002, 60.0)])
    return found


def settled(meeting: Meeting) -> None:
    """Run until the first result stands, then once more: nothing is left to do."""
    meeting.reconcile()
    meeting.drain()
    meeting.clock.now += 60
    again = meeting.reconcile()
    assert (again.total_gaps, again.enqueued_count) == (0, 0)


def test_a_chosen_item_is_written_once_and_is_no_gap_after_that(meeting: Meeting) -> None:
    item = other(meeting)
    bind(meeting, 1, item)
    settled(meeting)
    assert item.title == "Title 1"
    item.studio = ""
    result = meeting.reconcile()
    assert (result.empty_metadata_count, result.enqueued_count) == (1, 1)


def test_a_chosen_item_that_is_gone_is_doubtful_not_missing(meeting: Meeting) -> None:
    item = other(meeting)
    bind(meeting, 1, item)
    settled(meeting)
    meeting.plex.remove_item(item.rating_key)
    result = meeting.reconcile()
    assert (result.missing_count, result.low_confidence_count, result.enqueued_count) == (0, 1, 0)


def test_a_refused_candidate_is_neither_a_gap_nor_a_doubt_until_a_new_one_comes(meeting: Meeting) -> None:
    refuse(meeting, 1, other(meeting, "/data/x/a.mp4"))
    result = meeting.reconcile()
    assert (result.missing_count, result.low_confidence_count) == (0, 0)
    meeting.drain()
    other(meeting, "/data/y/a.mp4", 77)
    result = meeting.reconcile()
    assert (result.missing_count, result.low_confidence_count) == (0, 1)


def test_a_file_refused_at_its_own_path_stays_refused(meeting: Meeting) -> None:
    item = meeting.plex.find("/data/b.mp4")
    assert item is not None
    refuse(meeting, 2, item)
    bind(meeting, 1, other(meeting))
    settled(meeting)
    assert item.title == "b"


def test_an_item_given_to_another_scene_by_hand_is_nobody_elses_gap(meet: Meet) -> None:
    one = LibraryScene(1, title="Title 1", studio_id=1, files=(file("a.mp4", 1001),))
    two = LibraryScene(2, title="Title 2", studio_id=1, files=(file("b.mp4", 1002),))
    meeting = meet(library(one, two))
    item = other(meeting, "/data/a.mp4", 1001)
    bind(meeting, 2, item)
    settled(meeting)
    assert item.title == "Title 2"
    assert meeting.entry(1).verdict is Verdict.SHARED

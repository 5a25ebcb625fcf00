"""Engine, worker and both servers together: single rules, each in a small library."""

from __future__ import annotations

import pytest

from common.verdicts import Verdict
from reconciliation.scene_pages import scene_pages
from reconciliation.scopes import parse_scope
from sandbox.library import Library, LibraryFile, LibraryScene, LibraryStudio, LibraryTag, generate
from stash.client import stash_interface
from sync_queue.operations import save_sync_timestamp
from tests.reconciliation.conftest import Meet
from tests.reconciliation.support import Meeting, all_files, everyday

pytestmark = pytest.mark.integration


def file(name: str, size: int = 1000) -> LibraryFile:
    return LibraryFile(f"/data/{name}", size, 60.0, 1)


def library(*scenes: LibraryScene) -> Library:
    tags = [LibraryTag(1, "One"), LibraryTag(2, "Two")]
    return Library([], [LibraryStudio(1, "Studio")], tags, [], list(scenes))


def simple(*names: str) -> Library:
    return library(
        *(
            LibraryScene(number, title=f"Title {number}", studio_id=1, files=(file(name, 1000 + number),))
            for number, name in enumerate(names, 1)
        )
    )


def fill(meeting: Meeting, made: Library) -> Meeting:
    for path, size, seconds in all_files(made):
        meeting.plex.add_item(meeting.section, [(path, size, seconds)])
    return meeting


@pytest.fixture
def pair(meet: Meet) -> Meeting:
    """Two scenes, in Plex and in step."""
    made = simple("a.mp4", "b.mp4")
    meeting = fill(meet(made), made)
    meeting.reconcile()
    meeting.drain()
    return meeting


def test_requests_stay_within_their_budget(meet: Meet) -> None:
    made = generate(3, 1100)
    meeting = fill(meet(made), made)
    for _ in range(2):
        meeting.stash.reset_counters()
        meeting.plex.reset_counters()
        meeting.reconcile()
        assert meeting.stash.counters["graphql"] <= 1100 / 500 + 20
        assert sum(meeting.plex.counters.values()) <= 1100 / 1000 + 20
        assert meeting.plex.hidden_reloads == 0


def test_pages_give_every_scene_once_whatever_their_size(meet: Meet) -> None:
    made = generate(3, 30)
    meeting = meet(made)
    for size in (1, 7, 10, 30, 31):
        found = list(scene_pages(stash_interface(meeting.client), parse_scope("all"), size))
        assert [int(str(scene["id"])) for page in found for scene in page] == list(range(1, 31))


def test_a_deliberate_emptying_is_no_gap_and_a_lost_one_is(pair: Meeting) -> None:
    pair.save(1, studio_id=None, details="now words")
    pair.reconcile()
    pair.drain()
    assert pair.reconcile().total_gaps == 0
    item = pair.plex.find("/data/a.mp4")
    assert item is not None
    item.summary = ""
    result = pair.reconcile()
    assert (result.empty_metadata_count, result.enqueued_count) == (1, 1)
    pair.drain()
    assert item.summary == "now words"


def test_settings_that_matter_make_everything_stale_once(pair: Meeting) -> None:
    pair.config = pair.settings(sync_rating=False)
    pair.configure(pair.config)
    result = pair.reconcile()
    assert (result.stale_sync_count, result.settings_changed_count, result.enqueued_count) == (2, 2, 2)
    pair.drain()
    assert pair.reconcile().total_gaps == 0
    pair.config = pair.settings(sync_rating=False, max_retries=9)
    assert pair.reconcile().total_gaps == 0


def test_a_folder_that_moved_on_both_sides_is_found(meet: Meet) -> None:
    made = simple("old/a.mp4", "old/b.mp4")
    meeting = fill(meet(made), made)
    meeting.reconcile()
    meeting.drain()
    meeting.stash.rename_folder("/data/old", "/data/new")
    # Plex has not noticed yet: name and size still prove the item
    result = meeting.reconcile()
    assert (result.stale_sync_count, result.missing_count) == (2, 0)
    meeting.drain()
    for name in ("a", "b"):
        meeting.plex.move_file(f"/data/old/{name}.mp4", f"/data/new/{name}.mp4")
    result = meeting.reconcile()
    assert (result.empty_metadata_count, result.stale_sync_count) == (2, 0)
    meeting.drain()
    assert meeting.reconcile().total_gaps == 0
    assert meeting.not_equal([1, 2]) == []


def test_a_second_copy_that_plex_found_later_is_written_too(meet: Meet) -> None:
    made = library(LibraryScene(1, title="Both", studio_id=1, files=(file("a.mp4"), file("b.mp4", 2000))))
    meeting = meet(made)
    meeting.plex.add_item(meeting.section, [("/data/a.mp4", 1000, 60.0)])
    meeting.reconcile()
    meeting.drain()
    assert meeting.reconcile().total_gaps == 0
    late = meeting.plex.add_item(meeting.section, [("/data/b.mp4", 2000, 60.0)])
    late.studio = "From an agent"  # it says something, and still not what it should
    result = meeting.reconcile()
    assert (result.stale_sync_count, result.empty_metadata_count, result.enqueued_count) == (1, 0, 1)
    meeting.drain()
    assert late.studio == "Studio"
    assert meeting.reconcile().total_gaps == 0


def test_an_item_that_says_something_of_its_own_is_brought_into_step(meet: Meet) -> None:
    made = simple("a.mp4")
    meeting = fill(meet(made), made)
    item = meeting.plex.find("/data/a.mp4")
    assert item is not None
    item.summary = "An agent's words"
    result = meeting.reconcile()
    assert (result.stale_sync_count, result.empty_metadata_count) == (1, 0)
    meeting.drain()
    assert (item.summary, item.studio) == ("", "Studio")


def test_an_old_timestamp_makes_stale_and_a_lost_one_does_no_harm(pair: Meeting) -> None:
    save_sync_timestamp(pair.data_dir, 1, 5.0)
    result = pair.reconcile()
    assert (result.stale_sync_count, result.enqueued_count) == (1, 1)
    pair.drain()
    assert pair.reconcile().total_gaps == 0


def test_synced_before_there_was_a_ledger_is_believed(meet: Meet) -> None:
    made = simple("a.mp4", "b.mp4")
    meeting = fill(meet(made), made)
    save_sync_timestamp(meeting.data_dir, 1, 4e9)
    result = meeting.reconcile()
    assert [result.empty_metadata_count, result.missing_count] == [1, 0]
    meeting.lose(1)
    result = meeting.reconcile()
    assert [result.missing_count, result.enqueued_count] == [1, 1]


def test_without_strict_matching_the_best_guess_is_the_item(meet: Meet) -> None:
    made = simple("a.mp4")
    meeting = meet(made, strict_matching=False)
    for folder in ("x", "y"):
        meeting.plex.add_item(meeting.section, [(f"/data/{folder}/a.mp4", 7, 60.0)])
    result = meeting.reconcile()
    assert (result.low_confidence_count, result.empty_metadata_count, result.enqueued_count) == (1, 1, 1)
    meeting.drain()
    result = meeting.reconcile()
    assert (result.low_confidence_count, result.total_gaps) == (1, 0)


def test_doubt_that_was_lifted_is_a_gap(meet: Meet) -> None:
    made = simple("a.mp4")
    meeting = meet(made)
    first, second = (
        meeting.plex.add_item(meeting.section, [(f"/data/{folder}/a.mp4", 7, 60.0)]) for folder in ("x", "y")
    )
    meeting.enqueue(1)
    meeting.drain()
    assert meeting.entry(1).verdict is Verdict.AMBIGUOUS
    assert meeting.reconcile().enqueued_count == 0
    meeting.config = meeting.settings(path_map="/data => /data/y")
    meeting.configure(meeting.config)
    result = meeting.reconcile()
    assert (result.low_confidence_count, result.enqueued_count) == (0, 1)
    meeting.drain()
    assert (first.studio, second.studio) == (None, "Studio")


def test_stash_away_in_the_middle_leaves_the_rest_to_the_next_run(meet: Meet) -> None:
    made = generate(3, 600)
    meeting = fill(meet(made), made)

    def cut(result: object) -> None:
        meeting.stash.faults.refuse()

    first = meeting.reconcile(progress=cut)
    assert (first.scenes_checked, first.complete) == (500, False)
    assert "Stash could not be read to the end" in first.errors[0]
    meeting.stash.faults.accept()
    second = meeting.reconcile()
    assert second.complete
    assert second.skipped_already_queued == first.enqueued_count
    assert first.enqueued_count + second.enqueued_count == second.total_gaps


def test_plex_away_in_the_middle_of_its_listing_loses_nothing(pair: Meeting) -> None:
    pair.save(1, title="Another")
    pair.plex.faults.set(status=503, only="sections/1/all")
    result = pair.reconcile()
    assert (result.complete, result.stale_sync_count, result.missing_count) == (False, 1, 0)
    pair.plex.faults.clear()
    assert pair.reconcile().skipped_already_queued == 1


def test_a_recent_run_reads_only_what_is_new_in_plex(pair: Meeting) -> None:
    pair.save(1, title="Another")
    pair.plex.reset_counters()
    result = pair.reconcile("recent")
    assert (result.scenes_checked, result.stale_sync_count, result.enqueued_count) == (1, 1, 1)
    assert sum(pair.plex.counters.values()) <= 4


def test_nothing_of_a_detection_is_kept_or_queued(meet: Meet) -> None:
    made = everyday(generate(1, 120))
    meeting = meet(generate(1, 120))
    assert meeting.engine().detect_gaps("all").missing_count >= len(made)
    assert meeting.store.undone() == 0

"""Engine, worker and both servers together: one rule at a time, each in a small library."""

from __future__ import annotations

import pytest

from common.verdicts import Verdict
from reconciliation.scene_pages import scene_pages
from reconciliation.scopes import parse_scope
from sandbox.library import Library, LibraryFile, LibraryScene, LibraryStudio, LibraryTag, generate
from stash.client import stash_interface
from sync_queue.operations import save_sync_timestamp
from tests.reconciliation.conftest import MakeServers
from tests.reconciliation.support import ServerPair, all_files, ordinary_scenes

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


def fill(servers: ServerPair, made: Library) -> ServerPair:
    for path, size, seconds in all_files(made):
        servers.plex.add_item(servers.section, [(path, size, seconds)])
    return servers


@pytest.fixture
def pair(make_servers: MakeServers) -> ServerPair:
    """Two scenes, in Plex and in step."""
    made = simple("a.mp4", "b.mp4")
    servers = fill(make_servers(made), made)
    servers.reconcile()
    servers.process_queue()
    return servers


def test_run_stays_within_its_request_budget(make_servers: MakeServers) -> None:
    made = generate(3, 1100)
    servers = fill(make_servers(made), made)
    for _ in range(2):
        servers.stash.reset_counters()
        servers.plex.reset_counters()
        servers.reconcile()
        assert servers.stash.counters["graphql"] <= 1100 / 500 + 20
        assert sum(servers.plex.counters.values()) <= 1100 / 1000 + 20
        assert servers.plex.hidden_reloads == 0


def test_scene_pages_of_any_size_yield_each_scene_once(make_servers: MakeServers) -> None:
    made = generate(3, 30)
    servers = make_servers(made)
    for size in (1, 7, 10, 30, 31):
        found = list(scene_pages(stash_interface(servers.client), parse_scope("all"), size))
        assert [int(str(scene["id"])) for page in found for scene in page] == list(range(1, 31))


def test_item_emptied_on_purpose_is_no_gap_and_a_rebuilt_one_is(pair: ServerPair) -> None:
    pair.save(1, studio_id=None, details="now words")
    pair.reconcile()
    pair.process_queue()
    assert pair.reconcile().total_gaps == 0
    item = pair.plex.find("/data/a.mp4")
    assert item is not None
    item.summary = ""
    result = pair.reconcile()
    assert (result.empty_metadata_count, result.enqueued_count) == (1, 1)
    pair.process_queue()
    assert item.summary == "now words"


def test_changed_settings_make_every_scene_stale_once(pair: ServerPair) -> None:
    pair.config = pair.settings(sync_rating=False)
    pair.configure(pair.config)
    result = pair.reconcile()
    assert (result.stale_sync_count, result.settings_changed_count, result.enqueued_count) == (2, 2, 2)
    pair.process_queue()
    assert pair.reconcile().total_gaps == 0
    pair.config = pair.settings(sync_rating=False, max_retries=9)
    assert pair.reconcile().total_gaps == 0


def test_folder_moved_on_both_sides_is_stale(make_servers: MakeServers) -> None:
    made = simple("old/a.mp4", "old/b.mp4")
    servers = fill(make_servers(made), made)
    servers.reconcile()
    servers.process_queue()
    servers.stash.rename_folder("/data/old", "/data/new")
    # Plex has not noticed yet: name and size still prove the item
    result = servers.reconcile()
    assert (result.stale_sync_count, result.missing_count) == (2, 0)
    servers.process_queue()
    for name in ("a", "b"):
        servers.plex.move_file(f"/data/old/{name}.mp4", f"/data/new/{name}.mp4")
    result = servers.reconcile()
    assert (result.empty_metadata_count, result.stale_sync_count) == (2, 0)
    servers.process_queue()
    assert servers.reconcile().total_gaps == 0
    assert servers.not_equal([1, 2]) == []


def test_second_copy_found_later_is_stale(make_servers: MakeServers) -> None:
    made = library(LibraryScene(1, title="Both", studio_id=1, files=(file("a.mp4"), file("b.mp4", 2000))))
    servers = make_servers(made)
    servers.plex.add_item(servers.section, [("/data/a.mp4", 1000, 60.0)])
    servers.reconcile()
    servers.process_queue()
    assert servers.reconcile().total_gaps == 0
    late = servers.plex.add_item(servers.section, [("/data/b.mp4", 2000, 60.0)])
    late.studio = "From an agent"  # it says something, and still not what it should
    result = servers.reconcile()
    assert (result.stale_sync_count, result.empty_metadata_count, result.enqueued_count) == (1, 0, 1)
    servers.process_queue()
    assert late.studio == "Studio"
    assert servers.reconcile().total_gaps == 0


def test_item_with_foreign_metadata_is_synced(make_servers: MakeServers) -> None:
    made = simple("a.mp4")
    servers = fill(make_servers(made), made)
    item = servers.plex.find("/data/a.mp4")
    assert item is not None
    item.summary = "An agent's words"
    result = servers.reconcile()
    assert (result.stale_sync_count, result.empty_metadata_count) == (1, 0)
    servers.process_queue()
    assert (item.summary, item.studio) == ("", "Studio")


def test_old_timestamp_is_stale_and_a_lost_one_is_not(pair: ServerPair) -> None:
    save_sync_timestamp(pair.data_dir, 1, 5.0)
    result = pair.reconcile()
    assert (result.stale_sync_count, result.enqueued_count) == (1, 1)
    pair.process_queue()
    assert pair.reconcile().total_gaps == 0


def test_timestamp_without_a_ledger_row_counts_as_synced(make_servers: MakeServers) -> None:
    made = simple("a.mp4", "b.mp4")
    servers = fill(make_servers(made), made)
    save_sync_timestamp(servers.data_dir, 1, 4e9)
    result = servers.reconcile()
    assert [result.empty_metadata_count, result.missing_count] == [1, 0]
    servers.lose(1)
    result = servers.reconcile()
    assert [result.missing_count, result.enqueued_count] == [1, 1]


def test_guess_without_strict_matching_counts_as_the_item(make_servers: MakeServers) -> None:
    made = simple("a.mp4")
    servers = make_servers(made, strict_matching=False)
    for folder in ("x", "y"):
        servers.plex.add_item(servers.section, [(f"/data/{folder}/a.mp4", 7, 60.0)])
    result = servers.reconcile()
    assert (result.low_confidence_count, result.empty_metadata_count, result.enqueued_count) == (1, 1, 1)
    servers.process_queue()
    result = servers.reconcile()
    assert (result.low_confidence_count, result.total_gaps) == (1, 0)


def test_guess_on_an_item_another_scene_proves_is_shared_and_no_gap(make_servers: MakeServers) -> None:
    servers = make_servers(simple("guess/a.mp4", "proof/a.mp4"), strict_matching=False)
    item = servers.plex.add_item(servers.section, [("/data/proof/a.mp4", 1002, 60.0)])
    servers.reconcile()
    servers.process_queue()
    assert item.title == "Title 2"
    assert (servers.entry(1).verdict, servers.entry(2).verdict) == (Verdict.SHARED, Verdict.WRITTEN)
    result = servers.reconcile()
    assert (result.low_confidence_count, result.total_gaps, result.enqueued_count) == (1, 0, 0)


def test_scene_no_longer_doubtful_is_a_gap(make_servers: MakeServers) -> None:
    made = simple("a.mp4")
    servers = make_servers(made)
    first, second = (
        servers.plex.add_item(servers.section, [(f"/data/{folder}/a.mp4", 7, 60.0)]) for folder in ("x", "y")
    )
    servers.enqueue(1)
    servers.process_queue()
    assert servers.entry(1).verdict is Verdict.AMBIGUOUS
    assert servers.reconcile().enqueued_count == 0
    servers.config = servers.settings(path_map="/data => /data/y")
    servers.configure(servers.config)
    result = servers.reconcile()
    assert (result.low_confidence_count, result.enqueued_count) == (0, 1)
    servers.process_queue()
    assert (first.studio, second.studio) == (None, "Studio")


def test_run_without_stash_half_way_leaves_the_rest_to_the_next(make_servers: MakeServers) -> None:
    made = generate(3, 600)
    servers = fill(make_servers(made), made)

    def cut(result: object) -> None:
        servers.stash.faults.refuse()

    first = servers.reconcile(progress=cut)
    assert (first.scenes_checked, first.complete) == (500, False)
    assert "Stash could not be read to the end" in first.errors[0]
    servers.stash.faults.accept()
    second = servers.reconcile()
    assert second.complete
    assert second.skipped_already_queued == first.enqueued_count
    assert first.enqueued_count + second.enqueued_count == second.total_gaps


def test_run_without_plex_half_way_loses_nothing(pair: ServerPair) -> None:
    pair.save(1, title="Another")
    pair.plex.faults.set(status=503, only="sections/1/all")
    result = pair.reconcile()
    assert (result.complete, result.stale_sync_count, result.missing_count) == (False, 1, 0)
    pair.plex.faults.clear()
    assert pair.reconcile().skipped_already_queued == 1


def test_recent_run_reads_only_new_items(pair: ServerPair) -> None:
    pair.save(1, title="Another")
    pair.plex.reset_counters()
    result = pair.reconcile("recent")
    assert (result.scenes_checked, result.stale_sync_count, result.enqueued_count) == (1, 1, 1)
    assert sum(pair.plex.counters.values()) <= 4


def test_detect_gaps_keeps_and_queues_nothing(make_servers: MakeServers) -> None:
    made = ordinary_scenes(generate(1, 120))
    servers = make_servers(generate(1, 120))
    assert servers.engine().detect_gaps("all").missing_count >= len(made)
    assert servers.store.undone_count() == 0

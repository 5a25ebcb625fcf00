"""What is recorded of each outcome, and what verification finds."""

from __future__ import annotations

import sqlite3

import pytest

from common.scene import SceneFile
from common.verdicts import Verdict
from pipeline.scene_sync import SceneSync
from sandbox.plex import PlexSim
from sandbox.plex.model import Item, Tag
from settings.config import Stash2PlexConfig
from state.ledger import LedgerItem
from tests.worker.conftest import MakeBench
from tests.worker.support import START, Bench, scene

pytestmark = pytest.mark.integration


def run(bench: Bench, *scene_ids: int) -> None:
    bench.save(*scene_ids)
    bench.live(5)


def test_ledger_records_values_items_and_version_of_a_sync(bench: Bench) -> None:
    [item] = bench.stock(1, rating100=80)
    run(bench, 1)
    entry = bench.entry(1)
    assert entry.verdict is Verdict.WRITTEN
    assert entry.updated_at == START - 60
    assert entry.at >= START
    assert entry.settings == bench.config.fingerprint()
    assert entry.files == (SceneFile("/data/1.mp4", 1),)
    assert entry.items == (LedgerItem(item.rating_key, bench.section.key, "/data/1.mp4"),)
    assert entry.fields["userRating"] == 8.0


def test_timestamp_without_updated_at_is_the_time_before_the_write(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, updated_at=None)
    plex.on_write = lambda item: bench.clock.sleep(100)
    bench.save(1)
    bench.work()
    assert bench.timestamps() == {1: START}


def test_edit_during_the_write_stays_newer_than_the_timestamp(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, updated_at=START - 5)
    plex.on_write = lambda item: bench.clock.sleep(60)
    bench.save(1)
    bench.work()
    assert bench.timestamps() == {1: START - 5}


def test_value_that_plex_did_not_keep_is_written_once_more(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1, details="Words")

    def forgets_once(written: Item) -> None:
        plex.on_write = None
        written.summary = "Plex knows better"

    plex.on_write = forgets_once
    run(bench, 1)
    assert item.summary == "Words"
    assert plex.puts == 2
    assert bench.entry(1).verdict is Verdict.WRITTEN
    assert bench.timestamps() == {1: START - 60}


def test_value_that_plex_never_keeps_is_reported_and_not_synced(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1, details="Words", tags=["a"])

    def forgets(written: Item) -> None:
        written.summary = ""
        written.genres.clear()

    plex.on_write = forgets
    run(bench, 1)
    assert plex.puts == 2
    entry = bench.entry(1)
    assert entry.verdict is Verdict.FAILED
    assert entry.reason == "Plex did not keep genre, summary"
    assert bench.timestamps() == {}
    assert bench.rows() == {}
    assert item.title == "Title 1"


def test_scene_that_plex_does_not_keep_does_not_affect_others(bench: Bench, plex: PlexSim) -> None:
    items = bench.stock(1, 2, 3)

    def forgets_the_second(written: Item) -> None:
        if written is items[1]:
            written.studio = "Other"

    plex.on_write = forgets_the_second
    run(bench, 1, 2, 3)
    assert [bench.entry(number).verdict for number in (1, 2, 3)] == [Verdict.WRITTEN, Verdict.FAILED, Verdict.WRITTEN]
    assert plex.puts == 4


def test_item_that_vanishes_during_the_write_is_matched_again(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)

    def vanishes(written: Item) -> None:
        plex.on_write = None
        plex.move_file("/data/1.mp4", "/data/elsewhere.mp4")

    plex.on_write = vanishes
    bench.save(1)
    bench.work()
    assert bench.job(1)["last_error_type"] == "PlexNotFound"
    assert bench.timestamps() == {}
    moved = plex.find("/data/elsewhere.mp4")
    assert moved is not None
    bench.scenes[1] = scene(1, "/data/elsewhere.mp4")
    bench.live(200)
    assert moved.title == "Title 1"
    assert moved is not item


def test_rating_is_cleared_only_if_we_wrote_it(bench: Bench) -> None:
    [ours, theirs] = bench.stock(1, 2)
    theirs.user_rating = 6.0
    bench.scenes[1] = scene(1, rating100=80)
    run(bench, 1, 2)
    assert (ours.user_rating, theirs.user_rating) == (8.0, 6.0)
    bench.scenes[1] = scene(1, rating100=None)
    run(bench, 1, 2)
    assert (ours.user_rating, theirs.user_rating) == (None, 6.0)
    assert bench.entry(1).verdict is Verdict.WRITTEN
    ours.user_rating = 3.0  # the user's own, after we had removed ours
    run(bench, 1)
    assert ours.user_rating == 3.0


def test_rating_changed_in_plex_after_our_write_is_the_users(bench: Bench) -> None:
    [item] = bench.stock(1, rating100=80)
    run(bench, 1)
    item.user_rating = 2.0
    bench.scenes[1] = scene(1, rating100=None)
    run(bench, 1)
    assert item.user_rating == 2.0


def test_rating_from_before_our_first_write_is_not_ours(bench: Bench) -> None:
    [item] = bench.stock(1, rating100=80)
    item.user_rating = 8.0
    run(bench, 1)
    bench.scenes[1] = scene(1, rating100=None)
    run(bench, 1)
    assert item.user_rating == 8.0


def test_rating_stays_ours_when_other_fields_are_written(bench: Bench) -> None:
    [item] = bench.stock(1, rating100=80)
    run(bench, 1)
    run(bench, 1)
    bench.scenes[1] = scene(1, rating100=80, title="Other")
    run(bench, 1)
    bench.scenes[1] = scene(1, title="Other", rating100=None)
    run(bench, 1)
    assert item.user_rating is None


def test_rating_stays_ours_while_the_switch_is_off(bench: Bench) -> None:
    [item] = bench.stock(1, rating100=80)
    run(bench, 1)
    bench.configure(bench.settings(sync_rating=False))
    bench.scenes[1] = scene(1, title="Other", rating100=None)
    run(bench, 1)
    assert item.user_rating == 8.0
    bench.configure(bench.settings())
    run(bench, 1)
    assert item.user_rating is None


def test_rating_is_ours_although_plex_failed_after_it_was_sent(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1, rating100=80)
    plex.on_write = lambda written: plex.faults.set(status=503)
    bench.save(1)
    bench.work()
    plex.on_write = None
    plex.faults.clear()
    bench.live(30)
    assert bench.entry(1).verdict is Verdict.UNCHANGED
    bench.scenes[1] = scene(1, rating100=None)
    run(bench, 1)
    assert item.user_rating is None


def test_preserved_edits_write_only_empty_fields(make_bench: MakeBench, plex: PlexSim) -> None:
    bench = make_bench(preserve_plex_edits=True)
    [item] = bench.stock(1, details="Stash's", tags=["stash"], performers=["Ada"], rating100=80, date="2021-03-04")
    item.summary = "The user's"
    item.genres.append(Tag("person's"))
    item.user_rating = 2.0
    run(bench, 1)
    assert (item.title, item.summary, item.studio) == ("1", "The user's", "Studio")
    assert (item.tags("genre"), item.tags("actor")) == (["person's"], ["Ada"])
    assert (item.user_rating, item.originally_available_at) == (2.0, "2021-03-04")
    bench.scenes[1] = scene(1, studio=None, details="Newer", tags=["newer"], performers=[], date="2022-01-01")
    run(bench, 1)
    assert (item.studio, item.originally_available_at, item.tags("actor")) == ("Studio", "2021-03-04", ["Ada"])
    assert plex.puts == 1, "having written the value ourselves is no exception"
    assert bench.entry(1).verdict is Verdict.UNCHANGED


def test_switched_off_fields_are_not_written(make_bench: MakeBench, plex: PlexSim) -> None:
    bench = make_bench(sync_summary=False, sync_tags=False, sync_rating=False)
    [item] = bench.stock(1, details="Words", tags=["a"], rating100=80)
    item.summary = "Plex's"
    run(bench, 1)
    assert (item.title, item.summary, item.tags("genre"), item.user_rating) == ("Title 1", "Plex's", [], None)
    [write] = plex.writes
    assert {name.split(".")[0].split("[")[0] for name, _ in write.params} <= {
        "type",
        "id",
        "title",
        "studio",
        "collection",
    }


def test_scene_in_two_libraries_is_written_and_recorded_in_both(bench: Bench, plex: PlexSim) -> None:
    [first] = bench.stock(1)
    second = plex.add_item(plex.add_section("Two"), [("/data/1.mp4", 1, 1.0)])
    run(bench, 1)
    assert (first.title, second.title) == ("Title 1", "Title 1")
    assert [ledger_item.rating_key for ledger_item in bench.entry(1).items] == [first.rating_key, second.rating_key]


def test_ledger_records_the_file_that_proves_the_item(bench: Bench, plex: PlexSim) -> None:
    plex.add_item(bench.section, [("/data/other.mp4", 1, 1.0), ("/data/1.mp4", 1, 1.0)])
    bench.scenes[1] = scene(1)
    run(bench, 1)
    assert [ledger_item.file for ledger_item in bench.entry(1).items] == ["/data/1.mp4"]


def test_failure_keeps_the_recorded_items(bench: Bench, plex: PlexSim) -> None:
    [item] = bench.stock(1)
    run(bench, 1)
    known = bench.entry(1).items
    plex.remove_item(item.rating_key)
    run(bench, 1)
    assert bench.entry(1).verdict is Verdict.NOT_IN_PLEX
    assert bench.entry(1).items == known


def test_unexpected_error_is_retried_and_becomes_a_dead_letter_with_its_name(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.save(1)
    for _ in range(6):
        [row] = bench.store.claim(1, bench.clock())
        work = SceneSync(row.job, scene=scene(1), error=ZeroDivisionError("a bug"))
        bench.outcomes.record([(row, work)], "", 5)
        bench.clock.sleep(100)
    dead_letter = bench.dead_letters()[1]
    assert (dead_letter["error_type"], dead_letter["message"]) == ("PlexPermanentError", "ZeroDivisionError: a bug")
    assert dead_letter["attempts"] == 6
    assert "ZeroDivisionError: a bug" in caplog.text
    assert bench.rows() == {}


def test_outcomes_are_durable_before_rows_are_finished(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two: the row is there, and doing it again changes nothing."""
    bench.stock(1)
    bench.save(1)

    def killed(rows: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.store, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.work()
    monkeypatch.undo()
    assert bench.timestamps() == {1: START - 60}
    assert bench.entry(1).verdict is Verdict.WRITTEN
    bench.store.resume()
    assert list(bench.rows()) == [1]
    puts = bench.plex.puts
    bench.work()
    assert (bench.rows(), bench.plex.puts) == ({}, puts)


def test_failed_timestamp_write_rolls_the_record_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from state import timestamps

    def full(db: object, values: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    bench.stock(1)
    bench.save(1)
    with monkeypatch.context() as patch:
        patch.setattr(timestamps, "write", full)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            bench.work()
    assert bench.db.execute("SELECT COUNT(*) FROM ledger").fetchone() == (0,)
    assert list(bench.rows()) == [1]
    bench.work()
    assert bench.timestamps() == {1: START - 60}


def test_ledger_records_the_fingerprint_of_the_settings() -> None:
    assert Stash2PlexConfig().fingerprint() != Stash2PlexConfig(sync_tags=False).fingerprint()
    assert Stash2PlexConfig().fingerprint() == Stash2PlexConfig(plex_url="http://other").fingerprint()


def test_scene_merged_into_another_queues_that_one(bench: Bench, plex: PlexSim) -> None:
    item = plex.add_item(bench.section, [("/data/one.mp4", 1, 1.0), ("/data/two.mp4", 1, 1.0)])
    bench.scenes[1], bench.scenes[2] = scene(1, "/data/one.mp4"), scene(2, "/data/two.mp4")
    run(bench, 1, 2)
    assert item.title == "Title 1"
    assert bench.entry(2).verdict is Verdict.SHARED
    merged = scene(2, "/data/two.mp4", title="Merged", updated_at=START)
    merged.files.append(SceneFile("/data/one.mp4", 1, 1.0))
    bench.scenes[2] = merged
    del bench.scenes[1]
    run(bench, 2)
    assert item.title == "Title 1"
    run(bench, 1)
    assert item.title == "Merged"
    assert bench.rows() == {}

"""Items that the user has chosen or rejected for a scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.verdicts import Verdict
from matching.manual_match import LOST
from sandbox.plex.model import Item
from stash.scenes import Scene
from state import last_known
from state.ledger import LedgerItem
from state.manual_matches import ManualMatch, ManualMatches
from tests.worker.support import Bench, scene

pytestmark = pytest.mark.integration


def add_unproven_item(bench: Bench, number: int = 1, name: str = "another name.mp4", size: int = 500) -> Item:
    """Add an item that no file proves to be a scene's."""
    return bench.plex.add_item(bench.section, [(f"/data/{number}/{name}", size, 9.0)])


def choose(bench: Bench, scene_id: int, item: Item, **changed: Any) -> None:
    files = tuple((part.file, part.size) for part in item.parts())
    values: dict[str, Any] = {"machine": bench.pipeline.plex.client.machine, "section": bench.section.key, **changed}
    ManualMatches(bench.db).put(
        ManualMatch(scene_id, values["machine"], values["section"], item.rating_key, files, bench.clock())
    )


def reject(bench: Bench, scene_id: int, *items: Item) -> None:
    for item in items:
        files = [(part.file, part.size) for part in item.parts()]
        ManualMatches(bench.db).reject(scene_id, bench.section.key, item.rating_key, files, bench.clock())


def saved(bench: Bench, scene_id: int = 1, title: str = "Saved", **more: Any) -> Scene:
    bench.scenes[scene_id] = scene(scene_id, title=title, **more)
    bench.save(scene_id)
    bench.work()
    return bench.scenes[scene_id]


def add_candidates(bench: Bench, *numbers: int) -> list[Item]:
    """Candidates: items with the name of scene 1's file in other folders, of other sizes."""
    return [add_unproven_item(bench, number, "1.mp4", 100 + number) for number in numbers]


def test_manual_match_is_written_whatever_its_file_is_called(bench: Bench) -> None:
    item, proven = add_unproven_item(bench), bench.item(1)
    choose(bench, 1, item)
    saved(bench)
    assert (item.title, proven.title) == ("Saved", "1")
    entry = bench.entry(1)
    assert entry.verdict is Verdict.WRITTEN
    assert entry.items == (LedgerItem(item.rating_key, bench.section.key, "/data/1/another name.mp4"),)
    assert bench.dead_letters() == {}
    assert bench.rows() == {}


def test_manual_match_with_a_new_rating_key_is_found_by_its_file(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    saved(bench)
    bench.plex.remove_item(item.rating_key)
    stranger = add_unproven_item(bench, 2, "stranger.mp4", 1)
    again = add_unproven_item(bench, 3)  # the same name and size in another folder
    bench.clock.now += 60
    saved(bench, title="Saved again")
    assert (again.title, stranger.title) == ("Saved again", "stranger")
    found = ManualMatches(bench.db).get(1)
    assert found is not None
    assert (found.rating_key, found.files) == (again.rating_key, (("/data/3/another name.mp4", 500),))
    assert bench.dead_letters() == {}


def test_manual_match_whose_key_has_another_file_is_not_written(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    assert bench.pipeline.plex.index.libraries  # the index knows it as it was
    [part] = item.parts()
    part.file, part.size = "/data/1/something else.mp4", 7
    saved(bench)
    assert item.title == "another name"
    assert bench.plex.puts == 0
    dead_letter = bench.dead_letters()[1]
    assert dead_letter["error_type"] == "LowConfidence"
    assert LOST in dead_letter["message"]
    assert bench.entry(1).verdict is Verdict.AMBIGUOUS


def test_manual_match_that_is_lost_asks_the_user_again(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    proven = bench.item(1)
    bench.plex.remove_item(item.rating_key)
    saved(bench)
    assert bench.plex.puts == 0
    assert [one["rating_key"] for one in bench.dead_letters()[1]["detail"]["candidates"]] == [proven.rating_key]


def test_manual_match_that_comes_back_is_written(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    bench.plex.remove_item(item.rating_key)
    saved(bench)
    assert bench.dead_letters()
    bench.clock.now += 60
    back = add_unproven_item(bench)
    saved(bench, 2)  # makes the worker refresh the index
    bench.live(120)
    assert back.title == "Saved"
    assert 1 not in bench.dead_letters()


def test_manual_match_among_two_items_takes_the_one_at_its_path(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    bench.plex.remove_item(item.rating_key)
    copy, same = add_unproven_item(bench, 2), add_unproven_item(bench, 1)
    saved(bench)
    assert (copy.title, same.title) == ("another name", "Saved")
    bench.plex.remove_item(same.rating_key)
    add_unproven_item(bench, 4)
    bench.clock.now += 60
    saved(bench, title="Which copy")
    assert LOST in bench.dead_letters()[1]["message"]


def test_manual_match_outside_the_chosen_libraries_does_not_count(bench: Bench) -> None:
    item, proven = add_unproven_item(bench), bench.item(1)
    choose(bench, 1, item, machine="another")
    saved(bench)
    assert (item.title, proven.title) == ("another name", "Saved")
    choose(bench, 1, item, section=99)
    saved(bench, title="Again")
    assert (item.title, proven.title) == ("another name", "Again")


def test_manual_match_takes_the_item_from_the_scene_it_is_proven_for(bench: Bench) -> None:
    [item] = bench.stock(1)
    choose(bench, 2, item)
    for together in (False, True):
        for number in (1, 2):
            bench.scenes[number] = scene(number, title=f"Scene {number}, {together}")
        for some in ((1, 2),) if together else ((2,), (1,)):
            bench.save(*some)
            bench.work()
        assert item.title == f"Scene 2, {together}"
        assert bench.entry(1).verdict is Verdict.SHARED
        assert bench.entry(1).reason.endswith("belongs to scene 2, which you matched it to")
    assert bench.entry(2).items[0].file == "/data/1.mp4"


def test_scene_gone_from_stash_loses_its_manual_match(bench: Bench) -> None:
    item = add_unproven_item(bench)
    choose(bench, 1, item)
    reject(bench, 1, *add_candidates(bench, 5))
    bench.save(1)
    bench.work()
    assert ManualMatches(bench.db).get(1) is None
    assert ManualMatches(bench.db).rejected_files(1) == frozenset()


def test_rejected_candidates_are_not_offered_again(bench: Bench) -> None:
    items = add_candidates(bench, 1, 2)
    saved(bench)
    assert len(bench.dead_letters()[1]["detail"]["candidates"]) == 2
    bench.dlq.discard("scene_1")
    reject(bench, 1, *items)
    saved(bench, title="Again")
    assert bench.dead_letters() == {}
    assert bench.rows() == {}
    assert bench.entry(1).verdict is Verdict.NOT_IN_PLEX
    assert "you rejected every Plex item" in bench.entry(1).reason
    assert bench.plex.puts == 0


def test_new_candidate_beside_rejected_ones_is_offered(bench: Bench) -> None:
    reject(bench, 1, *add_candidates(bench, 1, 2))
    saved(bench)
    [new] = add_candidates(bench, 3)
    bench.clock.now += 60
    saved(bench, 9)  # makes the worker refresh the index
    bench.live(120)
    assert [one["rating_key"] for one in bench.dead_letters()[1]["detail"]["candidates"]] == [new.rating_key]


def test_remaining_candidate_beside_rejected_ones_may_be_proven(bench: Bench) -> None:
    wrong, right = (add_unproven_item(bench, number, "1.mp4", 1) for number in (1, 2))
    saved(bench)
    assert bench.entry(1).verdict is Verdict.AMBIGUOUS
    reject(bench, 1, wrong)
    saved(bench, title="The other one")
    assert (wrong.title, right.title) == ("1", "The other one")


def test_rejected_item_with_a_new_file_is_a_new_candidate(bench: Bench) -> None:
    [item] = add_candidates(bench, 1)
    reject(bench, 1, item)
    [part] = item.parts()
    part.size = 1
    saved(bench)
    assert item.title == "Saved"


def test_server_and_libraries_are_recorded_for_the_page(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    bench.plex.add_section("Others", ["/others"], type="show")
    bench.stock(1)
    saved(bench)
    server = last_known.get(bench.db, last_known.SERVER)
    assert server["machine"] == bench.plex.identity.machine_identifier
    assert [(one["title"], one["chosen"]) for one in last_known.get(bench.db, last_known.SECTIONS)] == [
        ("Scenes", True),
        ("Others", False),
    ]
    assert bench.plex.token not in str(server)
    wrong = make_bench(plex_library="Nowhere")
    saved(wrong)
    assert [one["chosen"] for one in last_known.get(wrong.db, last_known.SECTIONS)] == [False, False]

"""What a person has decided about items: kept, and recognised by files rather than by keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from state import database, last_known
from state.manual_matches import ManualDecisions, ManualMatch, ManualMatches, PlexFile, is_rejected, read_decisions

pytestmark = pytest.mark.unit

FILES: tuple[PlexFile, ...] = (("/media/one.mp4", 10), ("/media/two.mp4", None))


def manual_match(scene_id: int = 1, rating_key: int = 7, **changed: object) -> ManualMatch:
    values = {"machine": "m", "section": 2, "files": FILES, "at": 5.0, **changed}
    return ManualMatch(scene_id=scene_id, rating_key=rating_key, **values)  # type: ignore[arg-type]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(str(tmp_path))) as found:
        yield found


def test_manual_match_is_stored_replaced_and_removed(db: sqlite3.Connection) -> None:
    matches = ManualMatches(db)
    assert matches.get(1) is None
    matches.put(manual_match())
    assert matches.get(1) == manual_match()
    matches.put(manual_match(rating_key=8))
    assert [one.rating_key for one in matches.with_item(8, "m")] == [8]
    assert matches.with_item(7, "m") == matches.with_item(8, "another") == []
    assert matches.remove(1) == manual_match(rating_key=8)
    assert matches.remove(1) is None


def test_rejection_lasts_until_the_item_is_chosen(db: sqlite3.Connection) -> None:
    matches = ManualMatches(db)
    for _ in range(2):
        matches.reject(1, 2, 7, [*FILES, ("/media/three.mp4", 3)], 5.0)
    assert matches.rejected_files(1) == {*FILES, ("/media/three.mp4", 3)}
    matches.put(manual_match())
    assert matches.rejected_files(1) == {("/media/three.mp4", 3)}
    assert matches.clear_rejections(1) == 1
    assert matches.rejected_files(1) == frozenset()


def test_decisions_of_a_gone_scene_are_deleted(db: sqlite3.Connection) -> None:
    matches = ManualMatches(db)
    matches.put(manual_match())
    matches.put(manual_match(2))
    matches.reject(1, 2, 9, [("/media/nine.mp4", 9)], 5.0)
    matches.drop(1)
    assert matches.decisions_on("m") == ManualDecisions({2: manual_match(2)}, {})


def test_decisions_are_those_of_one_server_and_its_libraries(tmp_path: Path) -> None:
    assert read_decisions(str(tmp_path), "m", [2]) == ManualDecisions()
    with closing(database.connect(str(tmp_path))) as db:
        matches = ManualMatches(db)
        matches.put(manual_match())
        matches.put(manual_match(2, machine="another"))
        matches.put(manual_match(3, section=4))
        matches.reject(5, 2, 9, [("/media/nine.mp4", 9)], 5.0)
    found = read_decisions(str(tmp_path), "m", [2])
    assert found == ManualDecisions({1: manual_match()}, {5: frozenset({("/media/nine.mp4", 9)})})


@pytest.mark.parametrize(
    ("file", "holds"),
    [
        (("/media/one.mp4", 11), True),
        (("/elsewhere/one.mp4", 10), True),
        (("/elsewhere/one.mp4", 11), False),
        (("/elsewhere/two.mp4", None), False),
        (("/media/other.mp4", 10), False),
        (("D:\\media\\one.mp4", 10), True),
    ],
)
def test_manual_match_agrees_by_path_or_by_name_and_size(file: PlexFile, holds: bool) -> None:
    assert manual_match().has_any_file([file]) is holds


def test_item_with_a_new_file_is_not_rejected() -> None:
    refused = frozenset(FILES)
    assert is_rejected(FILES, refused)
    assert is_rejected(FILES[:1], refused)
    assert not is_rejected([*FILES, ("/media/three.mp4", 3)], refused)
    assert not is_rejected([("/media/one.mp4", 11)], refused)
    assert not is_rejected([], refused)


def test_last_known_value_is_written_only_if_it_changed(db: sqlite3.Connection) -> None:
    assert last_known.get(db, last_known.SERVER) is None
    assert last_known.put(db, last_known.SERVER, {"name": "<b>", "version": "1"})
    assert not last_known.put(db, last_known.SERVER, {"version": "1", "name": "<b>"})
    assert last_known.get(db, last_known.SERVER) == {"name": "<b>", "version": "1"}

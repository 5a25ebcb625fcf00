"""Filters, order and pages (stash 7.3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.library import generate
from sandbox.stash import StashGraphQLError, StashSim

from .support import running

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

QUERY = """query($s: SceneFilterType, $f: FindFilterType) {
  findScenes(scene_filter: $s, filter: $f) { count scenes { id } } }"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StashSim]:
    with running(tmp_path_factory.mktemp("find"), library=generate(scenes=120)) as stash:
        yield stash


def ids(stash: StashSim, wanted: dict[str, Any] | None = None, **page: Any) -> list[int]:
    answer = stash.gql(QUERY, {"s": wanted or {}, "f": {"per_page": -1, "sort": "id", **page}})["findScenes"]
    assert page or answer["count"] == len(answer["scenes"])
    return [int(scene["id"]) for scene in answer["scenes"]]


def _is(value: Any, modifier: str = "EQUALS", **more: Any) -> dict[str, Any]:
    return {"value": value, "modifier": modifier, **more}


def _expected(stash: StashSim, test: Any) -> list[int]:
    return [scene.id for scene in stash.scenes if test(scene)]


CASES: list[tuple[dict[str, Any], Any]] = [
    ({"organized": True}, lambda s: s.organized),
    ({"organized": False}, lambda s: not s.organized),
    ({"id": _is(50, "GREATER_THAN")}, lambda s: s.id > 50),
    ({"id": _is(50, "LESS_THAN")}, lambda s: s.id < 50),
    ({"id": _is(5, "BETWEEN", value2=9)}, lambda s: 5 <= s.id <= 9),
    ({"id": _is(5, "NOT_BETWEEN", value2=9)}, lambda s: not 5 <= s.id <= 9),
    ({"id": _is(5)}, lambda s: s.id == 5),
    ({"id": _is(5, "NOT_EQUALS")}, lambda s: s.id != 5),
    ({"rating100": _is(0, "IS_NULL")}, lambda s: s.rating100 is None),
    ({"rating100": _is(80, "GREATER_THAN")}, lambda s: s.rating100 is not None and s.rating100 > 80),
    ({"title": _is("quiet %")}, lambda s: s.title.lower().startswith("quiet ")),
    ({"title": _is("quiet %", "NOT_EQUALS")}, lambda s: s.title and not s.title.lower().startswith("quiet ")),
    ({"title": _is("quiet garden", "INCLUDES")}, lambda s: "quiet" in s.title.lower() or "garden" in s.title.lower()),
    ({"title": _is('"n gar"', "INCLUDES")}, lambda s: "n gar" in s.title.lower()),
    ({"title": _is("quiet", "EXCLUDES")}, lambda s: s.title and "quiet" not in s.title.lower()),
    ({"title": _is("^Q.*[05]$", "MATCHES_REGEX")}, lambda s: s.title.startswith("Q") and s.title[-1] in "05"),
    ({"title": _is("^Q", "NOT_MATCHES_REGEX")}, lambda s: not s.title.startswith("Q")),
    ({"title": _is("", "IS_NULL")}, lambda s: not s.title),
    ({"details": _is("", "NOT_NULL")}, lambda s: s.details.strip()),
    ({"path": _is('"/data/A/first"', "INCLUDES")}, lambda s: s.id in (4, 101)),
    ({"date": _is("2019")}, lambda s: s.date == "2019"),
    ({"date": _is("", "IS_NULL")}, lambda s: s.date is None),
    ({"studios": _is(["1"], "INCLUDES")}, lambda s: s.studio_id == 1),
    ({"studios": _is(["1", "2"], "EXCLUDES")}, lambda s: s.studio_id not in (1, 2)),
    ({"studios": _is([], "IS_NULL")}, lambda s: s.studio_id is None),
    ({"performers": _is(["1", "3"], "INCLUDES_ALL")}, lambda s: {1, 3} <= set(s.performer_ids)),
    (
        {"performers": _is(["1"], "INCLUDES", excludes=["3"])},
        lambda s: 1 in s.performer_ids and 3 not in s.performer_ids,
    ),
    ({"tags": _is(["4"], "INCLUDES")}, lambda s: 4 in s.tag_ids),
    ({"tags": _is(["1", "2"], "EQUALS")}, lambda s: set(s.tag_ids) == {1, 2}),
    ({"tag_count": _is(5, "GREATER_THAN")}, lambda s: len(s.tag_ids) > 5),
    ({"performer_count": _is(0)}, lambda s: not s.performer_ids),
    ({"file_count": _is(1, "GREATER_THAN")}, lambda s: len(s.file_ids) > 1),
    ({"groups": _is(["1"], "INCLUDES")}, lambda s: any(number == 1 for number, _ in s.groups)),
    ({"is_missing": "studio"}, lambda s: s.studio_id is None),
    ({"is_missing": "cover"}, lambda s: s.cover is None),
    ({"is_missing": "details"}, lambda s: not s.details.strip()),
    ({"is_missing": "stash_id"}, lambda s: not s.stash_ids),
    ({"is_missing": "phash"}, lambda s: not s.file_ids),
    ({"stash_id_endpoint": {"modifier": "NOT_NULL"}}, lambda s: s.stash_ids),
    ({"stash_id_endpoint": {"stash_id": "x-1", "modifier": "EQUALS"}}, lambda s: s.id in (22, 119)),
    ({"url": _is("", "IS_NULL")}, lambda s: not s.urls),
    ({"organized": True, "NOT": {"studios": _is(["1"], "INCLUDES")}}, lambda s: s.organized and s.studio_id != 1),
    ({"id": _is(3), "OR": {"id": _is(7)}}, lambda s: s.id in (3, 7)),
    ({"id": _is(90, "GREATER_THAN"), "OR": {"id": _is(7)}}, lambda s: s.id > 90 or s.id == 7),
    ({"id": _is(90, "GREATER_THAN"), "AND": {"organized": True}}, lambda s: s.id > 90 and s.organized),
    ({"has_markers": "true"}, lambda s: False),
    ({"interactive": False}, lambda s: True),
    ({"play_count": _is(0)}, lambda s: True),
    ({"tags_filter": {"name": _is("Black, White")}}, lambda s: 4 in s.tag_ids),
    ({"performers_filter": {"name": _is("ada adler")}}, lambda s: {1, 2} & set(s.performer_ids)),
    ({"studios_filter": {"name": _is("Ember")}}, lambda s: s.studio_id == 6),
    ({"groups_filter": {"scenes_filter": {"id": _is(0, "GREATER_THAN")}}}, lambda s: s.groups),
]


@pytest.mark.parametrize(
    ("wanted", "test"), CASES, ids=lambda value: str(value)[:60] if isinstance(value, dict) else ""
)
def test_filter_returns_the_matching_rows(found: StashSim, wanted: dict[str, Any], test: Any) -> None:
    assert ids(found, wanted) == _expected(found, test)


def test_depth_includes_descendants(found: StashSim) -> None:
    parent, child = next((s.parent_id, s.id) for s in found.store.studios if s.parent_id)
    flat = ids(found, {"studios": _is([str(parent)], "INCLUDES")})
    deep = ids(found, {"studios": _is([str(parent)], "INCLUDES", depth=-1)})
    assert set(flat) < set(deep)
    assert set(_expected(found, lambda s: s.studio_id in (parent, child))) <= set(deep)


@pytest.mark.parametrize(
    ("value", "modifier", "test"),
    [
        ("2023-11-22T00:00:00", "GREATER_THAN", lambda text: text > "2023-11-22T00:00:00"),
        ("2023-11-22 00:00:00", "GREATER_THAN", lambda text: text > "2023-11-22 00:00:00"),
        ("2024", "GREATER_THAN", lambda text: True),
        ("2024", "LESS_THAN", lambda text: False),
        ("2024-02-01", "LESS_THAN", lambda text: text < "2024-02-01"),
        ("2023-12-01", "BETWEEN", lambda text: text >= "2023-12-01"),
        ("", "IS_NULL", lambda text: False),
    ],
)
def test_times_compare_as_text(found: StashSim, value: str, modifier: str, test: Any) -> None:
    wanted = {"updated_at": _is(value, modifier)}
    assert ids(found, wanted) == _expected(found, lambda scene: test(scene.updated_at))


def test_unsupported_modifier_panics(found: StashSim) -> None:
    with pytest.raises(StashGraphQLError, match="Internal system error"):
        ids(found, {"updated_at": _is("x", "INCLUDES")})


def test_time_offsets_follow_summer_time(found: StashSim) -> None:
    offsets = {scene.created_at[19:] for scene in found.scenes}
    assert offsets == {"+11:00", "+10:00"}


def test_paging(found: StashSim) -> None:
    assert ids(found, per_page=10, page=2) == list(range(11, 21))
    assert ids(found, per_page=10, page=2, direction="DESC") == list(range(110, 100, -1))
    assert len(found.gql("{ findScenes { scenes { id } } }")["findScenes"]["scenes"]) == 25
    wanted = {"id": _is(100, "GREATER_THAN"), "organized": True}
    assert ids(found, wanted, per_page=3) == [s.id for s in found.scenes if s.id > 100 and s.organized][:3]
    query = """query($s: SceneFilterType) {
      findScenes(scene_filter: $s, filter: {per_page: 3, sort: "id"}) { scenes { id } } }"""
    page = found.gql(query, {"s": wanted})["findScenes"]["scenes"]
    assert [int(scene["id"]) for scene in page] == [s.id for s in found.scenes if s.id > 100 and s.organized][:3]


@pytest.mark.parametrize(
    "order",
    [
        *("id", "updated_at", "created_at", "date", "title", "path", "file_mod_time", "play_count", "last_played_at"),
        *(
            "random",
            "random_5",
            "rating",
            "studio",
            "tag_count",
            "duration",
            "filesize",
            "organized",
            "interactive_speed",
        ),
    ],
)
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_sort_order(found: StashSim, order: str, direction: str) -> None:
    assert sorted(ids(found, sort=order, direction=direction)) == [scene.id for scene in found.scenes]


def test_sort_breaks_ties(found: StashSim) -> None:
    times = [found.scene(number).updated_at for number in ids(found, sort="updated_at")]
    assert times == sorted(times)
    ratings = [found.scene(number).rating100 for number in ids(found, sort="rating", direction="DESC")]
    assert ratings == sorted(ratings, key=lambda r: -1 if r is None else r, reverse=True)
    organized = ids(found, {"title": _is("Silver%")}, sort="organized")
    yes = [found.scene(number).title for number in organized if found.scene(number).organized]
    assert yes == sorted(yes, key=lambda title: (title.rsplit(" ", 1)[0].lower(), int(title.rsplit(" ", 1)[1])))
    assert ids(found, sort="random_5") == ids(found, sort="random_5") != ids(found, sort="random_6")


def test_search_words(found: StashSim) -> None:
    assert ids(found, q="quiet -garden") == _expected(
        found, lambda s: _in(found, s, "quiet") and not _in(found, s, "garden")
    )
    assert ids(found, q='"clip 11"') == [11]


def _in(stash: StashSim, scene: Any, word: str) -> bool:
    return any(word in text.lower() for text in (scene.title, scene.details, *stash.paths(scene.id)))


def test_sums_are_computed_only_on_request(found: StashSim) -> None:
    answer = found.gql("{ findScenes(filter: {per_page: 0}) { count duration filesize } }")["findScenes"]
    first = [files[0] for scene in found.scenes if (files := found.store.files_of(scene))]
    assert answer["count"] == 120
    assert answer["duration"] == pytest.approx(sum(file.duration for file in first))
    assert answer["filesize"] == sum(file.size for file in first)


@pytest.mark.parametrize(
    ("root", "rows", "wanted"),
    [
        ("findPerformers", "performers", 'performer_filter: {name: {value: "ada", modifier: INCLUDES}}'),
        ("findStudios", "studios", "studio_filter: {child_count: {value: 0, modifier: GREATER_THAN}}"),
        ("findTags", "tags", "tag_filter: {scene_count: {value: 3, modifier: GREATER_THAN}}"),
        ("findGroups", "groups", 'group_filter: {name: {value: "%1", modifier: EQUALS}}'),
    ],
)
def test_find_of_other_types(found: StashSim, root: str, rows: str, wanted: str) -> None:
    answer = found.gql(
        f'{{ {root}({wanted}, filter: {{per_page: -1, sort: "name"}}) {{ count {rows} {{ id name }} }} }}'
    )
    assert 0 < answer[root]["count"] == len(answer[root][rows])
    some = answer[root][rows][0]["id"]
    assert found.gql(f"{{ {root}(ids: [{some}]) {{ {rows} {{ id }} }} }}")[root][rows] == [{"id": some}]
    single = root.removesuffix("s")
    assert found.gql(f'{{ {single}(id: "{some}") {{ id created_at }} }}')[single]["id"] == some
    assert found.gql(f'{{ {single}(id: "99999") {{ id }} }}')[single] is None


def test_large_library_is_paged_quickly(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("large"), library=generate(scenes=5000)) as stash:
        query = """query($after: Int!) { findScenes(filter: {per_page: 500, sort: "id"},
            scene_filter: {id: {value: $after, modifier: GREATER_THAN}}) { scenes { id title files { path } } } }"""
        seen, after, began = 0, 0, time.monotonic()
        while page := stash.gql(query, {"after": after})["findScenes"]["scenes"]:
            seen, after = seen + len(page), int(page[-1]["id"])
        assert seen == 5000
        assert time.monotonic() - began < 10
        batch = (
            "{"
            + " ".join(f"s{n}: findScene(id: {n * 200}) {{ id title performers {{ name }} }}" for n in range(1, 21))
            + "}"
        )
        assert len(stash.gql(batch)) == 20

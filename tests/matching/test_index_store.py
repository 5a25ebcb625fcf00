"""The library index: built page by page, refreshed in small steps, and replaced where it is damaged."""

from __future__ import annotations

import os
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from matching.index_store import FILE, IndexedFile, PlexCache, RefreshResult
from plex.client import Library, PlexClient
from plex.exceptions import PlexError
from plex.items import Part
from plex.listing import has_metadata, listing_pages
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection
from sandbox.plex.model import Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=13)]

NAME = "Zoë スタジオ"
LISTING = "GET /library/sections/{k}/all"


class Ticking:
    """Epoch seconds that a test moves."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def plex(clock: Ticking) -> Iterator[PlexSim]:
    with PlexSim(clock=clock) as found:
        yield found


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[PlexCache]:
    with closing(PlexCache(str(tmp_path))) as found:
        yield found


@pytest.fixture
def sections(plex: PlexSim, scenes: SimSection) -> list[Library]:
    return [Library(scenes.key, scenes.title, "movie")]


BuildIndex = Callable[[], None]


@pytest.fixture
def built(plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library]) -> BuildIndex:
    """Return a function that assigns the index to the server and builds it."""

    def build() -> None:
        cache.belongs_to(client.machine_identifier, sections)
        cache.build(client, sections)
        plex.reset_counters()

    return build


def keys(found: list[IndexedFile]) -> list[int]:
    return [known.rating_key for known in found]


def test_build_reads_a_library_in_pages_of_a_thousand(
    plex: PlexSim, client: PlexClient, cache: PlexCache, scenes: SimSection, sections: list[Library]
) -> None:
    plex.load(scenes, [(f"/data/{number % 30}/{number}.mp4", number, 60.5) for number in range(3_000)])
    client.connect()
    begun = time.perf_counter()
    assert cache.build(client, sections) == 3_000
    assert time.perf_counter() - begun < 5
    assert plex.counters[LISTING] == 3
    assert cache.size() == 3_000
    begun = time.perf_counter()
    found = cache.find(f"/data/{number % 30}/{number}.mp4" for number in range(3_000))
    assert time.perf_counter() - begun < 1
    assert [known.part.size for known in found] == list(range(3_000))
    assert found[7] == IndexedFile(plex.items[7].rating_key, scenes.key, Part("/data/7/7.mp4", 7, 60.5))
    assert plex.hidden_reloads == 0


@pytest.mark.parametrize("cap", [1, 7, 100])
def test_build_with_short_pages_reads_to_the_end(
    plex: PlexSim, client: PlexClient, cache: PlexCache, scenes: SimSection, sections: list[Library], cap: int
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(40)])
    plex.assumptions.page_cap = cap
    assert cache.build(client, sections) == 40
    assert plex.counters[LISTING] == -(-40 // cap)
    assert len(cache.find(f"/data/{number}.mp4" for number in range(40))) == 40


def test_build_in_two_processes_at_once_stores_each_item_once(
    tmp_path: Path, plex: PlexSim, scenes: SimSection, client: PlexClient, sections: list[Library]
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(1, 31)])
    with closing(PlexCache(str(tmp_path))) as one, closing(PlexCache(str(tmp_path))) as other:
        other._known = lambda rows: {}  # type: ignore[method-assign]  # as it was when it looked
        for cache in (one, other):
            cache.belongs_to("machine", sections)
            cache.build(client, sections)
        assert other.size() == 30
        assert len(other.find([f"/data/{number}.mp4" for number in range(1, 31)])) == 30


def test_build_of_an_empty_library_is_one_request(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library]
) -> None:
    assert cache.build(client, sections) == 0
    assert plex.counters[LISTING] == 1


def test_build_reads_only_the_chosen_libraries(plex: PlexSim, client: PlexClient, cache: PlexCache) -> None:
    chosen = [plex.add_section("One"), plex.add_section("Two")]
    other = plex.add_section("Other")
    twice = [plex.add_item(section, [("/data/twice.mp4", 1, 1.0)]) for section in chosen]
    plex.add_item(other, [("/data/twice.mp4", 1, 1.0)])
    cache.build(client, [Library(section.key, section.title, "movie") for section in chosen])
    found = cache.find(["/data/twice.mp4"])
    assert keys(found) == [item.rating_key for item in twice]
    assert [known.section for known in found] == [section.key for section in chosen]


def test_find_returns_files_in_the_order_of_the_paths(
    plex: PlexSim, cache: PlexCache, scenes: SimSection, built: BuildIndex
) -> None:
    first = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0), ("/data/a.mkv", 2, 1.0)])
    second = plex.add_item(scenes, [("/data/b.mp4", 1, 1.0)])
    built()
    assert keys(cache.find(["/data/b.mp4", "/nowhere", "/data/a.mkv"])) == [second.rating_key, first.rating_key]
    assert [known.part.path for known in cache.find(["/data/a.mkv", "/data/a.mp4"])] == ["/data/a.mkv", "/data/a.mp4"]


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_find_treats_both_unicode_forms_as_one_path(
    plex: PlexSim, cache: PlexCache, scenes: SimSection, built: BuildIndex, stored: str, asked: str
) -> None:
    item = plex.add_item(scenes, [(f"/data/{unicodedata.normalize(stored, NAME)}.mp4", 1, 1.0)])  # type: ignore[arg-type]
    built()
    found = cache.find([f"/data/{unicodedata.normalize(asked, NAME)}.mp4"])  # type: ignore[arg-type]
    assert keys(found) == [item.rating_key]
    assert found[0].part.path == next(item.parts()).file


def test_find_matches_paths_exactly(plex: PlexSim, cache: PlexCache, scenes: SimSection, built: BuildIndex) -> None:
    plex.add_item(scenes, [("/data/a/Scene.mp4", 1, 1.0)])
    built()
    assert cache.find(["/data/a/scene.mp4", "/data/b/Scene.mp4", "Scene.mp4", "/data/a/Scene.mp", "%"]) == []


def test_build_ignores_optimized_versions(
    plex: PlexSim, cache: PlexCache, scenes: SimSection, built: BuildIndex
) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)], optimized=[("/data/Plex Versions/a.mp4", 1, 1.0)])
    built()
    assert cache.find(["/data/Plex Versions/a.mp4"]) == []
    assert len(cache.find(["/data/a.mp4"])) == 1


def test_refresh_finds_new_items_with_two_requests(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection,
) -> None:  # fmt: skip
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(500)])
    built()
    clock.now += 60
    new = plex.add_item(scenes, [("/data/new.mp4", 1, 1.0)])
    assert cache.refresh(client, sections) == RefreshResult(1)
    assert keys(cache.find(["/data/new.mp4"])) == [new.rating_key]
    assert plex.counters[LISTING] <= 4
    assert cache.size() == 501


def test_refresh_of_an_unchanged_library_reads_little(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(1_500)])
    built()
    assert cache.refresh(client, sections) == RefreshResult(0)
    assert plex.counters[LISTING] == 2
    plex.reset_counters()
    assert cache.refresh(client, sections, thorough=False) == RefreshResult(0)
    assert plex.counters[LISTING] == 1


def test_refresh_after_our_own_edits_reads_no_more(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection,
) -> None:  # fmt: skip
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(2_500)])
    built()
    clock.now += 60
    for item in list(plex.items)[:300]:
        client.edit(scenes.key, item.rating_key, "title.value=Ours&title.locked=1")
    plex.reset_counters()
    cache.refresh(client, sections)  # takes them in
    plex.reset_counters()
    assert cache.refresh(client, sections, thorough=False) == RefreshResult(0)
    assert plex.counters[LISTING] == 1


def test_refresh_of_an_index_that_lacks_items_is_incomplete(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(300)])
    built()
    cache.forget(plex.items[150].rating_key)  # no look that ends at the first known page gets there
    assert cache.refresh(client, sections) == RefreshResult(0, incomplete=True)
    cache.build(client, sections)
    assert cache.refresh(client, sections) == RefreshResult(0)


def test_build_again_stores_only_changed_items(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    items = [plex.add_item(scenes, [(f"/data/{number}.mp4", number, 1.0)]) for number in range(20)]
    built()
    assert cache.build_and_compare(client, sections) == (20, 0)
    items[3].title = "Another"
    plex.remove_item(items[4].rating_key)
    assert cache.build_and_compare(client, sections) == (19, 2)


@pytest.mark.parametrize("reading", ["basename", "folder"])
def test_look_up_finds_an_item_by_its_file_name(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection, reading: str,
) -> None:  # fmt: skip
    built()
    plex.assumptions.file_lookup = reading
    for name in ("a & b+c#1.mp4", "other.mp4"):
        plex.add_item(scenes, [(f"/data/x/{name}", 7, 1.0)])
    asked = "a & b+c#1.mp4" if reading == "basename" else "/data/x/a & b+c#1.mp4"
    assert cache.look_up(client, sections, asked) >= 1
    assert len(cache.find(["/data/x/a & b+c#1.mp4"])) == 1
    assert plex.counters[LISTING] == 1


def test_look_up_with_too_many_pages_ends_early(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    built()
    plex.load(scenes, [(f"/data/{number}/same.mp4", number, 1.0) for number in range(40)])
    plex.assumptions.page_cap = 5
    assert cache.look_up(client, sections, "same.mp4") == 15
    assert plex.counters[LISTING] == 3


def test_evidence_changes_only_with_items_of_the_same_name(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    asked = [("/data/a.mp4", 1)]
    built()
    assert cache.evidence(asked) == ""
    first = plex.add_item(scenes, [("/data/x/a.mp4", 1, 1.0)])
    built()
    one = cache.evidence(asked)
    first.title = "Renamed in Plex"
    plex.add_item(scenes, [("/data/x/b.mp4", 1, 1.0)])
    built()
    assert cache.evidence(asked) == one
    plex.add_item(scenes, [("/data/y/a.mp4", 2, 1.0)])
    built()
    assert cache.evidence(asked) not in ("", one)


def test_queries_by_name_and_by_path_use_an_index(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    built()
    for column in ("base_key", "path_key"):
        [row] = cache._db.execute(f"EXPLAIN QUERY PLAN SELECT rating_key FROM parts WHERE {column} = 1").fetchall()
        assert "USING INDEX parts_by_" in row[3] or "USING COVERING INDEX parts_by_" in row[3]


def test_refresh_finds_more_new_items_than_fit_the_first_page(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection,
) -> None:  # fmt: skip
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(50)])
    built()
    clock.now += 60
    plex.load(scenes, [(f"/data/new/{number}.mp4", number, 1.0) for number in range(230)])
    cache.refresh(client, sections)
    assert len(cache.find(f"/data/new/{number}.mp4" for number in range(230))) == 230


def test_refresh_finds_an_old_item_whose_file_was_replaced(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection,
) -> None:  # fmt: skip
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(300)])
    built()
    clock.now += 60
    item = plex.items[7]
    next(item.parts()).file = "/data/renamed.mp4"
    item.updated_at = int(clock.now)
    cache.refresh(client, sections)
    assert keys(cache.find(["/data/renamed.mp4"])) == [item.rating_key]
    assert cache.find(["/data/7.mp4"]) == []


def test_refresh_finds_a_new_item_with_an_old_updated_at(
    plex: PlexSim, clock: Ticking, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex,
    scenes: SimSection,
) -> None:  # fmt: skip
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(300)])
    built()
    clock.now += 60
    new = plex.add_item(scenes, [("/data/copied.mp4", 1, 1.0)])
    new.updated_at = 1_000_000_000
    cache.refresh(client, sections)
    assert keys(cache.find(["/data/copied.mp4"])) == [new.rating_key]


def test_build_drops_items_that_are_gone(
    plex: PlexSim, client: PlexClient, cache: PlexCache, sections: list[Library], built: BuildIndex, scenes: SimSection
) -> None:
    gone = plex.add_item(scenes, [("/data/gone.mp4", 1, 1.0)])
    plex.add_item(scenes, [("/data/stays.mp4", 1, 1.0)])
    built()
    plex.remove_item(gone.rating_key)
    cache.refresh(client, sections)
    assert cache.build(client, sections) == 1
    assert cache.find(["/data/gone.mp4"]) == []
    assert len(cache.find(["/data/stays.mp4"])) == 1
    assert cache.size() == 1


def test_build_that_fails_keeps_the_items_and_is_not_complete(
    plex: PlexSim, client: PlexClient, tmp_path: Path, sections: list[Library], scenes: SimSection
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(30)])
    plex.assumptions.page_cap = 10
    with closing(PlexCache(str(tmp_path))) as cache:
        assert not cache.belongs_to(client.machine_identifier, sections)
        cache.build(client, sections)
        assert cache.belongs_to(client.machine_identifier, sections)
        two = [*sections, Library(plex.add_section("Two").key, "Two", "movie")]
        assert not cache.belongs_to(client.machine_identifier, two)
        cache.build(client, sections[:1])
        plex.faults.set(status=500, only="GET /library/sections/2/all")
        with pytest.raises(PlexError):
            cache.build(client, two)
        plex.faults.clear()
        assert cache.size() == 30
    with closing(PlexCache(str(tmp_path))) as again:
        assert not again.belongs_to(client.machine_identifier, two)


def test_belongs_to_another_server_or_library_empties_the_index(
    plex: PlexSim, client: PlexClient, tmp_path: Path, sections: list[Library], scenes: SimSection
) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    with closing(PlexCache(str(tmp_path))) as cache:
        assert not cache.belongs_to("one", sections)
        cache.build(client, sections)
        assert cache.belongs_to("one", sections)
        assert cache.size() == 1
        assert not cache.belongs_to("another", sections)
        assert (cache.size(), cache.find(["/data/a.mp4"])) == (0, [])
        cache.build(client, sections)
        assert cache.belongs_to("another", sections)
        assert not cache.belongs_to("another", [Library(9, "Nine", "movie")])
        assert cache.size() == 0


def test_index_is_kept_for_the_next_process(
    plex: PlexSim, client: PlexClient, tmp_path: Path, sections: list[Library], scenes: SimSection
) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    with closing(PlexCache(str(tmp_path))) as cache:
        cache.belongs_to("m", sections)
        cache.build(client, sections)
    with closing(PlexCache(str(tmp_path))) as again:
        assert again.belongs_to("m", sections)
        assert keys(again.find(["/data/a.mp4"])) == [item.rating_key]
    assert stat.S_IMODE(os.stat(tmp_path / FILE).st_mode) == 0o600


def test_forget_drops_one_item_only(plex: PlexSim, cache: PlexCache, scenes: SimSection, built: BuildIndex) -> None:
    wrong = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0), ("/data/b.mp4", 1, 1.0)])
    right = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    built()
    cache.forget(wrong.rating_key)
    assert keys(cache.find(["/data/a.mp4", "/data/b.mp4"])) == [right.rating_key]
    assert cache.size() == 1
    cache.forget(wrong.rating_key)
    assert cache.size() == 1


@pytest.mark.parametrize("content", [b"no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 4096])
def test_open_damaged_file_puts_it_aside_and_starts_anew(
    plex: PlexSim, client: PlexClient, tmp_path: Path, sections: list[Library], scenes: SimSection, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    aside = tmp_path / "aside"
    with closing(PlexCache(str(tmp_path), lambda path: os.replace(path, aside))) as cache:
        assert not cache.belongs_to(client.machine_identifier, sections)
        cache.build(client, sections)
        assert len(cache.find(["/data/a.mp4"])) == 1
    assert aside.read_bytes() == content


def test_open_empty_file_is_a_new_index(tmp_path: Path, sections: list[Library]) -> None:
    (tmp_path / FILE).touch()
    aside: list[str] = []
    with closing(PlexCache(str(tmp_path), aside.append)) as cache:
        assert not cache.belongs_to("m", sections)
        assert cache.size() == 0
    assert aside == []


def test_listing_pages_come_in_the_requested_order(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    for number in range(5):
        plex.add_item(scenes, [(f"/data/{number}.mp4", 1, 1.0)]).updated_at = 1_000 + number * 7 % 5
    [page] = listing_pages(client, scenes.key, "updatedAt:desc")
    assert [int(video.get("updatedAt", "0")) for video in page.videos] == [1004, 1003, 1002, 1001, 1000]
    assert [len(page.videos) for page in listing_pages(client, scenes.key, first=2)] == [2, 3]


@pytest.mark.parametrize("field", ["studio", "summary", "originally_available_at"])
def test_has_metadata_with_one_text_is_true(plex: PlexSim, client: PlexClient, scenes: SimSection, field: str) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    [([before], _)] = listing_pages(client, scenes.key)
    assert not has_metadata(before)
    setattr(item, field, "2021-01-01")
    [([after], _)] = listing_pages(client, scenes.key)
    assert has_metadata(after)


@pytest.mark.parametrize("kind", ["genre", "actor"])
def test_has_metadata_with_one_tag_is_true(plex: PlexSim, client: PlexClient, scenes: SimSection, kind: str) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)]).tag_list(kind).append(Tag("x"))
    [([video], _)] = listing_pages(client, scenes.key)
    assert has_metadata(video)


def test_open_file_damaged_in_the_middle_starts_anew(
    plex: PlexSim, client: PlexClient, tmp_path: Path, sections: list[Library], scenes: SimSection
) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", number, 1.0) for number in range(200)])
    with closing(PlexCache(str(tmp_path))) as cache:
        cache.belongs_to("m", sections)
        cache.build(client, sections)
    with open(tmp_path / FILE, "r+b") as file:
        file.seek(4096)
        file.write(b"\x77" * (os.path.getsize(tmp_path / FILE) - 4096))
    with closing(PlexCache(str(tmp_path))) as again:
        if not again.belongs_to("m", sections):
            again.build(client, sections)
        assert len(again.find(["/data/7.mp4"])) == 1

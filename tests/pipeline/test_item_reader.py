"""Reading items in full, and prefetching them: no additional request, and never an old answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.scene import SceneFile
from matching.refresh_policy import WAITING_INTERVAL_S, Urgency
from pipeline.item_reader import PREFETCH_MAX_AGE_S
from pipeline.plex_session import PlexSession
from plex.exceptions import PlexServerDown
from sandbox.plex import PlexSim
from sandbox.plex.model import Item
from settings.config import Stash2PlexConfig
from tests.worker.support import Bench, Clock, scene

pytestmark = pytest.mark.integration

ITEMS = "GET /library/metadata/{ids}"


@pytest.fixture
def items(plex: PlexSim) -> list[Item]:
    section = plex.add_section("Scenes", ["/data"])
    return [plex.add_item(section, [(f"/data/{number}.mp4", 1, 1.0)]) for number in range(3)]


@pytest.fixture
def session(plex: PlexSim, items: list[Item], tmp_path: Path, clock: Clock) -> Iterator[PlexSession]:
    config = Stash2PlexConfig.from_settings({"plex_url": plex.url, "plex_token": plex.token, "read_timeout": 5})
    session = PlexSession(config, str(tmp_path), clock)
    yield session
    session.close()


@pytest.fixture
def used(session: PlexSession, plex: PlexSim) -> PlexSession:
    """A session that has read its library."""
    assert session.matcher.match([SceneFile("/data/0.mp4")])[0] is not None
    plex.reset_counters()
    return session


def keys(items: list[Item]) -> list[int]:
    return [item.rating_key for item in items]


def has_requests(plex: PlexSim, number: int) -> bool:
    """Return whether so many requests for items arrive within a while."""
    end = time.monotonic() + 10
    while plex.counters[ITEMS] < number and time.monotonic() < end:
        time.sleep(0.005)
    return plex.counters[ITEMS] >= number


def test_prefetched_items_are_used_once(used: PlexSession, plex: PlexSim, items: list[Item]) -> None:
    used.prefetch(keys(items))
    used.prefetch(keys(items)[:2])  # is asked already
    assert used.item_reader.read(keys(items)).keys() == set(keys(items))
    assert plex.counters[ITEMS] == 1
    used.item_reader.read(keys(items))
    assert plex.counters[ITEMS] == 2


def test_read_requests_only_items_that_were_not_prefetched(used: PlexSession, plex: PlexSim, items: list[Item]) -> None:
    first, second, third = keys(items)
    plex.remove_item(second)
    used.prefetch([first, second])
    assert used.item_reader.read([first, second, third]).keys() == {first, third}
    assert plex.counters[ITEMS] == 2


def test_prefetch_for_other_items_is_kept(used: PlexSession, plex: PlexSim, items: list[Item]) -> None:
    first, second, third = keys(items)
    used.prefetch([first, second])
    assert used.item_reader.read([third]).keys() == {third}
    assert used.item_reader.read([first]).keys() == {first}
    assert plex.counters[ITEMS] == 2


def test_prefetch_that_is_too_old_does_not_count(
    used: PlexSession, plex: PlexSim, items: list[Item], clock: Clock
) -> None:
    [key] = keys(items)[:1]
    used.prefetch([key])
    assert has_requests(plex, 1)
    items[0].title = "Changed in Plex"
    clock.now += PREFETCH_MAX_AGE_S
    assert used.item_reader.read([key])[key].title == "Changed in Plex"


def test_prefetch_older_than_the_index_does_not_count(
    used: PlexSession, plex: PlexSim, items: list[Item], clock: Clock
) -> None:
    [key] = keys(items)[:1]
    clock.now += WAITING_INTERVAL_S
    used.prefetch([key])
    assert has_requests(plex, 1)
    clock.now += 0.1
    assert used.index.refresh_if_due(Urgency.WAITING)
    used.item_reader.read([key])
    assert plex.counters[ITEMS] == 2


def test_prefetch_before_the_first_use_requests_nothing(session: PlexSession, plex: PlexSim, items: list[Item]) -> None:
    session.prefetch(keys(items))
    assert not plex.counters
    assert session.item_reader.read(keys(items)).keys() == set(keys(items))


def test_prefetch_error_is_raised_once_by_read(used: PlexSession, plex: PlexSim, items: list[Item]) -> None:
    plex.faults.refuse()
    used.prefetch(keys(items))
    with pytest.raises(PlexServerDown):
        used.item_reader.read(keys(items))
    plex.faults.accept()
    assert used.item_reader.read(keys(items)).keys() == set(keys(items))


def test_items_are_requested_while_stash_answers(bench: Bench, plex: PlexSim) -> None:
    bench.stock(1, 2)
    bench.save(1, 2)
    bench.work()
    plex.reset_counters()
    seen = []
    bench.on_read = lambda scene_ids: seen.append(has_requests(plex, 1))
    bench.save(1, 2)
    bench.work()
    assert seen == [True]
    assert (plex.counters[ITEMS], plex.puts) == (1, 0)


def test_items_of_the_next_batch_are_requested_during_the_writes(bench: Bench, plex: PlexSim) -> None:
    bench.stock(*range(1, 41))
    bench.enqueue(*range(1, 41))
    bench.work()
    plex.reset_counters()
    seen = []
    # The first batch's own, and then those of the second before Stash is asked for it.
    bench.on_read = lambda scene_ids: seen.append(has_requests(plex, len(bench.reads) - 2))
    bench.enqueue(*range(1, 41))
    bench.work()
    assert seen == [True, True]
    assert (plex.counters[ITEMS], plex.puts) == (2, 0)


def test_save_in_between_is_not_overwritten_with_prefetched_items(bench: Bench, plex: PlexSim) -> None:
    items = bench.stock(*range(1, 41))
    bench.enqueue(*range(1, 41))
    bench.work()

    def save(scene_ids: list[int]) -> None:
        if scene_ids[0] == 21 and len(scene_ids) > 1:
            # Already read as it was, and its item prefetched, when the user saves it.
            bench.on_read = lambda scene_ids: None
            bench.scenes[30] = scene(30, details="Newest words")
            bench.save(30)

    bench.on_read = save
    for number in range(1, 41):
        bench.scenes[number] = scene(number, details="Words")
    bench.enqueue(*range(1, 41))
    bench.work()
    assert items[29].summary == "Newest words"
    assert {item.summary for item in items} == {"Words", "Newest words"}

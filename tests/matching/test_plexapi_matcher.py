"""Finding the item of a file through plexapi's libraries."""

from __future__ import annotations

from typing import Any

import pytest

from matching.plexapi_matcher import MatchConfidence, find_plex_items_with_confidence
from plex.client import PlexClient
from plex.exceptions import PlexNotFound, PlexServerDown, PlexTemporaryError
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection

pytestmark = pytest.mark.integration


@pytest.fixture
def library(plex: PlexSim, client: PlexClient, scenes: SimSection) -> Any:
    """plexapi's own library, already known."""
    found = client.server.library.section("Scenes")
    plex.reset_counters()
    return found


def test_find_with_one_item_at_the_path_is_high(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.load(scenes, [(f"/data/{number}/same.mp4", 1, 1.0) for number in range(5)])
    confidence, item, candidates = find_plex_items_with_confidence(library, "/data/3/same.mp4")
    assert confidence is MatchConfidence.HIGH
    assert item.ratingKey == plex.items[3].rating_key
    assert [one.ratingKey for one in candidates] == [item.ratingKey]


@pytest.mark.parametrize("stacked", [False, True], ids=["second version", "second part"])
def test_find_by_any_file_of_an_item_is_high(plex: PlexSim, library: Any, scenes: SimSection, stacked: bool) -> None:
    made = plex.add_item(scenes, [("/data/cd1.mp4", 1, 1.0), ("/data/cd2.mp4", 1, 1.0)], stacked=stacked)
    confidence, item, _ = find_plex_items_with_confidence(library, "/data/cd2.mp4")
    assert (confidence, item.ratingKey) == (MatchConfidence.HIGH, made.rating_key)


def test_find_with_two_items_of_the_same_file_is_low(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    twins = [plex.add_item(scenes, [("/data/twin.mp4", 1, 1.0)]) for _ in range(2)]
    confidence, item, candidates = find_plex_items_with_confidence(library, "/data/twin.mp4")
    assert confidence is MatchConfidence.LOW
    assert item is None
    assert sorted(one.ratingKey for one in candidates) == [twin.rating_key for twin in twins]


def test_find_with_the_file_twice_in_one_item_is_one_candidate(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0), ("/data/a.mp4", 1, 1.0)])
    confidence, item, candidates = find_plex_items_with_confidence(library, "/data/a.mp4")
    assert (confidence, candidates) == (MatchConfidence.HIGH, [item])


def test_find_ignores_the_unicode_form(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.add_item(scenes, [("/data/Zoe\u0308.mp4", 1, 1.0)])
    assert find_plex_items_with_confidence(library, "/data/Zo\xeb.mp4")[0] is MatchConfidence.HIGH


@pytest.mark.parametrize("path", ["/data/other.mp4", "/data/A.mp4", "/data/a.mp", ""])
def test_find_without_an_item_raises_not_found(plex: PlexSim, library: Any, scenes: SimSection, path: str) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    with pytest.raises(PlexNotFound, match="Scenes"):
        find_plex_items_with_confidence(library, path)


@pytest.mark.parametrize("path", ["/elsewhere/a.mp4", "a.mp4"])
def test_find_by_name_alone_is_low(plex: PlexSim, library: Any, scenes: SimSection, path: str) -> None:
    made = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    confidence, item, candidates = find_plex_items_with_confidence(library, path)
    assert (confidence, item) == (MatchConfidence.LOW, None)
    assert [one.ratingKey for one in candidates] == [made.rating_key]


def test_find_ignores_optimized_versions(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)], optimized=[("/data/Plex Versions/TV/a.mp4", 1, 1.0)])
    confidence, item, _ = find_plex_items_with_confidence(library, "/data/Plex Versions/TV/a.mp4")
    assert (confidence, item) == (MatchConfidence.LOW, None)


def test_find_skips_items_without_media(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.add_item(scenes, [], "Not analysed")
    made = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    assert find_plex_items_with_confidence(library, "/data/a.mp4")[1].ratingKey == made.rating_key
    assert plex.hidden_reloads == 0


def test_find_costs_listings_and_no_hidden_reload(plex: PlexSim, library: Any, scenes: SimSection) -> None:
    plex.load(scenes, [(f"/data/{number}.mp4", 1, 1.0) for number in range(120)])
    _, item, _ = find_plex_items_with_confidence(library, "/data/77.mp4")
    assert (item.title, item.tagline, item.summary) == ("77", None, "")
    assert plex.hidden_reloads == 0
    assert set(plex.counters) == {"GET /library/sections/{k}/all"}


@pytest.mark.parametrize(("status", "kind"), [(503, PlexServerDown), (500, PlexTemporaryError)])
def test_find_translates_errors(plex: PlexSim, library: Any, status: int, kind: type[Exception]) -> None:
    plex.faults.status = status
    with pytest.raises(kind) as caught:
        find_plex_items_with_confidence(library, "/data/a.mp4")
    assert type(caught.value) is kind

"""Items as plain data, without hidden requests."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from plex.client import PlexClient
from plex.items import Part, item_parts, parse_int, read_items
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection
from sandbox.plex.model import Tag

pytestmark = pytest.mark.integration


def test_parse_item_returns_all_compared_fields(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    made = plex.add_item(scenes, [("/data/Über & <all>.mp4", 123, 61.5)], "Ünï")
    made.summary = 'Line one\nline "two" <b>'
    made.studio = "A & B"
    made.originally_available_at = "2021-03-04"
    made.tagline = "T"
    made.user_rating = 7.4
    made.genres.extend(Tag(f"Genre {parse_int}") for parse_int in range(9))
    made.roles.extend(Tag(f"Actor {parse_int}", "herself") for parse_int in range(9))
    made.directors.append(Tag("D"))
    made.collections.append(Tag("C"))
    made.labels.append(Tag("L"))
    made.locks.update({"title", "genre"})
    [item] = read_items(client, [made.rating_key]).values()
    assert (item.rating_key, item.section, item.title) == (made.rating_key, scenes.key, "Ünï")
    assert item.parts == (Part("/data/Über & <all>.mp4", 123, 61.5),)
    assert item.scalars == {
        "title": "Ünï",
        "summary": 'Line one\nline "two" <b>',
        "studio": "A & B",
        "originallyAvailableAt": "2021-03-04",
        "tagline": "T",
    }
    assert item.tags == {
        "genre": [f"Genre {parse_int}" for parse_int in range(9)],
        "actor": [f"Actor {parse_int}" for parse_int in range(9)],
        "director": ["D"],
        "collection": ["C"],
        "label": ["L"],
    }
    assert item.rating == 7.4
    assert item.locked == {"title", "genre"}


def test_parse_item_absent_fields_are_empty(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    made = plex.add_item(scenes, [("/data/a.mp4", None, 1.0)])
    [item] = read_items(client, [made.rating_key]).values()
    assert item.scalars == {"title": "a", "summary": "", "studio": "", "originallyAvailableAt": "", "tagline": ""}
    assert item.rating is None
    assert item.locked == frozenset()
    assert item.parts == (Part("/data/a.mp4", None, 1.0),)


def test_parse_item_rating_zero_is_kept(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    made = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    made.user_rating = 0.0
    assert read_items(client, [made.rating_key])[made.rating_key].rating == 0.0


def test_item_parts_omit_optimized_versions(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    versions = plex.add_item(
        scenes, [("/data/a.mp4", 1, 1.0), ("/data/a.mkv", 2, 1.0)], optimized=[("/data/Plex Versions/a.mp4", 3, 1.0)]
    )
    stacked = plex.add_item(scenes, [("/data/cd1.mp4", 1, 1.0), ("/data/cd2.mp4", 1, 1.0)], stacked=True)
    items = read_items(client, [versions.rating_key, stacked.rating_key])
    assert [part.path for part in items[versions.rating_key].parts] == ["/data/a.mp4", "/data/a.mkv"]
    assert [part.path for part in items[stacked.rating_key].parts] == ["/data/cd1.mp4", "/data/cd2.mp4"]


def test_read_items_requests_a_hundred_at_a_time(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    plex.load(scenes, [(f"/data/{parse_int}.mp4", parse_int, 1.0) for parse_int in range(250)])
    keys = [item.rating_key for item in plex.items]
    items = read_items(client, keys + keys)
    assert sorted(items) == keys
    assert all(items[item.rating_key].title == item.title for item in plex.items)
    assert plex.counters["GET /library/metadata/{ids}"] == 3


def test_read_items_omits_items_that_do_not_exist(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    made = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    assert list(read_items(client, [made.rating_key, 777])) == [made.rating_key]
    assert read_items(client, [777, 778]) == {}


def test_read_items_without_keys_sends_nothing(plex: PlexSim, client: PlexClient) -> None:
    assert read_items(client, []) == {}
    assert not plex.counters


def test_read_items_of_two_libraries_have_their_section(plex: PlexSim, client: PlexClient) -> None:
    one, two = plex.add_section("One"), plex.add_section("Two")
    first = plex.add_item(one, [("/data/a.mp4", 1, 1.0)])
    second = plex.add_item(two, [("/data/b.mp4", 1, 1.0)])
    items = read_items(client, [first.rating_key, second.rating_key])
    assert (items[first.rating_key].section, items[second.rating_key].section) == (one.key, two.key)


def test_item_parts_accept_missing_files_and_odd_numbers() -> None:
    video = ElementTree.fromstring(
        '<Video><Media><Part/><Part file=""/><Part file="/a" size="x" duration=""/></Media><Media/></Video>'
    )
    assert item_parts(video) == [Part("/a", None, None)]


@pytest.mark.parametrize(
    ("text", "expected"), [("12", 12), ("0", 0), (None, None), ("", None), ("-1", None), ("1.5", None)]
)
def test_parse_int_accepts_whole_numbers_only(text: str | None, expected: int | None) -> None:
    assert parse_int(text) == expected

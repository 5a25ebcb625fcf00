"""Listings, file look-ups, filters and sort orders over HTTP (plex 3)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from sandbox.plex import PlexSim, Section, Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


def fetch(plex: PlexSim, http: requests.Session, query: str, path: str = "all", **headers: str) -> ElementTree.Element:
    answer = http.get(f"{plex.url}/library/sections/1/{path}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return ElementTree.fromstring(answer.content)


def keys(root: ElementTree.Element) -> list[int]:
    return [int(item.attrib["ratingKey"]) for item in root if "ratingKey" in item.attrib]


def test_paging_by_query_and_by_header(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    root = fetch(plex, http, "type=1&X-Plex-Container-Start=5&X-Plex-Container-Size=4")
    assert (root.attrib["size"], root.attrib["totalSize"], root.attrib["offset"]) == ("4", "12", "5")
    assert keys(root) == [6, 7, 8, 9]
    root = fetch(plex, http, "type=1", **{"X-Plex-Container-Start": "10", "X-Plex-Container-Size": "4"})
    assert keys(root) == [11, 12]
    root = fetch(plex, http, "type=1&X-Plex-Container-Size=0")
    assert (root.attrib["size"], root.attrib["totalSize"], len(root)) == ("0", "12", 0)
    root = fetch(plex, http, "type=1")
    assert "totalSize" not in root.attrib
    assert "offset" not in root.attrib
    assert len(root) == 12
    plex.assumptions.page_cap = 3
    assert len(fetch(plex, http, "type=1&X-Plex-Container-Size=50")) == 3


def test_unknown_section_or_item_is_404(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    for path in (
        "/library/sections/9/all?type=1",
        "/library/metadata/99",
        "/nothing/here",
        "/library/sections/1/nonsense",
    ):
        answer = http.get(plex.url + path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/html"
        assert "<h1>404 Not Found</h1>" in answer.text
    assert http.post(f"{plex.url}/library/metadata/1").status_code == 404
    assert fetch(plex, http, "type=2").attrib["size"] == "0"


def test_metadata_of_several_items(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    answer = http.get(f"{plex.url}/library/metadata/3,99,1%2C2")
    assert keys(ElementTree.fromstring(answer.content)) == [3, 1, 2]
    assert plex.hidden_reloads == 0
    http.get(f"{plex.url}/library/metadata/3,1?includeBandwidths=1")
    assert plex.hidden_reloads == 0
    http.get(f"{plex.url}/library/metadata/3?includeBandwidths=1")
    assert plex.hidden_reloads == 1
    assert plex.counters["GET /library/metadata/{ids}"] == 3
    plex.reset_counters()
    assert (plex.hidden_reloads, plex.counters, plex.requests) == (0, {}, [])


def test_request_log_has_every_request(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    fetch(plex, http, "type=1&title=a%20b+c")
    (line,) = plex.requests
    assert (line.method, line.path, line.status) == ("GET", "/library/sections/1/all", 200)
    assert line.query == [("type", "1"), ("title", "a b c")]
    assert line.duration >= 0


@pytest.fixture
def shared(plex: PlexSim, scenes: Section) -> Section:
    """Files that share names and folders."""
    plex.load(scenes, [("/data/x/same.mp4", 1, 1), ("/data/y/same.mp4", 2, 1), ("/data/y/other.mp4", 3, 1)])
    return scenes


def test_file_filter_finds_by_base_name(plex: PlexSim, shared: Section, http: requests.Session) -> None:
    assert keys(fetch(plex, http, "type=1&file=same.mp4")) == [13, 14]
    assert keys(fetch(plex, http, "type=1&file=%2Fdata%2Fy%2Fsame.mp4")) == [13, 14]
    assert keys(fetch(plex, http, "type=1&file=scene")) == []
    assert http.get(f"{plex.url}/library/sections/1/all?file=same.mp4").status_code == 500


def test_file_filter_may_return_a_whole_folder(plex: PlexSim, shared: Section, http: requests.Session) -> None:
    plex.file_lookup = "folder"
    assert keys(fetch(plex, http, "type=1&file=%2Fdata%2Fy%2Fsame.mp4")) == [14, 15]
    assert keys(fetch(plex, http, "type=1&file=other.mp4&X-Plex-Container-Start=1&X-Plex-Container-Size=5")) == [15]
    with pytest.raises(ValueError, match="nonsense"):
        plex.file_lookup = "nonsense"


@pytest.mark.parametrize(
    ("path", "base"),
    [
        (r"D:\Scenes\a\b c.mp4", "b c.mp4"),
        (r"\\nas\share\x.mp4", "x.mp4"),
        ("\\\\?\\D:\\long\\y.mp4", "y.mp4"),
        ("/data/back\\slash.mp4", "back\\slash.mp4"),
        ("/data/Mu\u0308ller & \"Co\" <1> 100% #1+.mp4", "Mu\u0308ller & \"Co\" <1> 100% #1+.mp4"),
        ("/data/😀.mp4", "😀.mp4"),
    ],
)  # fmt: skip
def test_path_is_never_read_from_disk(
    plex: PlexSim, scenes: Section, http: requests.Session, path: str, base: str
) -> None:
    item = plex.add_item(scenes, [(path, 5, 1)])
    assert item.title == base.rpartition(".")[0]
    answer = http.get(f"{plex.url}/library/sections/1/all", params={"type": "1", "file": base})
    root = ElementTree.fromstring(answer.content)
    assert [part.attrib["file"] for part in root.iter("Part")] == [path]
    assert plex.find(path) is item


def test_renamed_part_is_found_under_its_new_name(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert plex.find("/data/0/scene 00.mp4") is plex.item(1)
    plex.item(1).media[0].parts[0].file = "/data/new.mp4"
    assert plex.find("/data/0/scene 00.mp4") is None
    assert plex.find("/data/new.mp4") is plex.item(1)
    assert keys(fetch(plex, http, "type=1&file=new.mp4")) == [1]
    assert fetch(plex, http, "type=1&id=1").find("Video/Media/Part").attrib["file"] == "/data/new.mp4"  # type: ignore[union-attr]


def test_versions_stacked_parts_and_items_without_media(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.add_item(
        scenes, [("/data/v1.mp4", 1, 1), ("/data/v2.mkv", 2, 1)], optimized=[("/data/Plex Versions/v.mp4", 3, 1)]
    )
    plex.add_item(scenes, [("/data/cd1.avi", 1, 1), ("/data/cd2.avi", 2, 2)], stacked=True)
    plex.add_item(scenes, [])
    versions, stack, bare = (fetch(plex, http, f"type=1&id={key}")[0] for key in (13, 14, 15))
    assert [media.attrib.get("proxyType") for media in versions.iter("Media")] == [None, None, "42"]
    assert len(list(stack.iter("Media"))) == 1
    assert [part.attrib["file"] for part in stack.iter("Part")] == ["/data/cd1.avi", "/data/cd2.avi"]
    assert stack.attrib["duration"] == "3000"
    assert list(bare.iter("Media")) == []
    assert keys(fetch(plex, http, "type=1&file=v2.mkv")) == [13]
    assert keys(fetch(plex, http, "type=1&duplicate=1")) == [13]


@pytest.fixture
def varied(plex: PlexSim, scenes: Section) -> Section:
    """Items 1 to 3, which differ in everything that can be filtered."""
    for key, title, year, studio in (
        (1, "The Alpha", 2001, "Red"),
        (2, "Beta", 2002, "Redder"),
        (3, "A Gamma", 2003, "Blue"),
    ):
        item = plex.item(key)
        item.title, item.year, item.studio, item.added_at = title, year, studio, 1000 * key
        item.originally_available_at = f"{year}-01-01"
        item.genres.append(Tag(f"g{key}"))
        item.user_rating = float(key)
    plex.item(2).deleted_at = 5
    plex.item(3).view_count = 1
    for key in range(4, 13):
        plex.remove_item(key)
    return scenes


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title=ALPHA", [1]),
        ("title==Beta", [2]),
        ("title%3D=beta", [2]),
        ("title!=a", []),
        ("title!==Beta", [1, 3]),
        ("title%3C=the", [1]),
        ("title%3E=ma", [3]),
        ("studio=red", [1, 2]),
        ("studio%3D=Red,Blue", [1, 3]),
        ("year=2001,2003", [1, 3]),
        ("year!=2001", [2, 3]),
        ("year%3E%3E=2001", [2, 3]),
        ("year%3C%3C=2002", [1]),
        ("decade=2000", [1, 2, 3]),
        ("addedAt%3E%3E=1500", [2, 3]),
        ("addedAt%3C%3C=2500", [1, 2]),
        ("addedAt%3E%3E=-7d", []),
        ("originallyAvailableAt%3E%3E=2002-06-01", [3]),
        ("originallyAvailableAt%3C%3C=1009843200", [1]),
        ("trash=1", [2]),
        ("unwatched=1", [1, 2]),
        ("id=3,1", [3, 1]),
        ("guid=tv.plex.agents.none%3A%2F%2F2", [2]),
        ("movie.year=2002", [2]),
        ("push=1&year=2001&or=1&year=2003&pop=1&studio=r", [1]),
        ("year=2001&or=1&title=beta", [1, 2]),
        ("titleSort%3C=gam", [3]),
        ("sort=titleSort", [1, 2, 3]),
        ("sort=titleSort:desc", [3, 2, 1]),
        ("sort=addedAt:desc&limit=2", [3, 2]),
        ("sort=movie.userRating:desc", [3, 2, 1]),
        ("sort=deletedAt", None),
        ("sort=lastViewedAt:nullsLast,year:desc", [3, 2, 1]),
        ("nonsense=1", [1, 2, 3]),
    ],
)
def test_filters_and_sort_orders(
    plex: PlexSim, varied: Section, http: requests.Session, query: str, expected: list[int] | None
) -> None:
    if expected is None:
        assert http.get(f"{plex.url}/library/sections/1/all?type=1&{query}").status_code == 400
        return
    assert keys(fetch(plex, http, f"type=1&{query}")) == expected
    assert plex.warnings == (["unknown filter ignored: nonsense"] if "nonsense" in query else [])


def test_tags_are_filtered_by_id(plex: PlexSim, varied: Section, http: requests.Session) -> None:
    choices = {choice.attrib["title"]: choice.attrib["key"] for choice in fetch(plex, http, "type=1", "genre")}
    assert list(choices) == ["g1", "g2", "g3"]
    assert keys(fetch(plex, http, f"type=1&genre={choices['g1']},{choices['g3']}")) == [1, 3]
    assert keys(fetch(plex, http, f"type=1&genre!={choices['g1']}")) == [2, 3]
    assert keys(fetch(plex, http, "type=1&genre=999")) == []
    assert [choice.attrib["title"] for choice in fetch(plex, http, "", "studio")] == ["Blue", "Red", "Redder"]
    assert [choice.attrib["title"] for choice in fetch(plex, http, "", "year")] == ["2001", "2002", "2003"]


def test_listing_shows_attributes_set_by_a_test(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    def shown(**attributes: Any) -> ElementTree.Element:
        for name, value in attributes.items():
            setattr(plex.item(1), name, value)
        return fetch(plex, http, "type=1&id=1")[0]

    assert shown(title="New").attrib["title"] == "New"
    assert shown(user_rating=3.0).attrib["userRating"] == "3.0"
    plex.item(1).genres.append(Tag("Fresh"))
    assert [tag.attrib["tag"] for tag in shown().iter("Genre")] == ["Fresh"]
    plex.item(1).genres.clear()
    assert list(shown().iter("Genre")) == []
    plex.item(1).media[0].parts[0].size = 77
    assert next(shown().iter("Part")).attrib["size"] == "77"
    plex.item(1).media[0].parts[0].size = None
    assert "size" not in next(shown().iter("Part")).attrib


def test_control_characters_are_sent_unchanged(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.item(1).summary = "a\x0bb\nc\td"
    text = http.get(f"{plex.url}/library/metadata/1").text
    assert 'summary="a\x0bb&#10;c&#9;d"' in text


def test_check_files_reports_files_on_disk(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.disk = {"/data/0/scene 00.mp4": (1000, 60.0)}
    text = http.get(f"{plex.url}/library/metadata/1,2?checkFiles=1").text
    assert 'accessible="1" exists="1"' in text
    assert 'accessible="0" exists="0"' in text


def test_ten_thousand_items_are_listed_quickly(plex: PlexSim, http: requests.Session) -> None:
    section = plex.add_section("Many")
    plex.load(section, ((f"/data/{n}.mp4", n, 1.0) for n in range(10_000)))
    found: list[int] = []
    for start in range(0, 10_000, 1000):
        found += keys(fetch(plex, http, f"type=1&X-Plex-Container-Start={start}&X-Plex-Container-Size=1000"))
    assert sorted(found) == list(range(1, 10_001))

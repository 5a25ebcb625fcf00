"""The simulator compared with recorded answers of a real PMS 1.43.1 (tests/golden/plex)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from sandbox.plex import PlexSim, Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

GOLDEN = Path(__file__).parents[2] / "golden" / "plex"
REQUESTS = {
    name: (path, accept)
    for name, path, accept in re.findall(
        r"^- `([\w.-]+)`: GET `([^`]+)`, Accept `([^`]+)` -> 200", (GOLDEN / "README.md").read_text(), re.MULTILINE
    )
}
HEADERS = {
    name: dict(pair.split(": ", 1) for pair in headers.split(", "))
    for name, headers in re.findall(
        r"^- `([\w.-]+)`:.* -> 200; headers (.*)$", (GOLDEN / "README.md").read_text(), re.MULTILINE
    )
}


@pytest.fixture
def recorded(plex: PlexSim) -> PlexSim:
    """A library like the recorded one: one movie, matched online."""
    section = plex.add_section("Movies", ["/media/Movies"], agent="tv.plex.agents.movie")
    section.uuid = "448f0d70-308d-40ad-a2f4-b394c42f4c38"
    file = "/media/Movies/Test Movie H264 (2024)/Test Movie H264 (2024).mkv"
    item = plex.add_item(section, [(file, 12213299, 30.023)], title="Test Movie: G-BOAF")
    item.guid, item.slug = "plex://movie/68e62cc50d1f89b18a4e533d", "test-movie-g-boaf"
    item.originally_available_at, item.year = "2025-01-01", 2025
    item.genres.append(Tag("Action"))
    item.countries.append(Tag("United Kingdom"))
    item.directors.append(Tag("James P Savage"))
    item.writers.append(Tag("James P Savage"))
    item.roles.extend(Tag(name) for name in ("Sushma H", "Steven Morrison", "James P Savage", "A Fourth"))
    return plex


def fetch(plex: PlexSim, http: requests.Session, name: str) -> requests.Response:
    path, accept = REQUESTS[name]
    headers = {"Accept": accept}
    if "/all?" in path:
        # the recording was made with plexapi, which requests pages by header
        headers |= {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "100"}
    return http.get(plex.url + path, headers=headers)


def same_shape(recorded: ElementTree.Element, ours: ElementTree.Element) -> None:
    """Assert the same element with the recorded attributes and the same children, both in the recorded order.
    The recording lacks some attributes, so ours may have more.
    """
    assert ours.tag == recorded.tag
    assert [name for name in ours.attrib if name in recorded.attrib] == list(recorded.attrib)
    assert [child.tag for child in ours] == [child.tag for child in recorded]
    for child, our_child in zip(recorded, ours, strict=True):
        same_shape(child, our_child)


def same_values(recorded: ElementTree.Element, ours: ElementTree.Element, but: set[str]) -> None:
    for name, value in recorded.attrib.items():
        if name not in but:
            assert (name, ours.attrib[name]) == (name, value)


@pytest.mark.parametrize("name", sorted(set(REQUESTS) - {"root.json", "refresh.txt", "item-tree.xml"}))
def test_xml_has_the_recorded_shape(recorded: PlexSim, http: requests.Session, name: str) -> None:
    answer = fetch(recorded, http, name)
    assert answer.status_code == 200
    same_shape(ElementTree.parse(GOLDEN / name).getroot(), ElementTree.fromstring(answer.content))


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_headers_are_as_recorded(recorded: PlexSim, http: requests.Session, name: str) -> None:
    answer = fetch(recorded, http, name)
    sizes = {"content-length", "x-plex-content-compressed-length", "x-plex-content-original-length"}
    for header, value in HEADERS[name].items():
        if header.lower() not in sizes:
            assert (header, answer.headers.get(header)) == (header, value)
    if answer.content:
        assert answer.headers["X-Plex-Content-Original-Length"] == str(len(answer.content))
        assert answer.headers["Content-Encoding"] == "gzip"
    else:
        assert answer.headers["Content-Length"] == "0"


def test_movie_has_the_recorded_values(recorded: PlexSim, http: requests.Session) -> None:
    golden = ElementTree.parse(GOLDEN / "all-file-hit.xml").getroot()
    ours = ElementTree.fromstring(fetch(recorded, http, "all-file-hit.xml").content)
    same_values(golden, ours, set())
    same_values(golden[0], ours[0], {"thumb", "art"})
    part, our_part = golden[0][0][0], ours[0][0][0]
    same_values(part, our_part, {"key"})
    assert re.fullmatch(r"/library/parts/1/\d+/file\.mkv", our_part.attrib["key"])
    for place in range(1, len(golden[0])):
        same_values(golden[0][place], ours[0][place], {"url", "topLeft", "topRight", "bottomLeft", "bottomRight"})


def test_root_is_as_recorded(recorded: PlexSim, http: requests.Session) -> None:
    golden = ElementTree.parse(GOLDEN / "root.xml").getroot()
    ours = ElementTree.fromstring(fetch(recorded, http, "root.xml").content)
    same_values(golden, ours, {"friendlyName", "machineIdentifier", "ownerFeatures", "updatedAt"})


def test_json_has_the_recorded_keys_and_types(recorded: PlexSim, http: requests.Session) -> None:
    golden = json.loads((GOLDEN / "root.json").read_text())["MediaContainer"]
    ours: dict[str, Any] = fetch(recorded, http, "root.json").json()["MediaContainer"]
    assert list(ours) == list(golden)
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in golden.items()}


def test_json_listing_is_as_recorded(recorded: PlexSim, http: requests.Session) -> None:
    url = f"{recorded.url}/library/sections/1/all?type=1"
    container = http.get(url, headers={"Accept": "application/json"}).json()["MediaContainer"]
    (item,) = container["Metadata"]
    assert container["size"] == 1
    assert "totalSize" not in container
    assert (item["ratingKey"], item["year"], item["duration"]) == ("1", 2025, 30023)
    assert item["Media"][0]["Part"][0]["size"] == 12213299
    assert item["Genre"] == [{"tag": "Action"}]


def test_tree_has_the_recorded_order_of_elements(recorded: PlexSim, http: requests.Session) -> None:
    golden = ElementTree.parse(GOLDEN / "item-tree.xml").getroot()
    ours = ElementTree.fromstring(fetch(recorded, http, "item-tree.xml").content)
    for path in (".", "MetadataItem", "MetadataItem/MediaItem"):
        one, other = golden.find(path), ours.find(path)
        assert one is not None
        assert other is not None
        assert list(other.attrib) == list(one.attrib)


def test_scan_answers_with_an_empty_body(recorded: PlexSim, http: requests.Session) -> None:
    answer = fetch(recorded, http, "refresh.txt")
    assert (answer.status_code, answer.content) == (200, (GOLDEN / "refresh.txt").read_bytes())

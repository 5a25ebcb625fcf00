"""Collections: their members are the items with their tag (plex 6)."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import requests

from sandbox.plex import PlexSim, Section, Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


def put(plex: PlexSim, http: requests.Session, query: str) -> int:
    return http.put(f"{plex.url}/library/sections/1/all?{query}").status_code


def listed(plex: PlexSim, http: requests.Session) -> dict[str, str]:
    root = ElementTree.fromstring(http.get(f"{plex.url}/library/sections/1/collections").content)
    return {found.attrib["title"]: found.attrib["ratingKey"] for found in root}


def test_collection_appears_and_disappears_with_its_tag(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1,2&collection[0].tag.tag=Pair&collection.locked=1")
    before = listed(plex, http)
    assert list(before) == ["Pair"]
    put(plex, http, "type=1&id=1&collection[].tag.tag-=pair")
    assert listed(plex, http) == before
    plex.remove_item(2)
    assert listed(plex, http) == {}
    put(plex, http, "type=1&id=1&collection[0].tag.tag=Pair")
    again = listed(plex, http)
    assert list(again) == ["Pair"]
    assert again != before


def test_collection_includes_tags_set_by_a_test(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.item(1).collections.append(Tag("By hand"))
    assert list(listed(plex, http)) == ["By hand"]
    plex.item(1).collections.clear()
    assert listed(plex, http) == {}


def test_collection_object_by_key(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1,2&collection[0].tag.tag=Pair&originallyAvailableAt.value=2001-01-01")
    found = plex.collection(scenes, "pair")
    assert found is not None
    key = found.rating_key
    put(plex, http, f"type=18&id={key}&summary.value=Both&label[0].tag.tag=l&summary.locked=1")
    for path in (f"/library/collections/{key}", f"/library/metadata/{key}"):
        (shown,) = ElementTree.fromstring(http.get(plex.url + path).content)
        assert (shown.attrib["title"], shown.attrib["summary"], shown.attrib["childCount"]) == ("Pair", "Both", "2")
        assert (shown.attrib["minYear"], shown.attrib["maxYear"]) == ("2001", "2001")
        assert [(child.tag, child.get("tag") or child.get("name")) for child in shown] == [
            ("Label", "L"),
            ("Field", "summary"),
        ]
    children = ElementTree.fromstring(http.get(f"{plex.url}/library/collections/{key}/children").content)
    assert [child.attrib["ratingKey"] for child in children] == ["1", "2"]
    assert http.put(f"{plex.url}/library/collections/{key}/prefs?collectionMode=1").status_code == 200
    assert 'collectionMode="1"' in http.get(f"{plex.url}/library/collections/{key}").text
    assert http.post(f"{plex.url}/library/metadata/{key}/posters", data=b"x").status_code == 200
    assert found.locks == {"summary", "thumb"}


def test_edit_type_affects_only_its_kind(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1&collection[0].tag.tag=C")
    found = plex.collection(scenes, "C")
    assert found is not None
    put(plex, http, f"type=1&id=1,{found.rating_key}&summary.value=x")
    put(plex, http, f"type=18&id=2,{found.rating_key}&summary.value=y")
    assert (plex.item(1).summary, plex.item(2).summary, found.summary) == ("x", "", "y")


@pytest.mark.parametrize(
    "query",
    [
        "type=1&title=T&sectionId=9&uri=server://x/com.plexapp.plugins.library/library/metadata/1",
        "type=1&title=&sectionId=1&uri=server://x/com.plexapp.plugins.library/library/metadata/1",
        "type=1&title=T&sectionId=1&uri=server://x/com.plexapp.plugins.library/library/metadata/99",
        "type=1&title=T&sectionId=1&uri=nonsense",
    ],
)
def test_invalid_collection_is_refused(plex: PlexSim, scenes: Section, http: requests.Session, query: str) -> None:
    assert http.post(f"{plex.url}/library/collections?{query}").status_code == 400
    assert listed(plex, http) == {}


def test_unknown_collection_is_404(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert http.get(f"{plex.url}/library/collections/1").status_code == 404
    assert http.get(f"{plex.url}/library/collections/99/children").status_code == 404
    put(plex, http, "type=1&id=1&collection[0].tag.tag=C")
    found = plex.collection(scenes, "C")
    assert found is not None
    assert http.delete(f"{plex.url}/library/collections/{found.rating_key}/items/99").status_code == 404


def test_same_title_in_two_sections_is_two_collections(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    other = plex.add_section("Others", ["/data"])
    twin = plex.add_item(other, [("/data/0/scene 00.mp4", 1000, 60.0)])
    assert plex.find("/data/0/scene 00.mp4") is plex.item(1)
    put(plex, http, "type=1&id=1&collection[0].tag.tag=C")
    http.put(f"{plex.url}/library/sections/2/all?type=1&id={twin.rating_key}&collection[0].tag.tag=C")
    one, two = plex.collection(scenes, "C"), plex.collection(other, "C")
    assert one is not None
    assert two is not None
    assert one.rating_key != two.rating_key
    put(plex, http, f"type=18&id={one.rating_key}&title.value=D")
    assert (plex.item(1).tags("collection"), twin.tags("collection")) == (["D"], ["C"])
    # an item of another section cannot be added
    put(plex, http, f"type=1&id={twin.rating_key}&summary.value=x")
    assert twin.summary == ""

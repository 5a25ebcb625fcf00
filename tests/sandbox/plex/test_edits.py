"""Edit PUTs over HTTP (plex 4)."""

from __future__ import annotations

import itertools
from urllib.parse import quote

import pytest
import requests

from sandbox.plex import Item, PlexSim, Section, Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


def put(plex: PlexSim, http: requests.Session, query: str, path: str = "/library/sections/1/all") -> requests.Response:
    return http.put(f"{plex.url}{path}?{query}")


def test_edit_answers_with_an_empty_body(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    answer = put(plex, http, "type=1&id=1&title.value=New+title&title.locked=1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == ("text/html", "0")
    assert answer.headers["X-Plex-Protocol"] == "1.0"
    assert plex.item(1).title == "New title"


def test_edit_without_id_edits_every_item_and_warns(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&title=scene+0&studio.value=Oops")
    assert [item.studio for item in plex.items] == ["Oops"] * 10 + [None] * 2
    assert len(plex.warnings) == 1
    assert "without id" in plex.warnings[0]


def test_edit_without_type_is_refused(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert put(plex, http, "id=1&title.value=x").status_code == 400


def test_edition_title_without_plex_pass_refuses_the_whole_edit(
    plex: PlexSim, scenes: Section, http: requests.Session
) -> None:
    plex.identity.subscription = False
    answer = put(plex, http, "type=1&id=1&title.value=x&editionTitle.value=Uncut&genre[0].tag.tag=A&summary.locked=1")
    assert answer.status_code == 400
    item = plex.item(1)
    assert (item.title, item.edition_title, item.genres, item.locks) == ("scene 00", None, [], set())
    assert plex.writes == []


@pytest.mark.parametrize(
    "query",
    ["nonsense.value=1", "nonsense.locked=1", "nonsense[0].tag.tag=x", "originallyAvailableAt.value=soon",
     "userRating.value=11", "userRating.value=good", "year.value=x", "addedAt.value="],
)  # fmt: skip
def test_edit_with_an_invalid_value_changes_nothing(
    plex: PlexSim, scenes: Section, http: requests.Session, query: str
) -> None:
    assert put(plex, http, f"type=1&id=1&title.value=x&{query}").status_code == 400
    assert plex.item(1).title == "scene 00"


def test_edit_distinguishes_empty_and_absent_values(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(
        plex,
        http,
        "type=1&id=1&studio.value=S&summary.value=T&originallyAvailableAt.value=2020-05-06&userRating.value=0",
    )
    item = plex.item(1)
    assert (item.studio, item.summary, item.year, item.user_rating) == ("S", "T", 2020, 0.0)
    put(plex, http, "type=1&id=1&studio.value=&originallyAvailableAt.value=&userRating.value=&summary.value=")
    assert (item.studio, item.summary, item.year, item.user_rating) == (None, "", None, None)
    text = http.get(f"{plex.url}/library/metadata/1").text
    for name in ("studio", "userRating", "year", "originallyAvailableAt"):
        assert f" {name}=" not in text
    assert ' summary=""' in text


def test_sort_title_follows_the_title_unless_locked(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    item = plex.item(1)
    put(plex, http, "type=1&id=1&title.value=The+One")
    assert (item.title_sort, item.sorted_as) == ("", "One")
    put(plex, http, "type=1&id=1&title.value=A+Two&titleSort.value=Zwei&titleSort.locked=1")
    assert item.title_sort == "Zwei"
    put(plex, http, "type=1&id=1&title.value=Three")
    assert item.title_sort == "Zwei"
    assert 'titleSort="Zwei"' in http.get(f"{plex.url}/library/metadata/1").text
    put(plex, http, "type=1&id=1&titleSort.value=")
    assert 'titleSort="' not in http.get(f"{plex.url}/library/metadata/1").text


@pytest.mark.parametrize(
    ("before", "query", "added", "replaced"),
    [
        ("AB", "genre[0].tag.tag=C", "ABC", "C"),
        ("AB", "genre[1].tag.tag=A&genre[0].tag.tag=B", "BA", "BA"),
        ("AB", "genre[0].tag.tag=A", "AB", "A"),
        ("AB", "genre[0].tag.tag=a&genre[1].tag.tag=A", "AB", "A"),
        ("AB", "genre[].tag.tag-=A", "B", "B"),
        ("ABC", "genre[].tag.tag-=A,c", "B", "B"),
        ("AB", "genre[].tag.tag-=A&genre[0].tag.tag=A", "AB", "A"),
        ("AB", "genre[0].tag.tag=C&genre[1].tag.tag=B&genre[].tag.tag-=A", "CB", "CB"),
        ("AB", "genre[].tag=", "", ""),
        ("AB", "genre[].tag=&genre[0].tag.tag=C", "C", "C"),
        ("AB", "genre.locked=1", "AB", "AB"),
        ("AB", "genre[0].tag=C", "AB", "AB"),
        ("AB", "genre[0].tag.tag=", "AB", "AB"),
    ],
)
@pytest.mark.parametrize("replace", [False, True])
def test_edit_of_tags(
    plex: PlexSim,
    scenes: Section,
    http: requests.Session,
    replace: bool,
    before: str,
    query: str,
    added: str,
    replaced: str,
) -> None:
    plex.replace_tags = replace
    item = plex.item(1)
    for name in before:
        plex.item(2).genres.append(Tag(name))
        item.genres.append(Tag(name))
    # the rows already exist in capital letters
    http.get(f"{plex.url}/library/metadata/1,2")
    assert put(plex, http, f"type=1&id=1&{query}").status_code == 200
    assert "".join(item.tags("genre")) == (replaced if replace else added)
    assert "".join(plex.item(2).tags("genre")) == before


def test_tag_removals_are_decoded_twice(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    item = plex.item(1)
    item.genres.extend(Tag(name) for name in ("a, b", "100%", "c"))
    put(plex, http, "type=1&id=1&genre[].tag.tag-=" + quote("a, b"))
    assert item.tags("genre") == ["a, b", "100%", "c"]
    put(plex, http, "type=1&id=1&genre[].tag.tag-=" + quote(quote("a, b") + "," + quote("100%")))
    assert item.tags("genre") == ["c"]


def test_first_spelling_of_a_tag_stays(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1&genre[0].tag.tag=Blonde&label[0].tag.tag=my+label")
    put(plex, http, "type=1&id=2&genre[0].tag.tag=BLONDE&label[0].tag.tag=MY+LABEL&actor[0].tag.tag=BLONDE")
    assert (plex.item(2).tags("genre"), plex.item(2).tags("label")) == (["Blonde"], ["My label"])
    assert plex.item(2).tags("actor") == ["BLONDE"]


def test_actor_keeps_role_and_picture_that_are_not_resent(
    plex: PlexSim, scenes: Section, http: requests.Session
) -> None:
    put(plex, http, "type=1&id=1&actor[0].tag.tag=Ann&actor[0].tagging.text=Self&actor[0].tag.thumb=http://x/a.jpg")
    put(plex, http, "type=1&id=1&actor[0].tag.tag=Bea&actor[1].tag.tag=Ann")
    assert plex.item(1).roles == [Tag("Bea"), Tag("Ann", "Self", "http://x/a.jpg")]
    plex.assumptions.keep_roles = False
    put(plex, http, "type=1&id=1&actor[0].tag.tag=Ann&actor[1].tag.tag=Bea")
    assert plex.item(1).roles == [Tag("Ann"), Tag("Bea")]
    plex.assumptions.reorder_tags = False
    put(plex, http, "type=1&id=1&actor[0].tag.tag=Bea&actor[1].tag.tag=Ann")
    assert plex.item(1).tags("actor") == ["Ann", "Bea"]


def test_studio_sent_as_a_tag_becomes_a_director(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1&studio[0].tag.tag=Acme")
    assert (plex.item(1).studio, plex.item(1).tags("director")) == (None, ["Acme"])


def test_edit_of_several_ids_ignores_unknown_ones(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert put(plex, http, "type=1&id=2%2C99%2C3&studio.value=S").status_code == 200
    assert [item.rating_key for item in plex.items if item.studio] == [2, 3]
    assert put(plex, http, "type=1&id=99&studio.value=S").status_code == 200
    plex.assumptions.unknown_id = 404
    assert put(plex, http, "type=1&id=99&studio.value=S").status_code == 404
    assert put(plex, http, "studio.value=T", "/library/metadata/2,99").status_code == 200
    assert put(plex, http, "studio.value=T", "/library/metadata/99").status_code == 404
    assert plex.item(2).studio == "T"
    assert plex.puts == 5
    assert [write.rating_keys for write in plex.writes] == [[2, 3], [], [2]]


def test_locks_appear_and_disappear(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    put(plex, http, "type=1&id=1&title.locked=1&thumb.locked=1")
    text = http.get(f"{plex.url}/library/metadata/1").text
    assert '<Field locked="1" name="thumb"/><Field locked="1" name="title"/>' in text
    put(plex, http, "type=1&id=1&title.locked=0")
    assert 'name="title"' not in http.get(f"{plex.url}/library/metadata/1").text
    put(plex, http, "type=1&id=1&studio.value=S")
    assert "studio" not in plex.item(1).locks
    plex.assumptions.lock_on_value = True
    put(plex, http, "type=1&id=1&studio.value=S&summary.value=T&summary.locked=0")
    assert plex.item(1).locks == {"thumb", "studio"}


def test_edit_changes_updated_at(http: requests.Session) -> None:
    seconds = itertools.count(1_700_000_000, 10)
    with PlexSim(clock=lambda: next(seconds)) as plex:
        section = plex.add_section("Scenes")
        item = plex.add_item(section, [("/data/a.mp4", 1, 1.0)])
        was = item.updated_at
        put(plex, http, "type=1&id=1&studio.value=S")
        assert item.updated_at > was
        plex.assumptions.tags_touch_updated = False
        was = item.updated_at
        put(plex, http, "type=1&id=1&genre[0].tag.tag=S")
        assert item.updated_at == was
        http.close()


def test_on_write_is_called_for_each_edit(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    seen: list[Item] = []
    plex.on_write = seen.append
    put(plex, http, "type=1&id=1,2&studio.value=S")
    http.put(f"{plex.url}/:/rate?key=3&rating=7.4&identifier=com.plexapp.plugins.library")
    assert seen == plex.items[:3]
    assert plex.item(3).user_rating == 7.4
    assert plex.writes[0].params == [("type", "1"), ("id", "1,2"), ("studio.value", "S")]


@pytest.mark.parametrize(
    ("query", "status"), [("key=99&rating=1", 404), ("key=1&rating=x", 400), ("key=1&rating=12", 400)]
)
def test_invalid_rating_is_refused(
    plex: PlexSim, scenes: Section, http: requests.Session, query: str, status: int
) -> None:
    assert http.put(f"{plex.url}/:/rate?{query}").status_code == status

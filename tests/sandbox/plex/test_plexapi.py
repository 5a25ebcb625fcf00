"""Unmodified plexapi with the simulator (plex 11.6)."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer

from sandbox.plex import PlexSim, Section, Tag

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

ALL = "GET /library/sections/{k}/all"
ITEM = "GET /library/metadata/{ids}"


def first(server: Any) -> Any:
    return server.library.section("Scenes").all()[0]


def test_connecting_takes_one_request_and_sections_two(plex: PlexSim, server: Any) -> None:
    assert plex.counters == {"GET /": 1}
    assert (server.friendlyName, server.machineIdentifier) == (
        plex.identity.friendly_name,
        plex.identity.machine_identifier,
    )
    section = server.library.section("Scenes")
    server.library.sections()
    assert plex.counters == {"GET /": 1, "GET /library": 1, "GET /library/sections": 1}
    assert (section.key, section.type, section.agent) == (1, "movie", "tv.plex.agents.none")
    assert section.locations == ["/data"]


def test_all_reads_every_page(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    items = section.all(container_size=5)
    assert [item.title for item in items] == [f"scene {n:02}" for n in range(12)]
    assert plex.counters[ALL] == 3
    assert items[3].media[0].parts[0].file == "/data/0/scene 03.mp4"
    assert items[3].media[0].parts[0].size == 1003
    assert items[3].duration == 63000
    assert section.totalSize == 12


def test_missing_attribute_of_a_partial_item_causes_a_reload(plex: PlexSim, server: Any) -> None:
    items = server.library.section("Scenes").all()
    assert items[0].isPartialObject()
    assert items[0].labels == []
    assert items[0].tagline is None
    assert plex.hidden_reloads == 1
    items[1]._autoReload = False
    assert items[1].labels == []
    assert plex.hidden_reloads == 1
    assert plex.counters[ITEM] == 1


def test_one_put_with_every_field_is_read_back_equal(plex: PlexSim, server: Any) -> None:
    item = first(server)
    item.batchEdits()
    item.editTitle("The Title").editSortTitle("Sorted").editSummary("Line one\nLine two — “quoted”").editStudio(
        "Studio & Co"
    )
    item.editTagline("Tag <line>").editOriginalTitle("Urtitel").editContentRating("XXX").editEditionTitle("Uncut")
    item.editOriginallyAvailable("2021-03-04").editUserRating(7.5).editCriticRating(6.1).editAudienceRating(5.2)
    item.editAddedAt(1_600_000_000)
    item.addGenre(["One", "Two", "Three"]).addLabel(["mine"]).addDirector(["D"]).addWriter(["W"]).addCollection(["C"])
    item.addProducer(["P"]).addCountry(["DE"])
    item.saveEdits()
    assert plex.puts == 1
    item.reload()
    assert (item.title, item.titleSort, item.studio, item.tagline) == (
        "The Title",
        "Sorted",
        "Studio & Co",
        "Tag <line>",
    )
    assert item.summary == "Line one\nLine two — “quoted”"
    assert (item.originalTitle, item.contentRating, item.editionTitle) == ("Urtitel", "XXX", "Uncut")
    assert (item.originallyAvailableAt.strftime("%Y-%m-%d"), item.year) == ("2021-03-04", 2021)
    assert (item.userRating, item.rating, item.audienceRating) == (7.5, 6.1, 5.2)
    assert item.addedAt.timestamp() == 1_600_000_000
    assert [tag.tag for tag in item.genres] == ["One", "Two", "Three"]
    assert [tag.tag for tag in item.labels] == ["Mine"]
    for name in ("directors", "writers", "producers", "countries", "collections"):
        assert len(getattr(item, name)) == 1
    for name in ("title", "titleSort", "summary", "studio", "tagline", "genre", "label", "collection", "userRating"):
        assert item.isLocked(name)
    assert not item.isLocked("actor")
    again = server.fetchItem(item.ratingKey)
    again.editTagline("", locked=False).editUserRating(None).reload()
    assert (again.tagline, again.userRating) == (None, None)
    assert not again.isLocked("tagline")


def test_listing_shows_two_genres_and_three_actor_names(plex: PlexSim, server: Any) -> None:
    live = plex.item(1)
    live.genres.extend(Tag(name) for name in "ABCD")
    live.roles.extend(Tag(name, "as herself", "http://x/y.jpg") for name in "VWXYZ")
    live.labels.append(Tag("Seen"))
    live.locks.add("title")
    part = first(server)
    part._autoReload = False
    assert [tag.tag for tag in part.genres] == ["A", "B"]
    assert [(tag.tag, tag.role, tag.thumb, tag.id) for tag in part.roles] == [
        (name, None, None, None) for name in "VWX"
    ]
    assert part.labels == []
    assert part.fields == []
    assert part.media[0].parts[0].streams == []
    whole = part.reload()
    assert [tag.tag for tag in whole.genres] == ["A", "B", "C", "D"]
    assert [(tag.tag, tag.role, tag.thumb) for tag in whole.roles][4] == ("Z", "as herself", "http://x/y.jpg")
    assert all(tag.id for tag in whole.roles)
    assert [tag.tag for tag in whole.labels] == ["Seen"]
    assert [stream.codec for stream in whole.media[0].parts[0].streams] == ["h264", "aac"]


@pytest.mark.parametrize("replace", [False, True])
def test_tag_with_separators_is_added_and_removed(plex: PlexSim, server: Any, replace: bool) -> None:
    plex.replace_tags = replace
    awkward = """a, b & 100%/'"+ ü😀"""
    item = first(server)
    item.addGenre([awkward, "plain"]).reload()
    assert [tag.tag for tag in item.genres] == [awkward, "plain"]
    item.removeGenre([awkward]).reload()
    assert [tag.tag for tag in item.genres] == ["plain"]
    item.removeGenre("plain").reload()
    assert item.genres == []


@pytest.mark.parametrize("replace", [False, True])
def test_replace_tags_switch(plex: PlexSim, server: Any, replace: bool) -> None:
    plex.replace_tags = replace
    section = server.library.section("Scenes")
    items = section.all()[:2]
    for name in ("A", "B"):
        # a multi edit sends only the new tags (plex 4.5)
        section.batchMultiEdits(items)
        section.addGenre(name)
        section.saveMultiEdits()
    assert plex.item(1).tags("genre") == plex.item(2).tags("genre") == (["B"] if replace else ["A", "B"])


def test_actors_have_role_and_picture(plex: PlexSim, server: Any) -> None:
    item = first(server)
    item.editTags("actor", ["Ann", "Bea"]).reload()
    assert [tag.tag for tag in item.actors] == ["Ann", "Bea"]
    assert item.isLocked("actor")
    item.edit(
        **{"actor[0].tag.tag": "Bea", "actor[0].tagging.text": "Self", "actor[0].tag.thumb": "http://x/b.jpg",
           "actor[1].tag.tag": "Ann"}
    )  # fmt: skip
    item.reload()
    assert [(tag.tag, tag.role, tag.thumb) for tag in item.actors] == [
        ("Bea", "Self", "http://x/b.jpg"),
        ("Ann", None, None),
    ]
    item.edit(**{"actor[0].tag": "Nobody"})
    assert plex.item(1).tags("actor") == ["Bea", "Ann"]


def test_same_poster_twice_is_one_entry(plex: PlexSim, server: Any) -> None:
    item = first(server)
    before = item.thumb
    item.uploadPoster(filepath=io.BytesIO(b"\xff\xd8first"))
    item.uploadPoster(filepath=io.BytesIO(b"\xff\xd8second"))
    item.uploadPoster(filepath=io.BytesIO(b"\xff\xd8first"))
    posters = item.posters()
    assert [poster.ratingKey.split("/")[0] for poster in posters] == ["media:", "upload:", "upload:"]
    assert [poster.selected for poster in posters] == [False, True, False]
    item.reload()
    assert item.thumb != before
    assert item.isLocked("thumb")
    posters[2].select()
    assert [poster.selected for poster in item.posters()] == [False, False, True]
    item.unlockPoster().reload()
    assert not item.isLocked("thumb")
    item.deletePoster()
    assert not any(poster.selected for poster in item.posters())
    item.reload()
    assert item.thumb is None
    assert item.isLocked("thumb")


def test_rating_is_set_and_removed(plex: PlexSim, server: Any) -> None:
    item = first(server)
    item.rate(8.0).reload()
    assert item.userRating == 8.0
    assert item.lastRatedAt is not None
    item.rate(0).reload()
    assert item.userRating == 0.0
    item.rate().reload()
    assert (item.userRating, item.lastRatedAt) == (None, None)


def test_watch_state(plex: PlexSim, server: Any) -> None:
    item = first(server)
    item.markPlayed().markPlayed().reload()
    assert item.viewCount == 2
    item.markUnplayed().reload()
    assert not item.isPlayed
    item.updateProgress(5000)
    assert plex.item(1).view_offset == 5000


def test_collection_is_defined_by_its_tag(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    one, two = section.all()[:2]
    one.addCollection("Best of")
    two.addCollection("best OF")
    (found,) = section.collections()
    assert (found.title, found.childCount, found.subtype) == ("Best of", 2, "movie")
    assert [item.title for item in found.items()] == ["scene 00", "scene 01"]
    assert one.reload().collections[0].collection().ratingKey == found.ratingKey
    found.addItems(section.all()[5]).removeItems(two)
    assert plex.collections(section_of(plex))["Best of"] == [plex.item(1), plex.item(6)]
    found.editTitle("Worst of").editSummary("All of it").reload()
    assert plex.item(6).tags("collection") == ["Worst of"]
    assert found.summary == "All of it"
    one.reload().removeCollection("Worst of")
    section.all()[5].removeCollection("Worst of")
    assert section.collections() == []


def test_collection_created_as_an_object(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    made = section.createCollection("Made", items=section.all()[:3])
    assert [tag.tag for tag in section.all()[2].reload().collections] == ["Made"]
    assert plex.item(1).locks == {"collection"}
    assert section.totalViewSize(includeCollections=True) == 13
    section.createCollection("Other", items=section.all()[3])
    with pytest.raises(BadRequest, match="409"):
        made.editTitle("Other")
    made.delete()
    assert [found.title for found in section.collections()] == ["Other"]


def section_of(plex: PlexSim) -> Section:
    return plex.sections[0]


def test_refresh_keeps_locked_fields_and_resets_the_others(plex: PlexSim, server: Any) -> None:
    plex.item(1).agent["genre"] = ["Embedded"]
    item = first(server)
    item.batchEdits()
    item.editTitle("Kept").editSummary("Lost", locked=False).editUserRating(5.0, locked=False)
    item.addGenre(["Lost"], locked=False).addDirector(["Kept"]).addLabel(["Kept"], locked=False)
    item.saveEdits()
    item.uploadPoster(filepath=io.BytesIO(b"kept"))
    item.uploadArt(filepath=io.BytesIO(b"lost"))
    item.unlockArt()
    item.refresh()
    item.reload()
    assert (item.title, item.summary, item.userRating) == ("Kept", "", 5.0)
    assert [tag.tag for tag in item.genres] == ["Embedded"]
    assert [tag.tag for tag in item.directors] == ["Kept"]
    assert [tag.tag for tag in item.labels] == ["Kept"]
    assert [poster.selected for poster in item.posters()] == [False, True]
    assert [art.selected for art in item.arts()] == [True, False]
    item.editTitle("Gone", locked=False).refresh()
    assert item.reload().title == "scene 00" == plex.agent_values(plex.item(1))["title"]


def test_multi_edit_changes_both_items_in_one_put(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    section.batchMultiEdits(section.all()[:2])
    section.editStudio("Both").addGenre(["G"]).removeLabel("None")
    section.saveMultiEdits()
    assert plex.puts == 1
    assert [item.studio for item in plex.items[:3]] == ["Both", "Both", None]
    assert plex.writes[0].rating_keys == [1, 2]


def test_errors_as_seen_by_plexapi(plex: PlexSim, server: Any, http: requests.Session) -> None:
    with pytest.raises(NotFound):
        server.fetchItem(4711)
    with pytest.raises(Unauthorized):
        PlexServer(plex.url, "wrong", session=http)
    item = first(server)
    plex.faults.status = 503
    with pytest.raises(BadRequest, match=r"\(503\)"):
        item.reload()
    plex.faults.clear()
    with pytest.raises(BadRequest, match=r"\(400\)"):
        item.editField("nonsense", "x")


def test_search_with_sorts_and_filters(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    for key in (3, 5):
        plex.item(key).genres.append(Tag("Wanted, with a comma"))
        plex.item(key).studio = "Acme"
        plex.item(key).year = 2000 + key
    plex.item(7).updated_at += 100
    assert [item.ratingKey for item in section.search(genre="wanted, with a comma")] == [3, 5]
    assert [item.ratingKey for item in section.search(studio="acm")] == [3, 5]
    assert section.search(filters={"studio=": "acm"}) == []
    assert [item.ratingKey for item in section.search(filters={"studio": "Acme", "year>>": 2004})] == [5]
    assert [item.ratingKey for item in section.search(filters={"or": [{"year": 2003}, {"title": "scene 11"}]})] == [
        3,
        12,
    ]
    assert [item.ratingKey for item in section.search(sort="updatedAt:desc", maxresults=2)] == [7, 1]
    assert [item.ratingKey for item in section.search(sort="year:nullsLast", limit=3)] == [3, 5, 1]
    assert [choice.title for choice in section.listFilterChoices("genre")] == ["Wanted, with a comma"]
    assert section.search(title="SCENE 1", libtype="movie")[0].title == "scene 10"
    assert [found.title for found in section.search(libtype="collection")] == []
    assert section.recentlyAdded(maxresults=3)


def test_scan_and_maintenance_calls(plex: PlexSim, server: Any) -> None:
    section = server.library.section("Scenes")
    section.update("/data/1")
    section.refresh()
    section.cancelUpdate()
    section.emptyTrash()
    section.analyze()
    server.library.optimize()
    assert server.activities == []
    assert server.settings.get("autoEmptyTrash").value is True
    assert section.timeline().latestEntryTime >= plex.item(1).updated_at
    assert [folder.title for folder in section.folders()] == ["0", "1", "2"]
    assert section.firstCharacter()[0].title == "S"


def test_split_and_merge(plex: PlexSim, server: Any) -> None:
    both = plex.add_item(plex.sections[0], [("/data/x/a.mp4", 1, 60), ("/data/x/b.mp4", 2, 60)])
    server.fetchItem(both.rating_key).split()
    assert [part.file for part in both.parts()] == ["/data/x/a.mp4"]
    other = plex.find("/data/x/b.mp4")
    assert other is not None
    assert other.title == "b"
    server.fetchItem(both.rating_key).merge([other.rating_key])
    assert [part.file for part in both.parts()] == ["/data/x/a.mp4", "/data/x/b.mp4"]
    assert plex.find("/data/x/b.mp4") is both
    server.fetchItem(both.rating_key).delete()
    assert plex.find("/data/x/b.mp4") is None

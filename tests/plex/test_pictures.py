"""Pictures over real HTTP: listing, uploading, selecting, removing, and what Plex refuses (plex 5)."""

from __future__ import annotations

from hashlib import sha1

import pytest

from metadata.picture_choice import selected_key, uploaded_key
from plex.client import PlexClient
from plex.exceptions import (
    PlexNotFound,
    PlexServerDown,
    PlexTemporaryError,
    PlexTokenRefused,
)
from plex.pictures import PictureRefused, list_pictures, select_picture, select_unlocked, upload_picture
from sandbox.plex import Item, PlexSim
from sandbox.plex.model import Section as SimSection
from sandbox.stash import png
from sandbox.stash.jpeg import jpeg
from tests.plex.conftest import Connect

pytestmark = pytest.mark.integration

PLACES = [("thumb", "posters"), ("art", "arts")]


@pytest.fixture
def item(plex: PlexSim, scenes: SimSection) -> Item:
    return plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])


@pytest.mark.parametrize(("place", "listing"), PLACES)
def test_uploaded_picture_is_listed_by_its_sha1(
    plex: PlexSim, client: PlexClient, item: Item, place: str, listing: str
) -> None:
    assert selected_key(list_pictures(client, item.rating_key, place)).startswith("media://")
    upload_picture(client, item.rating_key, place, jpeg())
    listed = list_pictures(client, item.rating_key, place)
    name = uploaded_key(listed, sha1(jpeg(), usedforsecurity=False).hexdigest())
    assert name.startswith("upload://")
    assert selected_key(listed) == name
    assert len(listed) == 2
    assert item.locks == {place}
    assert plex.counters[f"POST /library/metadata/{{id}}/{listing}"] == 1
    shown = item.images[place].selected
    assert shown is not None
    assert shown.data == jpeg()
    other = "art" if place == "thumb" else "thumb"
    assert len(list_pictures(client, item.rating_key, other)) == 1


@pytest.mark.parametrize("place", ["thumb", "art"])
def test_select_picture_sends_no_bytes(plex: PlexSim, client: PlexClient, item: Item, place: str) -> None:
    for data in (jpeg(), png()):
        upload_picture(client, item.rating_key, place, data)
    first, ours, theirs = list_pictures(client, item.rating_key, place)
    assert theirs.selected
    select_picture(client, item.rating_key, place, ours.key)
    assert selected_key(list_pictures(client, item.rating_key, place)) == ours.key
    select_unlocked(client, item.section.key, item.rating_key, place, first.key)
    assert selected_key(list_pictures(client, item.rating_key, place)) == first.key
    assert item.locks == set()
    assert sum(count for kind, count in plex.counters.items() if kind.startswith("POST")) == 2


def test_upload_and_select_of_nothing_raise(plex: PlexSim, client: PlexClient, item: Item) -> None:
    for wrong in (
        lambda: upload_picture(client, item.rating_key, "thumb", b""),
        lambda: upload_picture(client, 0, "thumb", jpeg()),
        lambda: select_picture(client, item.rating_key, "thumb", ""),
        lambda: list_pictures(client, -1, "thumb"),
    ):
        with pytest.raises(ValueError, match=r"no item|picture"):
            wrong()
    assert not plex.requests


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PictureRefused),
        (415, PictureRefused),
        (401, PlexTokenRefused),
        (403, PlexTokenRefused),
        (404, PlexNotFound),
        (500, PlexTemporaryError),
        (503, PlexServerDown),
    ],
)
def test_upload_refused_bytes_raise_picture_refused(
    plex: PlexSim, client: PlexClient, item: Item, status: int, kind: type[Exception]
) -> None:
    client.connect()
    plex.faults.set(status=status, only="^POST")
    with pytest.raises(kind) as caught:
        upload_picture(client, item.rating_key, "thumb", jpeg())
    assert type(caught.value) is kind
    plex.faults.clear()
    assert len(list_pictures(client, item.rating_key, "thumb")) == 1


def test_upload_while_starting_up_raises_server_down(plex: PlexSim, client: PlexClient, item: Item) -> None:
    client.connect()
    plex.faults.starting_up = True
    with pytest.raises(PlexServerDown):
        upload_picture(client, item.rating_key, "thumb", jpeg())


def test_upload_too_large_raises(client: PlexClient, item: Item) -> None:
    with pytest.raises(PlexTemporaryError, match="500"):
        upload_picture(client, item.rating_key, "thumb", bytes(10 * 1024 * 1024 + 1))


def test_upload_broken_connection_is_not_repeated(plex: PlexSim, client: PlexClient, item: Item) -> None:
    client.connect()
    plex.faults.set(reset=True, only="^POST")
    with pytest.raises(PlexServerDown):
        upload_picture(client, item.rating_key, "thumb", jpeg())
    assert plex.counters["POST /library/metadata/{id}/posters"] == 1


def test_upload_timeout_after_success_keeps_the_picture(plex: PlexSim, connect: Connect, item: Item) -> None:
    client = connect(read_timeout=1.0)
    client.connect()
    plex.faults.set(hang=2.0, hang_after=True, only="^POST")
    with pytest.raises(PlexTemporaryError):
        upload_picture(client, item.rating_key, "thumb", jpeg())
    plex.faults.clear()
    assert uploaded_key(
        list_pictures(client, item.rating_key, "thumb"), sha1(jpeg(), usedforsecurity=False).hexdigest()
    )


def test_pictures_of_missing_item_raise_not_found(client: PlexClient, item: Item) -> None:
    with pytest.raises(PlexNotFound):
        list_pictures(client, 99, "thumb")
    with pytest.raises(PlexNotFound):
        select_picture(client, item.rating_key, "art", "upload://art/none")

"""Pictures of an item in Plex: what is listed, uploading, selecting, giving back (plex 5).

Bytes, never addresses: Plex would have to reach Stash by itself, with a key that ends in its log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from plex.exceptions import PlexPermanentError, PlexTokenRefused

if TYPE_CHECKING:
    from plex.client import PlexClient

# A place, the list of its pictures, and where one of them is selected.
_ENDPOINTS = {"thumb": ("posters", "poster"), "art": ("arts", "art")}


class PictureRefused(PlexPermanentError):
    """Plex does not take these bytes."""

    code = "PictureRefused"


class ListedPicture(NamedTuple):
    """A listed picture. ``key`` is Plex's name for it: for an upload ``upload://`` and the SHA-1 of its bytes at the
    end, ``media://`` for a frame of the video; other schemes come from files beside it and from the internet."""

    key: str
    selected: bool


def list_pictures(client: PlexClient, rating_key: int, place: str) -> list[ListedPicture]:
    """What is listed for ``thumb`` or ``art``. Raises PlexError."""
    answer = client.get(f"{_item_path(rating_key)}/{_ENDPOINTS[place][0]}")
    return [
        ListedPicture(photo.get("ratingKey", ""), photo.get("selected") == "1")
        for photo in answer.iter("Photo")
        if photo.get("ratingKey")
    ]


def upload_picture(client: PlexClient, rating_key: int, place: str, data: bytes) -> None:
    """Add a picture, select it and lock the place. Bytes that are there already make no second entry, but whoever
    calls should have looked: different ones stay for ever. Raises PictureRefused, PlexError."""
    if not data:
        raise ValueError("an empty picture")
    try:
        client.post(f"{_item_path(rating_key)}/{_ENDPOINTS[place][0]}", data)
    except PlexTokenRefused:
        raise
    except PlexPermanentError as error:
        if "(403)" in str(error):  # this token may not write at all: not the picture's fault
            raise
        raise PictureRefused(str(error)) from error


def select_picture(client: PlexClient, rating_key: int, place: str, key: str) -> None:
    """Show a listed picture and lock the place. Raises PlexError."""
    if not key:
        raise ValueError("no picture to select")
    client.put(f"{_item_path(rating_key)}/{_ENDPOINTS[place][1]}?url={quote(key, safe='')}")


def select_unlocked(client: PlexClient, section: int, rating_key: int, place: str, key: str) -> None:
    """Show a listed picture and leave the place to Plex from now on: not locked. Raises PlexError."""
    select_picture(client, rating_key, place, key)
    client.edit(section, rating_key, f"{place}.locked=0")


def remove_picture(client: PlexClient, section: int, rating_key: int, place: str, *, locked: bool) -> None:
    """Show no picture of a place, which Plex locks of itself (plex 5): unlock it unless it is to be ``locked``.

    Raises PlexError.
    """
    client.delete(f"{_item_path(rating_key)}/{place}")
    if not locked:
        client.edit(section, rating_key, f"{place}.locked=0")


def _item_path(rating_key: int) -> str:
    if rating_key <= 0:
        raise ValueError(f"no item: {rating_key}")
    return f"/library/metadata/{rating_key:d}"

"""The pictures of an item in Plex: listing, uploading, selecting, removing (plex 5).

Pictures are sent as bytes, never as addresses: Plex would need access to Stash, with a key that ends up in its log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from plex.exceptions import PlexPermanentError, PlexTokenRefused

if TYPE_CHECKING:
    from plex.client import PlexClient

# By place: the endpoint that lists and takes pictures, and the one that selects a picture.
_ENDPOINTS = {"thumb": ("posters", "poster"), "art": ("arts", "art")}


class PictureRefused(PlexPermanentError):
    """Plex does not take the bytes of a picture."""

    code = "PictureRefused"


class ListedPicture(NamedTuple):
    """A listed picture.

    ``key`` is Plex's name for it: ``upload://`` with the SHA-1 of the bytes at the end for an upload, ``media://`` for
    a frame of the video; other schemes are files beside the video and pictures from the internet.
    """

    key: str
    selected: bool


def list_pictures(client: PlexClient, rating_key: int, place: str) -> list[ListedPicture]:
    """Return the pictures listed for ``thumb`` or ``art``. Raise PlexError."""
    answer = client.get(f"{_item_path(rating_key)}/{_ENDPOINTS[place][0]}")
    return [
        ListedPicture(photo.get("ratingKey", ""), photo.get("selected") == "1")
        for photo in answer.iter("Photo")
        if photo.get("ratingKey")
    ]


def upload_picture(client: PlexClient, rating_key: int, place: str, data: bytes) -> None:
    """Add a picture, select it and lock the place. Raise PictureRefused, PlexError.

    Every upload of new bytes stays in Plex for good, so callers check first whether they are listed already.
    """
    if not data:
        raise ValueError("an empty picture")
    try:
        client.post(f"{_item_path(rating_key)}/{_ENDPOINTS[place][0]}", data)
    except PlexTokenRefused:
        raise
    except PlexPermanentError as error:
        if "(403)" in str(error):  # this token may not write at all
            raise
        raise PictureRefused(str(error)) from error


def select_picture(client: PlexClient, rating_key: int, place: str, key: str) -> None:
    """Show a listed picture and lock the place. Raise PlexError."""
    if not key:
        raise ValueError("no picture to select")
    client.put(f"{_item_path(rating_key)}/{_ENDPOINTS[place][1]}?url={quote(key, safe='')}")


def select_unlocked(client: PlexClient, section: int, rating_key: int, place: str, key: str) -> None:
    """Show a listed picture and unlock the place, so that Plex manages it from now on. Raise PlexError."""
    select_picture(client, rating_key, place, key)
    client.edit(section, rating_key, f"{place}.locked=0")


def remove_picture(client: PlexClient, section: int, rating_key: int, place: str, *, locked: bool) -> None:
    """Show no picture at a place. Raise PlexError.

    Plex locks the place by itself (plex 5); unlock it again unless it should be ``locked``.
    """
    client.delete(f"{_item_path(rating_key)}/{place}")
    if not locked:
        client.edit(section, rating_key, f"{place}.locked=0")


def _item_path(rating_key: int) -> str:
    if rating_key <= 0:
        raise ValueError(f"no item: {rating_key}")
    return f"/library/metadata/{rating_key:d}"

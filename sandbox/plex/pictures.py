"""The posters and backgrounds of one item: the listed ones and the selected one, by SHA-1 of the bytes (plex 5)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field

THUMB, ART = "thumb", "art"
_FOLDERS = {THUMB: "posters", ART: "art"}


@dataclass
class Picture:
    """One entry of the list. ``key`` is what PMS calls its ratingKey, e.g. ``upload://posters/<sha1>``."""

    key: str
    data: bytes
    provider: str | None = None


@dataclass
class PictureSlot:
    """All pictures that an item has for one place, and the selected one. ``stamp`` ends the picture's URL."""

    pictures: list[Picture] = field(default_factory=list)
    selected: Picture | None = None
    stamp: int = 0

    def named(self, key: str) -> Picture | None:
        """Return the listed picture with this key."""
        return next((picture for picture in self.pictures if picture.key == key), None)

    def select(self, picture: Picture | None, stamp: int) -> None:
        """Select ``picture`` (None: nothing). The stamp changes only with the picture, and never goes back."""
        if picture is not self.selected:
            self.stamp = max(stamp, self.stamp + 1)
        self.selected = picture

    def upload(self, place: str, data: bytes, stamp: int) -> Picture:
        """Add bytes and select them; bytes already there are selected without a second entry."""
        key = f"upload://{_FOLDERS[place]}/{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"
        picture = self.named(key)
        if picture is None:
            picture = Picture(key, data)
            self.pictures.append(picture)
        self.select(picture, stamp)
        return picture


def video_frame(seed: int, place: str) -> Picture:
    """Return the picture that PMS takes from the video: a small PNG, different for each item."""
    digest = hashlib.sha1(f"{place}{seed}".encode(), usedforsecurity=False).digest()
    name = digest.hex()
    return Picture(f"media://{name[:1]}/{name[1:]}.bundle/Contents/Thumbnails/{place}1.jpg", _png(digest[:3]))


def initial_pictures(seed: int, place: str, stamp: int) -> PictureSlot:
    """Return the pictures of a newly analysed item."""
    picture = video_frame(seed, place)
    return PictureSlot([picture], picture, stamp)


def content_type(data: bytes) -> str:
    """Return the image's type by its first bytes; PMS ignores the uploader's header."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/jpeg"


def _png(colour: bytes, width: int = 32, height: int = 18) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + colour * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

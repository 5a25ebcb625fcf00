"""A scene's cover from Stash, as bytes (stash 8).

The answer is one of four values, or a StashError if a retry may help.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stash.client import StashUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    import urllib3

    from stash.client import StashClient

# Above about 10 MB Plex answers with 500 (plex 5).
MAX_COVER_BYTES = 10_480_000
# A server that sends a byte now and then never runs into a read timeout.
MAX_DOWNLOAD_S = 120.0
_CHUNK_BYTES = 65_536
_SCREENSHOT_PATH = re.compile(r"/scene/\d+/screenshot$")


@dataclass(frozen=True)
class Cover:
    """A picture that Plex can show. ``etag`` is Stash's for these bytes, "" if it sent none."""

    data: bytes
    etag: str

    @cached_property
    def sha1(self) -> str:
        """The SHA-1 of the bytes, which is part of Plex's name for an upload (plex 5)."""
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class CoverUnchanged:
    """Stash still has the picture whose etag was sent."""


@dataclass(frozen=True)
class NoCover:
    """Stash has no cover: it sent its placeholder."""

    etag: str


@dataclass(frozen=True)
class UnusableCover:
    """Stash has something that Plex cannot show; ``reason`` tells the user what."""

    reason: str
    etag: str


CoverAnswer = Cover | CoverUnchanged | NoCover | UnusableCover


def fetch_cover(
    client: StashClient, url: str, etag: str = "", *, clock: Callable[[], float] = time.monotonic
) -> CoverAnswer:
    """Return the picture at ``url``, or CoverUnchanged if Stash still has the one with this ``etag``.

    Only path and query of ``url`` are used: its host may be one that only a browser can reach. Raise StashUnreachable
    (no answer, an incomplete one, or a page instead of a picture) or StashRefused.
    """
    # Unpacked bytes could be longer than Content-Length says.
    headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
    if etag:
        headers["If-None-Match"] = etag
    response = client.get(path_and_query(url), headers)
    try:
        if response.status == 304 and etag:
            response.read()  # empty, but a connection is only reused once its answer has been read
            return CoverUnchanged()
        if response.status != 200:
            raise StashUnreachable(f"Stash answered {response.status} instead of a cover")
        new_etag = response.headers.get("ETag", "")
        data = _read_body(response, clock)
    finally:
        response.close()
    if data is None:
        return UnusableCover(
            f"the cover is larger than {MAX_COVER_BYTES / 1e6:.0f} MB, which Plex does not take", new_etag
        )
    return _classify(data, response.headers.get("Content-Type", "").partition(";")[0].strip().lower(), new_etag)


def path_and_query(url: str) -> str:
    """Return the path and query to request from our own base address, for an address that Stash gave.

    An ``external_host`` or a proxy's prefix may be in front of the path; our base address has neither.
    """
    split = urlsplit(url)
    match = _SCREENSHOT_PATH.search(split.path)
    path = match[0] if match else "/" + split.path.lstrip("/")
    return path + (f"?{split.query}" if split.query else "")


def image_type(data: bytes) -> str:
    """Return a picture's type by its first bytes: ``jpeg``, ``png``, ``webp``, ``gif``, ``avif``, or ""."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis", b"heic", b"mif1"):
        return "avif"
    return ""


def _classify(data: bytes, claimed: str, etag: str) -> CoverAnswer:
    # Every Plex takes JPEG and PNG, current ones take WebP (plex 5). Other types are not documented.
    kind = image_type(data)
    if kind in ("jpeg", "png", "webp"):
        return Cover(data, etag)
    if kind:
        return UnusableCover(f"the cover is a picture of type {kind.upper()}, which Plex does not show", etag)
    if claimed == "image/svg+xml":
        return NoCover(etag)
    if claimed == "text/html":
        # A login page, or that of a proxy.
        raise StashUnreachable("Stash sent a page instead of a cover")
    if not data:
        raise StashUnreachable("Stash sent an empty cover")
    return UnusableCover("the cover is not a picture of a known type", etag)


def _read_body(response: urllib3.BaseHTTPResponse, clock: Callable[[], float]) -> bytes | None:
    """Return the complete body, or None if it is longer than Plex takes."""
    import urllib3

    stated = response.headers.get("Content-Length", "")
    length = int(stated) if stated.isdecimal() else None
    if length is not None and length > MAX_COVER_BYTES:
        return None
    end = clock() + MAX_DOWNLOAD_S
    data = bytearray()
    try:
        for chunk in response.stream(_CHUNK_BYTES):
            data += chunk
            if len(data) > MAX_COVER_BYTES:
                return None
            if clock() > end:
                raise StashUnreachable(f"Stash did not finish sending a cover in {MAX_DOWNLOAD_S:.0f} s")
    except urllib3.exceptions.HTTPError as error:
        raise StashUnreachable(f"Stash did not finish sending a cover ({type(error).__name__})") from error
    if length is not None and len(data) != length:
        raise StashUnreachable("Stash did not finish sending a cover")
    return bytes(data)

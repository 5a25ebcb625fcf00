"""A scene's cover as bytes, out of Stash (stash 8).

The answer is one of four values, or a StashError where asking again may help.
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
# No cover takes longer, in seconds: a server that sends a byte now and then never runs into a time-out.
MAX_DOWNLOAD_S = 120.0
_CHUNK_BYTES = 65_536
_SCREENSHOT_PATH = re.compile(r"/scene/\d+/screenshot$")


@dataclass(frozen=True)
class Cover:
    """A picture that Plex can show. ``etag`` is Stash's mark of these bytes, "" where it gave none."""

    data: bytes
    etag: str

    @cached_property
    def sha1(self) -> str:
        """The SHA-1 of the bytes: what Plex names an upload by (plex 5)."""
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class CoverUnchanged:
    """Stash still has the picture whose mark was sent along."""


@dataclass(frozen=True)
class NoCover:
    """Stash has none: it sent its placeholder."""

    etag: str


@dataclass(frozen=True)
class UnusableCover:
    """Stash has something that Plex cannot show; ``reason`` is for people and says what it is."""

    reason: str
    etag: str


CoverAnswer = Cover | CoverUnchanged | NoCover | UnusableCover


def fetch_cover(
    client: StashClient, url: str, etag: str = "", *, clock: Callable[[], float] = time.monotonic
) -> CoverAnswer:
    """The picture at ``url``, or Unchanged where Stash still has the one marked ``etag``.

    Only path and query of ``url`` count: its host may be one that only a browser can reach. Raises StashUnreachable
    (no answer, no whole answer, none that is a picture) and StashRefused.
    """
    # Unpacked bytes could be longer than Content-Length says.
    headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
    if etag:
        headers["If-None-Match"] = etag
    response = client.get(path_and_query(url), headers)
    try:
        if response.status == 304 and etag:
            response.read()  # there is none; a connection whose answer was not read to its end is not used again
            return CoverUnchanged()
        if response.status != 200:
            raise StashUnreachable(f"Stash answered {response.status} instead of a cover")
        mark = response.headers.get("ETag", "")
        data = _read_body(response, clock)
    finally:
        response.close()
    if data is None:
        return UnusableCover(f"the cover is larger than {MAX_COVER_BYTES / 1e6:.0f} MB, which Plex does not take", mark)
    return _classify(data, response.headers.get("Content-Type", "").partition(";")[0].strip().lower(), mark)


def path_and_query(url: str) -> str:
    """What of an address that Stash gave is asked of our own base.

    An ``external_host`` or a proxy's prefix may stand in front of the path; at the address we have there is neither.
    """
    split = urlsplit(url)
    found = _SCREENSHOT_PATH.search(split.path)
    path = found[0] if found else "/" + split.path.lstrip("/")
    return path + (f"?{split.query}" if split.query else "")


def image_type(data: bytes) -> str:
    """A picture's type by its first bytes (``jpeg``, ``png``, ``webp``, ``gif``, ``avif``), "" for none of these."""
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


def _classify(data: bytes, claimed: str, mark: str) -> CoverAnswer:
    """JPEG and PNG every Plex takes, WebP those of today (plex 5); of the others nobody knows."""
    kind = image_type(data)
    if kind in ("jpeg", "png", "webp"):
        return Cover(data, mark)
    if kind:
        return UnusableCover(f"the cover is a picture of type {kind.upper()}, which Plex does not show", mark)
    if claimed == "image/svg+xml":
        return NoCover(mark)
    if claimed == "text/html":
        # A login page, or that of a proxy: not the scene's fault.
        raise StashUnreachable("Stash sent a page instead of a cover")
    if not data:
        raise StashUnreachable("Stash sent an empty cover")
    return UnusableCover("the cover is no picture of a known type", mark)


def _read_body(response: urllib3.BaseHTTPResponse, clock: Callable[[], float]) -> bytes | None:
    """The body, whole; None where it is longer than Plex takes."""
    import urllib3

    stated = response.headers.get("Content-Length", "")
    length = int(stated) if stated.isdecimal() else None
    if length is not None and length > MAX_COVER_BYTES:
        return None
    end = clock() + MAX_DOWNLOAD_S
    data = bytearray()
    try:
        for piece in response.stream(_CHUNK_BYTES):
            data += piece
            if len(data) > MAX_COVER_BYTES:
                return None
            if clock() > end:
                raise StashUnreachable(f"Stash did not finish sending a cover in {MAX_DOWNLOAD_S:.0f} s")
    except urllib3.exceptions.HTTPError as error:
        raise StashUnreachable(f"Stash did not finish sending a cover ({type(error).__name__})") from error
    if length is not None and len(data) != length:
        raise StashUnreachable("Stash did not finish sending a cover")
    return bytes(data)

"""Pictures: the server's placeholders, and small valid ones for tests."""

from __future__ import annotations

import struct
import zlib

from .jpeg import jpeg

_PLACEHOLDER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180"><title>{title}</title>'
    '<rect width="320" height="180" fill="#202b33"/><path d="M136 64l56 26-56 26z" fill="#394b59"/></svg>'
)


def png(width: int = 16, height: int = 9, colour: tuple[int, int, int] = (200, 60, 60)) -> bytes:
    """Return a valid PNG of one colour."""
    rows = (b"\x00" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def generated_cover(number: int, at: float) -> bytes:
    """Return the cover "generated" for scene ``number`` at that second: each has another colour."""
    seed = zlib.crc32(f"{number}/{at}".encode())
    return jpeg(64, 36, (seed & 255, seed >> 8 & 255, seed >> 16 & 255))


def placeholder(title: str) -> bytes:
    """Return the SVG for a missing picture: status 200, and its address does not show it (stash 8)."""
    return _PLACEHOLDER.format(title=title).encode()


def content_type(body: bytes) -> str:
    """Return the type that the server detects from the first bytes (stash 8)."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body.lstrip().startswith(b"<svg"):
        return "image/svg+xml"
    return "application/octet-stream"

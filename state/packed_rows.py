"""JSON for the rows of ``written``, compressed against the words that they share.

There is one such row for each item in Plex. At 100,000 scenes the data directory takes 78 MB; with plain JSON in these
two columns it would take 109 MB (``benchmarks/disk.py``). Packing or unpacking a row takes about 0.01 ms. Plain JSON
text is read as well.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

# Never change these: existing rows can only be read with them. What occurs most often stands last.
_WORDS = (
    b'"tagline""director":["rating":"tags":{"genre":["locked":["key":"upload://posters/","sha1":"",'
    b'"address":"/library/metadata//thumb/","state":"kept""unusable""ours","machine":"","pictures":{"thumb":'
    b'{"state":"none","updated_at":17"art":{"state":"none","updated_at":17.0,"etag":"\\"\\""}}}{"fields":{"title":"'
    b'{"fields":["actor","collection","director","genre","originallyAvailableAt","studio","summary","tagline",'
    b'"title","userRating"],"collections":["'
)
# Raw deflate, without zlib's header and checksum; the window holds the words and a usual row.
_WINDOW, _EFFORT, _MEMORY = -12, 9, 5


def pack(value: object) -> bytes:
    """Return a JSON value as it is stored."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    packer = zlib.compressobj(_EFFORT, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return packer.compress(text) + packer.flush()


def unpack(stored: bytes | str) -> Any:
    """Return the value that was packed. Raise zlib.error or ValueError where it is damaged."""
    if isinstance(stored, bytes):
        stored = zlib.decompressobj(_WINDOW, _WORDS).decompress(stored).decode("utf-8", "surrogatepass")
    return json.loads(stored)

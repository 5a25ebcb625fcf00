"""A JPEG of one colour, built by hand: baseline, 8 by 8 blocks, every block but the first equal to the previous one."""

from __future__ import annotations

import struct

# Every quantum is 8, so that a block's first coefficient is its value itself: -128 to 127.
_QUANTA = b"\x00" + b"\x08" * 64
# First coefficients: nine number lengths with codes of four bits. Others: only "end of block", a code of one bit.
_LENGTHS = b"\x00" + bytes([0, 0, 0, 9, *[0] * 12]) + bytes(range(9))
_NOTHING = b"\x10" + bytes([1, *[0] * 15]) + b"\x00"
_JFIF = b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"


def jpeg(width: int = 16, height: int = 9, colour: tuple[int, int, int] = (60, 120, 200)) -> bytes:
    """Return a valid JPEG of one colour (red, green, blue)."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    scan = b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00"
    blocks = -(-width // 8) * -(-height // 8)
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, _JFIF),
            _segment(0xDB, _QUANTA),
            _segment(0xC0, frame),
            _segment(0xC4, _LENGTHS),
            _segment(0xC4, _NOTHING),
            _segment(0xDA, scan),
            _data(_values(colour), blocks),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _values(colour: tuple[int, int, int]) -> list[int]:
    """Return brightness and the two colour differences, each minus 128."""
    red, green, blue = colour
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = (bright - 128, (blue - bright) * 0.564, (red - bright) * 0.713)
    return [max(-128, min(127, round(part))) for part in parts]


def _data(values: list[int], blocks: int) -> bytes:
    bits = "".join(_difference(value) + "0" for value in values)
    bits += (_difference(0) + "0") * 3 * (blocks - 1)
    bits += "1" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return packed.replace(b"\xff", b"\xff\x00")


def _difference(value: int) -> str:
    """Encode the difference to the previous block: the length of its number, then the number, minus one if negative."""
    length = abs(value).bit_length()
    number = value if value > 0 else value + (1 << length) - 1
    return f"{length:04b}" + (f"{number:0{length}b}" if length else "")

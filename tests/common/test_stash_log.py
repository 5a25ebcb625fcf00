"""Lines for Stash's log, as its reader takes them (stash 3)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import stash_log
from tests.hooks.support import ROOT

pytestmark = pytest.mark.integration

STASH_STOPS_AT = 64 * 1024
LEVELS = {"trace": b"t", "debug": b"d", "info": b"i", "warning": b"w", "error": b"e"}


def test_line_has_its_level_and_prefix() -> None:
    assert stash_log.encode("warning", "Ünï") == b"\x01w\x02[Stash2Plex] \xc3\x9cn\xc3\xaf\n"


@pytest.mark.parametrize(("level", "letter"), LEVELS.items())
def test_each_line_of_a_message_has_the_level(level: str, letter: bytes) -> None:
    start = b"\x01" + letter + b"\x02[Stash2Plex] "
    assert stash_log.encode(level, "one\ntwo\r\nthree") == start + b"one\n" + start + b"two\n" + start + b"three\n"


@pytest.mark.parametrize("letter", ["a", "ü", "日", "🎬"])
@pytest.mark.parametrize("length", [59_980, 60_000, 60_001, 70_000, 200_000])
def test_line_is_cut_before_stash_stops_reading(letter: str, length: int) -> None:
    line = stash_log.encode("info", "x" + letter * length)
    assert line.count(b"\n") == 1
    assert len(line) < STASH_STOPS_AT
    text = line.decode()
    assert text.startswith("\x01i\x02[Stash2Plex] x" + letter * 1000)
    assert text.endswith(" ...\n") is (1 + len(letter.encode()) * length > stash_log.MAX_LINE_BYTES)


@given(st.text(max_size=200), st.sampled_from(sorted(LEVELS)))
def test_whatever_is_said_every_line_follows_the_protocol(text: str, level: str) -> None:
    lines = stash_log.encode(level, text).split(b"\n")
    assert lines.pop() == b""
    assert all(line.startswith(b"\x01" + LEVELS[level] + b"\x02[Stash2Plex] ") for line in lines)
    said = [line.decode().partition("[Stash2Plex] ")[2] for line in lines]
    assert said == [row.encode("utf-8", "replace").decode() for row in text.splitlines()]


def test_each_level_has_a_function(capfd: pytest.CaptureFixture[str]) -> None:
    for level in LEVELS:
        getattr(stash_log, level)("x")
    assert capfd.readouterr().err == "".join(f"\x01{letter.decode()}\x02[Stash2Plex] x\n" for letter in LEVELS.values())


@pytest.mark.parametrize(
    ("share", "wanted"), [(0, "0.0000"), (0.42, "0.4200"), (1, "1.0000"), (1.5, "1.0000"), (-1, "0.0000")]
)
def test_progress_is_a_share(share: float, wanted: str, capfd: pytest.CaptureFixture[str]) -> None:
    stash_log.progress(share)
    assert capfd.readouterr().err == f"\x01p\x02{wanted}\n"


def test_closed_log_does_not_stop_the_work() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "from common import stash_log\nfor _ in range(3): stash_log.error('x')\nimport sys; sys.exit(7)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=write_end, check=False)
    os.close(write_end)
    assert done.returncode == 7

"""Paths in what is said, replaced by stand-ins that stay the same."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import config_file_watch, redaction, stash_log
from common.redaction import Redactor
from worker.log_file import open_log

pytestmark = pytest.mark.unit

SECRET = b"a secret of sixteen"
WORD = re.compile(r"~[a-z2-7]{7}")


@pytest.fixture
def shown() -> Redactor:
    return Redactor(SECRET, {"/opt/plugins/Stash2Plex": "<plugin>", "/opt/plugins/Stash2Plex/data": "<data>"})


@pytest.fixture(autouse=True)
def spoken() -> Iterator[None]:
    """Whatever a test does, others speak plainly."""
    yield
    stash_log.set_redactor(None)


# What is secret, how it stands in a sentence; nothing of it may be left.
PATHS = [
    "/data/A film.mp4",
    '/data/it\'s "this" one.mkv',
    "/data/Ünï cödé/日本 語.webm",
    "/data/Mr. Bean vol.2, part (1) [2019]; the end.m4v",
    "/data/a.mp4 backup/b.mp4 copy.mp4",
    "/data/no ending at all",
    "/data/another.ending of.some sort",
    "D:\\Scenes\\A film.mp4",
    "\\\\nas\\share\\A film.mkv",
    "//nas/share/A film.mkv",
    "/data/ends with a dot.",
    "/data/has => arrow.mp4",
    "/data/What is in Plex",
]
SENTENCES = [
    "{}",
    "Stash path: {}",
    "Plex has no item with the file {}; its libraries have the folders /media, /media 2",
    "Plex has no item with the file {}; its libraries lie in /media, /media 2",  # of version 0.1.0
    "Scene 5 was given up after 3 tries: Plex has no item with the file {}",
    "[Errno 13] Permission denied: {!r}",
    "Plex candidates (2): [17 {} (same name, other size); 18 {} (same size)]",
    "'{}' is not a rule: write it like a => b",
    "Stash's {} is Plex's {}, as 12 scenes showed. As a rule for Path map: a => b",
    "3 scenes in {} are not in Plex, although a library has that folder: scan it in Plex",
    'cannot read "{}": no such file',
    "x={} y",
    "file://{}",
    "Chosen: 17 {} (same path)\nOther candidates: [18 {} (same name)]",
    "Every one (of {})",
]


def names(path: str) -> list[str]:
    """The words in a path that would give it away."""
    return [word for word in re.findall(r"\w{3,}", path) if word.lower() not in ("mp4", "mkv", "m4v", "webm")]


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("path", PATHS)
def test_redacted_text_has_no_word_of_a_path(shown: Redactor, path: str, sentence: str) -> None:
    said = shown(sentence.format(path, path))
    around = sentence.replace("{!r}", "").replace("{}", "")
    assert [word for word in names(path) if word not in around and word in WORD.sub("", said)] == []
    assert WORD.search(said)


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("path", PATHS)
def test_twice_is_the_same_as_once(shown: Redactor, path: str, sentence: str) -> None:
    once = shown(sentence.format(path, path))
    assert shown(once) == once


def test_same_name_has_the_same_stand_in_everywhere(shown: Redactor) -> None:
    here, there = (
        shown("Stash /data/x/A film.mp4 -> Plex /media/x/A film.mp4").removeprefix("Stash ").split(" -> Plex ")
    )
    assert here.split("/")[2:] == there.split("/")[2:]
    assert here.split("/")[1] != there.split("/")[1]
    assert here.endswith(".mp4")
    assert Redactor(SECRET)("/data/x/A film.mp4") == here
    assert Redactor(b"another")("/data/x/A film.mp4") != here
    # one name in two forms of Unicode is one
    assert shown.stand_in("/data/u\u0308") == shown.stand_in("/data/\u00fc")


def test_text_around_a_path_stays_readable(shown: Redactor) -> None:
    said = shown("Plex has no item with the file /data/A film.mp4; its libraries have the folders /media, /films")
    assert re.fullmatch(
        rf"Plex has no item with the file /{WORD.pattern}/{WORD.pattern}\.mp4; its libraries have the folders "
        rf"/{WORD.pattern}, /{WORD.pattern}",
        said,
    )
    said = shown("[17 /media/A film.mp4 (same name, other size); 18 /media/b.mp4 (same size)]")
    assert "(same name, other size); 18 " in said
    assert said.endswith("(same size)]")


@pytest.mark.parametrize(
    "text",
    [
        "Plex at http://192.168.1.10:32400 does not answer",
        "Stash at https://stash.lan:9999 answered 500 without data",
        "3/4 done, and/or more, 10 % / 20 %",
        "GET /identity failed",
        "(500) GET /library/sections/1/all <h1>500</h1>",
        "2026-01-01 10:00:00 INFO The worker starts: jobs waiting: 3",
        "Scene 5 already synced (Stash: 17.0 <= Last: 18.0)",
        "sync: title=None",
    ],
)
def test_text_without_a_path_is_unchanged(shown: Redactor, text: str) -> None:
    assert shown(text) == text


def test_query_of_a_request_is_removed(shown: Redactor) -> None:
    said = shown("(500) GET /library/sections/1/all?type=1&file=A%20film.mp4 <h1>busy</h1>")
    assert said == "(500) GET /library/sections/1/all?... <h1>busy</h1>"
    assert "film" not in shown("http://plex:32400/library/sections/1/all?title.value=A%20film&id=5 refused")


def test_our_own_folders_are_named(shown: Redactor) -> None:
    assert (
        shown("Every finding is in /opt/plugins/Stash2Plex/data/report.csv") == "Every finding is in <data>/report.csv"
    )
    assert (
        shown('  File "/opt/plugins/Stash2Plex/worker/dispatcher.py", line 5')
        == '  File "<plugin>/worker/dispatcher.py", line 5'
    )
    assert "<data>" not in shown("/opt/plugins/Stash2Plex/database of mine")


def test_files_that_were_read_are_known_to_the_letter(shown: Redactor) -> None:
    strange = "/data/two\nlines.mp4. secret"
    shown.add_paths([strange, "/data/Holiday in Rome.mp4", "D:\\x\\Sunset beach.mkv", "/data/b.mp4"])
    assert "secret" not in shown(f"Plex has no item with the file {strange} any more")
    assert "lines" not in shown(f"{strange}")
    said = shown("Updated metadata (overwrite mode): Holiday in Rome; then Sunset beach.mkv; not Holiday in Romeo; b")
    assert "Rome;" not in said
    assert "Sunset" not in said
    assert said.endswith("not Holiday in Romeo; b")
    assert shown(said) == said


def test_so_many_files_are_known_and_no_more(shown: Redactor) -> None:
    shown.add_paths(f"/data/film number {number}.mp4" for number in range(redaction.MAX_KNOWN_FILES * 2))
    assert len(shown._stand_ins) <= 3 * redaction.MAX_KNOWN_FILES
    assert "number" not in shown(f"Updated film number {redaction.MAX_KNOWN_FILES * 2 - 1}")


# Names as file systems allow them; a line's end in a name is left to what is known to the letter.
_NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"), min_size=1, max_size=30)


@given(_NAMES, _NAMES, st.sampled_from(SENTENCES))
def test_whatever_a_file_is_called_it_can_be_learned(folder: str, name: str, sentence: str) -> None:
    path = f"/data/{folder}/{name}.mp4"
    speaker = Redactor(SECRET)
    speaker.add_paths([path])
    said = speaker(sentence.format(path, path))
    assert f"/{folder}/{name}.mp4" not in said
    if len(name) > 12 and name.isalnum():
        assert name not in said


@given(st.text(max_size=200))
def test_any_text_can_be_redacted(text: str) -> None:
    speaker = Redactor(SECRET)
    once = speaker(text)
    assert speaker(once) == once


# the setting


def test_secret_survives_processes_and_switching_off(tmp_path: Path) -> None:
    folder = str(tmp_path)
    redaction.load(folder, "/plugin")
    assert stash_log.redacted("/data/x.mp4") == "/data/x.mp4"
    redaction.apply(folder, "/plugin", True)
    first = stash_log.redacted("/data/x.mp4")
    assert first != "/data/x.mp4"
    assert redaction.redact_path("/data/x.mp4") == first
    stash_log.set_redactor(None)
    redaction.load(folder, "/plugin")
    assert stash_log.redacted("/data/x.mp4") == first
    redaction.apply(folder, "/plugin", False)
    assert redaction.redact_path("/data/x.mp4") == "/data/x.mp4"
    redaction.add_paths(["/data/x.mp4"])
    redaction.load(folder, "/plugin")
    assert stash_log.redacted("/data/x.mp4") == "/data/x.mp4"
    redaction.apply(folder, "/plugin", True)
    assert stash_log.redacted("/data/x.mp4") == first
    speaker = stash_log.current_redactor()
    redaction.apply(folder, "/plugin", True)
    assert stash_log.current_redactor() is speaker
    assert stat.S_IMODE(os.stat(tmp_path / config_file_watch.RECORD_FILE).st_mode) == 0o600
    assert os.listdir(tmp_path) == [config_file_watch.RECORD_FILE]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"on": true}', '{"on": true, "secret": 5}', '{"on": true, "secret": "x"}']
)
def test_damaged_record_does_not_break_logging(tmp_path: Path, content: str) -> None:
    (tmp_path / config_file_watch.RECORD_FILE).write_text(content)
    redaction.load(str(tmp_path), "/plugin")
    redaction.apply(str(tmp_path), "/plugin", True)
    first = stash_log.redacted("/data/xxxxx.mp4")
    assert "xxxxx" not in first
    redaction.load(str(tmp_path), "/plugin")
    assert stash_log.redacted("/data/xxxxx.mp4") == first


def test_nowhere_to_remember_it_is_no_reason_to_talk(tmp_path: Path) -> None:
    redaction.apply(str(tmp_path / "missing"), "/plugin", True)
    assert "xxxxx" not in stash_log.redacted("/data/xxxxx.mp4")


def test_stashs_log_is_discreet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    redaction.apply(str(tmp_path), "/plugin", True)
    redaction.add_paths(["/data/Holiday in Rome.mp4"])
    stash_log.warning("LOW CONFIDENCE SKIPPED: scene 1\nStash path: /data/Holiday in Rome.mp4\nPlex candidates (0): []")
    said = capfd.readouterr().err
    assert "Rome" not in said
    assert said.count("\n") == 3


def test_log_file_is_redacted_including_tracebacks(tmp_path: Path) -> None:
    redaction.apply(str(tmp_path), "/plugin", True)
    name = "Stash2Plex"
    logger = logging.getLogger(name)
    handler = open_log(str(tmp_path))
    try:
        try:
            raise OSError(13, "Permission denied", "/data/Holiday in Rome.mp4")
        except OSError:
            logger.exception("Scene %s at %s", 5, "/data/Holiday in Rome.mp4")
        json.dumps("nothing else")
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    text = (tmp_path / "stash2plex.log").read_text()
    assert "Rome" not in text
    assert "Permission denied" in text
    assert "Scene 5 at " in text

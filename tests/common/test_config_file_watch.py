"""Whether settings may have changed since somebody asked for them: judged by the look of Stash's configuration file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import config_file_watch, redaction, stash_log
from common.redaction import Redactor

pytestmark = pytest.mark.unit


def written(folder: Path, text: str, age: float = 60.0) -> dict[str, str]:
    """The configuration file, written so many seconds ago; gives Stash's connection."""
    path = folder / config_file_watch.CONFIG_FILE
    path.write_text(text)
    then = time.time() - age
    os.utime(path, (then, then))
    return {"Dir": str(folder)}


def test_untouched_file_has_the_same_fingerprint(tmp_path: Path) -> None:
    connection = written(tmp_path, "plugins: {}")
    first = config_file_watch.fingerprint(connection, "1")
    assert first == config_file_watch.fingerprint(connection, "1") != ""


def test_whatever_may_have_changed_the_settings_shows(tmp_path: Path) -> None:
    connection = written(tmp_path, "on: false")
    first = config_file_watch.fingerprint(connection, "1")
    assert config_file_watch.fingerprint(connection, "another process of Stash") != first
    written(tmp_path, "on: true")
    assert config_file_watch.fingerprint(connection, "1") != first
    written(tmp_path, "on: false", age=30)
    assert config_file_watch.fingerprint(connection, "1") != first


def test_recently_written_file_never_has_the_same_fingerprint_twice(tmp_path: Path) -> None:
    for age in (0.0, -3600.0):
        connection = written(tmp_path, "on: false", age)
        assert config_file_watch.fingerprint(connection, "1") != config_file_watch.fingerprint(connection, "1")


def test_missing_file_has_no_fingerprint(tmp_path: Path) -> None:
    for connection in ({}, {"Dir": None}, {"Dir": ""}, {"Dir": 5}, {"Dir": str(tmp_path)}, {"Dir": "a\0b"}):
        assert config_file_watch.fingerprint(connection, "1") == ""


def test_file_of_another_name_is_not_the_watched_one() -> None:
    for path in ("/root/.stash/config.yml", "config.yml", "C:\\stash\\config.yml"):
        assert config_file_watch.is_watched_file(path)
    for path in ("", "/root/.stash/other.yml", "/root/config.yml/other", "/root/my-config.yml"):
        assert not config_file_watch.is_watched_file(path)


@given(st.text(max_size=100).filter(lambda text: not config_file_watch.may_contain_path(text)))
def test_text_without_paths_is_not_changed_by_redaction(text: str) -> None:
    assert Redactor(b"secret")(text) == text


# remembering


def known(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / config_file_watch.RECORD_FILE).read_text())
    return found


def test_fingerprint_is_kept_until_the_settings_differ(tmp_path: Path) -> None:
    folder = str(tmp_path)
    redaction.apply(folder, "/plugin", False)
    assert not os.listdir(tmp_path)  # as without a file
    redaction.apply(folder, "/plugin", False, "as first")
    assert (known(tmp_path)["on"], known(tmp_path)["seen"]) == (False, "as first")
    redaction.apply(folder, "/plugin", False)  # the worker, which does not look
    assert known(tmp_path)["seen"] == "as first"
    redaction.apply(folder, "/plugin", True)
    assert (known(tmp_path)["on"], known(tmp_path)["seen"]) == (True, "")
    secret = known(tmp_path)["secret"]
    redaction.apply(folder, "/plugin", True, "as then")
    assert known(tmp_path) == {"on": True, "secret": secret, "seen": "as then"}
    stash_log.set_redactor(None)


def test_unchanged_record_is_not_written_again(tmp_path: Path) -> None:
    for discreet in (True, False):
        redaction.apply(str(tmp_path), "/plugin", discreet, "the same")
        before = os.stat(tmp_path / config_file_watch.RECORD_FILE)
        redaction.apply(str(tmp_path), "/plugin", discreet, "the same")
        redaction.apply(str(tmp_path), "/plugin", discreet)
        after = os.stat(tmp_path / config_file_watch.RECORD_FILE)
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    stash_log.set_redactor(None)

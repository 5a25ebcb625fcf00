"""Scans of the simulated disk (plex 7, 9)."""

from __future__ import annotations

import pytest
import requests

from sandbox.plex import PlexSim
from tests.sandbox.plex.conftest import Wait

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]


def scan(plex: PlexSim, http: requests.Session, query: str = "") -> None:
    answer = http.get(f"{plex.url}/library/sections/1/refresh{query}")
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"", "text/html")


def test_scan_finds_new_vanished_and_moved_files(plex: PlexSim, http: requests.Session) -> None:
    plex.add_section("Scenes", ["/data"])
    plex.disk = {"/data/a/1.mp4": (1, 10.0), "/data/b/2.mp4": (2, 20.0), "/elsewhere/3.mp4": (3, 30.0)}
    scan(plex, http, "?path=%2Fdata%2Fa")
    assert [(item.title, item.guid) for item in plex.items] == [("1", "tv.plex.agents.none://1")]
    scan(plex, http)
    assert [item.title for item in plex.items] == ["1", "2"]
    plex.item(1).title = "Named"
    plex.disk["/data/c/1.mp4"] = plex.disk.pop("/data/a/1.mp4")
    plex.disk["/data/b/2.mp4"] = (22, 20.0)
    scan(plex, http)
    assert [(item.rating_key, item.title) for item in plex.items] == [(2, "2"), (3, "1")]
    assert next(plex.item(2).parts()).size == 22
    scan(plex, http, "?path=%2Fnowhere")
    assert len(plex.items) == 2


def test_trash(plex: PlexSim, http: requests.Session) -> None:
    plex.add_section("Scenes", ["/data"])
    plex.auto_empty_trash = False
    plex.disk = {"/data/1.mp4": (1, 10.0), "/data/2.mp4": (2, 20.0)}
    scan(plex, http)
    gone = plex.disk.pop("/data/1.mp4")
    scan(plex, http)
    assert plex.item(1).deleted_at is not None
    text = http.get(f"{plex.url}/library/sections/1/all?type=1&trash=1").text
    assert text.count("deletedAt=") == 3
    plex.disk["/data/1.mp4"] = gone
    scan(plex, http)
    assert plex.item(1).deleted_at is None
    del plex.disk["/data/1.mp4"]
    scan(plex, http)
    http.put(f"{plex.url}/library/sections/1/emptyTrash")
    assert [item.rating_key for item in plex.items] == [2]
    http.put(f"{plex.url}/:/prefs?autoEmptyTrash=1&nonsense=2")
    assert plex.auto_empty_trash


def test_part_in_the_trash_keeps_the_item(plex: PlexSim, http: requests.Session) -> None:
    section = plex.add_section("Scenes", ["/data"])
    plex.add_item(section, [("/data/v1.mp4", 1, 1.0), ("/data/v2.mp4", 2, 1.0)])
    plex.disk = {"/data/v1.mp4": (1, 1.0)}
    scan(plex, http)
    assert [part.file for part in plex.item(1).parts()] == ["/data/v1.mp4"]
    assert plex.item(1).deleted_at is None


def test_scan_takes_its_delay(plex: PlexSim, http: requests.Session, wait: Wait) -> None:
    section = plex.add_section("Scenes", ["/data"])
    plex.disk = {"/data/1.mp4": (1, 10.0)}
    plex.scanner.delay = plex.scanner.analysis_delay = 0.02
    scan(plex, http)
    wait(lambda: not section.refreshing)
    wait(lambda: plex.item(1).analyzed)


def test_running_scan_is_shown(plex: PlexSim, http: requests.Session) -> None:
    section = plex.add_section("Scenes", ["/data"])
    plex.disk = {"/data/1.mp4": (1, 10.0)}
    plex.scanner.delay = 60
    scan(plex, http)
    assert plex.items == []
    assert 'refreshing="1"' in http.get(f"{plex.url}/library/sections").text
    assert "library.update.section" in http.get(f"{plex.url}/activities").text
    plex.scanner.finish()
    assert not section.refreshing
    assert " thumb=" in http.get(f"{plex.url}/library/metadata/1").text
    plex.scanner.delay, plex.scanner.analysis_delay = 0, 60
    plex.disk["/data/2.mp4"] = (2, 20.0)
    scan(plex, http)
    assert " thumb=" not in http.get(f"{plex.url}/library/metadata/2").text
    http.put(f"{plex.url}/library/metadata/2/analyze")
    assert " thumb=" in http.get(f"{plex.url}/library/metadata/2").text


def test_cancelled_scan_finds_nothing(plex: PlexSim, http: requests.Session) -> None:
    section = plex.add_section("Scenes", ["/data"])
    plex.disk = {"/data/1.mp4": (1, 10.0)}
    plex.scanner.delay = 60
    scan(plex, http)
    http.delete(f"{plex.url}/library/sections/1/refresh")
    assert not section.refreshing
    plex.scanner.finish()
    assert plex.items == []


def test_scan_of_windows_locations(plex: PlexSim, http: requests.Session) -> None:
    plex.add_section("Scenes", ["D:\\Scenes"])
    plex.disk = {"D:\\Scenes\\a\\1.mp4": (1, 1.0), "d:\\scenes\\2.mp4": (1, 1.0), "D:\\Scenes2\\3.mp4": (1, 1.0)}
    scan(plex, http)
    assert [item.title for item in plex.items] == ["1", "2"]


def test_move_file_creates_a_new_item(plex: PlexSim) -> None:
    section = plex.add_section("Scenes", ["/data"])
    plex.load(section, [("/data/1.mp4", 1, 1.0)])
    plex.item(1).title = "Named"
    moved = plex.move_file("/data/1.mp4", "/data/new/1.mp4")
    assert (moved.rating_key, moved.title) == (2, "1")
    assert plex.find("/data/1.mp4") is None
    assert plex.find("/data/new/1.mp4") is moved

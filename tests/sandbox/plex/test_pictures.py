"""Pictures over HTTP (plex 5)."""

from __future__ import annotations

import hashlib
import re

import pytest
import requests

from sandbox.http import HttpServer, Response
from sandbox.plex import PlexSim, Section

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

BASE = "/library/metadata/1"


@pytest.mark.parametrize(("places", "thumb", "folder"), [("posters", "thumb", "posters"), ("arts", "art", "art")])
def test_upload_is_named_by_its_sha1(
    plex: PlexSim, scenes: Section, http: requests.Session, places: str, thumb: str, folder: str
) -> None:
    data = b"\xff\xd8\xff\xe0picture"
    assert http.post(f"{plex.url}{BASE}/{places}", data=data).status_code == 200
    listing = http.get(f"{plex.url}{BASE}/{places}").text
    name = f"upload://{folder}/{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"
    assert f'ratingKey="{name}" selected="1"' in listing
    address = re.search(rf' {thumb}="([^"]+)"', http.get(plex.url + BASE).text)
    assert address is not None
    shown = http.get(plex.url + address[1])
    assert (shown.content, shown.headers["Content-Type"]) == (data, "image/jpeg")
    assert http.get(f"{plex.url}{BASE}/file", params={"url": name}).content == data


def test_frame_is_a_separate_picture(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    frames = {http.get(f"{plex.url}/library/metadata/{key}/thumb/1").content for key in (1, 2, 3)}
    assert len(frames) == 3
    assert all(frame.startswith(b"\x89PNG\r\n") for frame in frames)


def test_upload_size_limit(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert http.post(f"{plex.url}{BASE}/posters", data=b"x" * (10 * 1024 * 1024 + 1)).status_code == 500
    assert http.post(f"{plex.url}{BASE}/posters", data=b"").status_code == 400
    assert plex.item(1).locks == set()
    assert http.post(f"{plex.url}{BASE}/posters", data=b"x" * (10 * 1024 * 1024)).status_code == 200


def test_unknown_picture_is_404(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    assert http.put(f"{plex.url}{BASE}/poster?url=upload://posters/none").status_code == 404
    assert http.delete(f"{plex.url}{BASE}/posters?url=x").status_code == 404
    assert http.get(f"{plex.url}/library/metadata/99/posters").status_code == 404
    assert http.get(f"{plex.url}{BASE}/file?url=none").status_code == 404
    http.delete(f"{plex.url}{BASE}/thumb")
    assert http.get(f"{plex.url}{BASE}/thumb/1").status_code == 404


def test_picture_url_changes_with_the_picture(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    def thumb() -> str:
        found = re.search(r' thumb="([^"]+)"', http.get(plex.url + BASE).text)
        assert found is not None
        return found[1]

    seen = [thumb()]
    for data in (b"one", b"two", b"one"):
        http.post(f"{plex.url}{BASE}/posters", data=data)
        seen.append(thumb())
    assert len(set(seen)) == 4
    http.post(f"{plex.url}{BASE}/posters", data=b"one")
    http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x&addedAt.value=5")
    assert thumb() == seen[-1]


def test_upload_by_url(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    other = HttpServer(lambda request: Response(200 if request.raw_query == "t=1" else 404, b"\x89PNG"))
    other.start()
    try:
        url = f"{plex.url}{BASE}/posters"
        assert http.post(url, params={"url": f"{other.url}/a.png?t=1"}).status_code == 200
        assert http.post(url, params={"url": f"{other.url}/a.png"}).status_code == 500
        assert http.post(url, params={"url": "file:///etc/passwd"}).status_code == 400
        assert "upload://posters/" in http.get(url).text
    finally:
        other.stop()
    assert http.post(url, params={"url": f"{other.url}/a.png?t=1"}).status_code == 500


def test_upload_stays_selected_after_a_later_frame(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.disk = {"/data/new.mp4": (1, 1.0)}
    plex.scanner.analysis_delay = 60
    http.get(f"{plex.url}/library/sections/1/refresh")
    item = plex.find("/data/new.mp4")
    assert item is not None
    base = f"{plex.url}/library/metadata/{item.rating_key}"
    assert "<Photo" not in http.get(f"{base}/posters").text
    http.post(f"{base}/posters", data=b"\xff\xd8\xff\xe0picture")
    plex.scanner.finish()
    listing = http.get(f"{base}/posters").text
    assert re.findall(r'ratingKey="(\w+):[^"]*" selected="(\d)"', listing) == [("media", "0"), ("upload", "1")]
    assert re.findall(r'ratingKey="(\w+):[^"]*" selected="(\d)"', http.get(f"{base}/arts").text) == [("media", "1")]

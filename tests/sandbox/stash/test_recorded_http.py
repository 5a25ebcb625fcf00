"""Pictures, health check and authentication answer as recorded (stash 6, 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.stash import StashSim, png

from .support import ask, golden, running

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

JPEG = bytes.fromhex("ffd8ffe000104a464946000102000001") + b"\x00" * 200
VERSION = b'{"query":"{version{version}}"}'
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
PICTURES = [
    *("cover", "cover-without-t", "cover-range", "cover-not-modified", "cover-missing-is-a-placeholder"),
    *("cover-unknown-scene", "cover-not-a-number", "healthz", "performer-default-image", "studio-default-image"),
    *("plugin-javascript-none", "preview-not-generated"),
]


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StashSim]:
    with running(tmp_path_factory.mktemp("pictures")) as stash:
        stash.generate_cover(1, JPEG)
        yield stash


@pytest.mark.parametrize("name", PICTURES)
def test_picture_and_file_requests_answer_as_recorded(open_server: StashSim, name: str) -> None:
    recorded = golden(f"http/{name}.json")
    wanted: dict[str, str] = recorded["headers"]
    sent: dict[str, Any] = dict(recorded["request"]["headers"])
    if "If-None-Match" in sent:
        sent["If-None-Match"] = ask(open_server, "GET", "/scene/1/screenshot")[1]["etag"]
    status, headers, body = ask(open_server, "GET", recorded["request"]["path"], headers=sent)
    assert status == recorded["status"]
    assert set(wanted) <= set(headers)
    for header in ("content-type", "cache-control", "accept-ranges"):
        assert headers.get(header) == wanted.get(header)
    if "etag" in wanted:
        assert re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"])
    drawn = bytes.fromhex(recorded["starts_with"])
    assert body[: min(len(drawn), 8)] == drawn[:8]
    if name not in ("cover", "cover-without-t", "cover-missing-is-a-placeholder") and "default" not in name:
        assert len(body) == recorded["bytes"]


def test_etag_changes_with_the_bytes_and_link_with_the_scene(open_server: StashSim) -> None:
    link = "{ findScene(id: 2) { paths { screenshot } } }"
    before = open_server.gql(link)["findScene"]["paths"]["screenshot"]
    open_server.scene(2).updated_at = "2026-01-01T00:00:00+11:00"
    after = open_server.gql(link)["findScene"]["paths"]["screenshot"]
    assert before != after
    tags = {ask(open_server, "GET", url.removeprefix(open_server.url))[1]["etag"] for url in (before, after)}
    assert len(tags) == 1
    open_server.generate_cover(2, png())
    _, headers, body = ask(open_server, "GET", "/scene/2/screenshot?t=1")
    assert headers["content-type"] == "image/png"
    assert {headers["etag"]} != tags
    assert body == png()


@pytest.mark.parametrize(
    ("sent", "status", "length"), [("bytes=5-", 206, 211), ("bytes=-4", 206, 4), ("bytes=900-", 416, 0)]
)
def test_range_requests(open_server: StashSim, sent: str, status: int, length: int) -> None:
    answered, headers, body = ask(open_server, "GET", "/scene/1/screenshot?t=1", headers={"Range": sent})
    assert (answered, len(body)) == (status, length)
    assert headers["content-range"].endswith("/216")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StashSim]:
    folder = tmp_path_factory.mktemp("locked")
    with running(folder, username="me", password="secret", api_key="APIKEY", max_session_age=4.0) as stash:
        yield stash


def _same(recorded: dict[str, Any], answered: tuple[int, dict[str, str], bytes]) -> None:
    status, headers, body = answered
    assert status == recorded["status"]
    assert body.decode() == recorded["body"]
    normal = {**headers, "set-cookie": re.sub(r"session=[^;]+", "session=COOKIE", headers.get("set-cookie", ""))}
    for name, value in recorded["headers"].items():
        if name == "set-cookie":
            value, normal[name] = (re.sub("Expires=[^;]+GMT", "Expires=X GMT", text) for text in (value, normal[name]))
        assert normal[name] == value, name


def test_locked_graphql_with_and_without_a_key(locked: StashSim) -> None:
    _same(golden("http/auth-graphql-nobody.json"), ask(locked, "POST", "/graphql", VERSION, JSON))
    right = {**JSON, "ApiKey": "APIKEY"}
    _same(golden("http/auth-graphql-right-key.json"), ask(locked, "POST", "/graphql", VERSION, right))
    wrong = {**JSON, "ApiKey": "nope"}
    _same(golden("http/auth-graphql-wrong-key.json"), ask(locked, "POST", "/graphql", VERSION, wrong))


def test_locked_graphql_with_a_plugins_cookie(locked: StashSim) -> None:
    locked.gql('mutation { sceneUpdate(input: {id: 1, code: "x"}) { id } }')
    cookie = locked.processes[-1].input["server_connection"]["SessionCookie"]["Value"]
    answer = ask(locked, "POST", "/graphql", VERSION, {**JSON, "Cookie": f"session={cookie}"})
    _same(golden("http/auth-graphql-plugin-cookie.json"), answer)


def test_locked_pictures_and_assets(locked: StashSim) -> None:
    _same(golden("http/auth-image-nobody.json"), ask(locked, "GET", "/scene/1/screenshot"))
    _same(golden("http/auth-plugin-asset-nobody.json"), ask(locked, "GET", "/plugin/Probe/assets/x.js"))
    status = golden("behaviour.json")["image with ?apikey=: status"]
    assert ask(locked, "GET", "/scene/1/screenshot?apikey=APIKEY")[0] == status
    assert ask(locked, "GET", "/healthz")[::2] == (200, b".")
    assert ask(locked, "GET", "/login?returnURL=%2F")[1]["content-type"].startswith("text/html")


def test_login_and_logout(locked: StashSim) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(locked, "POST", "/login", b"username=me&password=wrong", form)[0] == 401
    _, headers, _ = ask(locked, "POST", "/login", b"username=me&password=secret", form)
    cookie = headers["set-cookie"].partition(";")[0]
    assert ask(locked, "POST", "/graphql", VERSION, {**JSON, "Cookie": cookie})[0] == 200
    assert "Max-Age=0" in ask(locked, "GET", "/logout")[1]["set-cookie"]


def test_plugin_files_are_served(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        folder = stash.core.plugins.folder / "Page"
        (folder / "public").mkdir(parents=True)
        ui = "javascript: [a.js, 'https://example.org/b.js']\n  css: [a.css]\n  assets:\n    /: public"
        (folder / "Page.yml").write_text(f"name: Page\nui:\n  {ui}\n")
        (folder / "a.js").write_text("one();")
        (folder / "a.css").write_text("a{}")
        (folder / "public" / "x.txt").write_text("hello")
        (folder / "secret.txt").write_text("secret")
        stash.reload_plugins()
        assert ask(stash, "GET", "/plugin/Page/javascript")[2] == b"one();"
        assert ask(stash, "GET", "/plugin/Page/css")[1]["content-type"] == "text/css"
        assert ask(stash, "GET", "/plugin/Page/assets/x.txt")[2] == b"hello"
        assert ask(stash, "GET", "/plugin/Page/assets/../secret.txt")[0] == 404
        assert ask(stash, "GET", "/plugin/None/javascript")[0] == 404
        stash.set_plugin_enabled("Page", False)
        assert ask(stash, "GET", "/plugin/Page/javascript")[0] == 400
        assert stash.gql("{ plugins { id paths { javascript } } }")["plugins"][0]["paths"]["javascript"] == [
            f"{stash.url}/plugin/Page/javascript"
        ]


def test_generated_cover_is_a_jpeg_as_recorded(open_server: StashSim) -> None:
    open_server.generate_cover(3)
    _, headers, body = ask(open_server, "GET", "/scene/3/screenshot")
    assert headers["content-type"] == "image/jpeg"
    # ignore the version in its header
    recorded = bytes.fromhex(golden("http/cover.json")["starts_with"])
    assert body[:11] == recorded[:11]
    markers = [body[at : at + 2] for at in range(len(body) - 1) if body[at] == 0xFF and body[at + 1] != 0]
    assert [marker.hex() for marker in markers] == ["ffd8", "ffe0", "ffdb", "ffc0", "ffc4", "ffc4", "ffda", "ffd9"]
    open_server.generate_cover(4)
    assert ask(open_server, "GET", "/scene/4/screenshot")[2] != body


@pytest.mark.parametrize("sent", ["*", "W/{}", '"other", {}', '"other"'])
def test_if_none_match_is_compared_as_in_go(open_server: StashSim, sent: str) -> None:
    mark = ask(open_server, "GET", "/scene/1/screenshot")[1]["etag"]
    status, _, body = ask(open_server, "GET", "/scene/1/screenshot", headers={"If-None-Match": sent.format(mark)})
    assert (status, body == b"") == ((200, False) if sent == '"other"' else (304, True))

"""Covers from a Stash over real HTTP, and from servers that send something else."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

import stash.covers
from sandbox.http import HttpServer, Request, Response
from sandbox.library import generate
from sandbox.stash import StashSim, png
from sandbox.stash.jpeg import jpeg
from stash.client import StashClient, StashRefused, StashUnreachable
from stash.covers import (
    MAX_COVER_BYTES,
    Cover,
    CoverUnchanged,
    NoCover,
    UnusableCover,
    fetch_cover,
    image_type,
    path_and_query,
)

pytestmark = pytest.mark.integration

ADDRESS = "{ findScene(id: 1) { paths { screenshot } } }"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
AVIF = b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00"


def connection(server: StashSim | HttpServer, cookie: str = "", **more: Any) -> dict[str, Any]:
    return {"Scheme": "http", "Host": "127.0.0.1", "Port": server.port, "SessionCookie": {"Value": cookie}, **more}


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient(connection(stash), timeout=(2.0, 5.0))) as found:
        yield found


def cover_is(stash: StashSim, body: bytes | None) -> None:
    stash.store.scenes.change(1, lambda row: setattr(row, "cover", body))


def address(stash: StashSim) -> str:
    found = stash.gql(ADDRESS)["findScene"]["paths"]["screenshot"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("body", [png(), jpeg(), WEBP], ids=["png", "jpeg", "webp"])
def test_fetch_cover_returns_bytes_with_etag(stash: StashSim, client: StashClient, body: bytes) -> None:
    cover_is(stash, body)
    cover = fetch_cover(client, address(stash))
    assert isinstance(cover, Cover)
    assert cover.data == body
    assert cover.sha1 == sha1(body, usedforsecurity=False).hexdigest()
    assert cover.etag.startswith('"')
    assert stash.counters["image"] == 1


def test_fetch_cover_with_current_etag_is_unchanged(stash: StashSim, client: StashClient) -> None:
    cover_is(stash, jpeg())
    first = fetch_cover(client, address(stash))
    assert isinstance(first, Cover)
    stash.scene(1).updated_at = "2031-01-01T00:00:00Z"  # the address is new, the picture is not
    assert fetch_cover(client, address(stash), first.etag) == CoverUnchanged()
    cover_is(stash, jpeg(colour=(1, 2, 3)))
    again = fetch_cover(client, address(stash), first.etag)
    assert isinstance(again, Cover)
    assert again.data == jpeg(colour=(1, 2, 3))


def test_fetch_cover_unchanged_reuses_the_connection(stash: StashSim, client: StashClient) -> None:
    cover_is(stash, jpeg())
    etag = getattr(fetch_cover(client, address(stash)), "etag", "")
    assert [fetch_cover(client, address(stash), etag) for _ in range(3)] == [CoverUnchanged()] * 3
    pools = client._pools.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - it is no mapping


def test_fetch_cover_placeholder_is_no_cover(stash: StashSim, client: StashClient) -> None:
    cover_is(stash, None)
    none = fetch_cover(client, address(stash))
    assert isinstance(none, NoCover)
    assert fetch_cover(client, address(stash), none.etag) == CoverUnchanged()


@pytest.mark.parametrize(
    ("body", "words"), [(GIF, "type GIF"), (AVIF, "type AVIF"), (b"\x00\x01what", "not a picture of a known type")]
)
def test_fetch_cover_unsupported_type_is_unusable_with_reason(
    stash: StashSim, client: StashClient, body: bytes, words: str
) -> None:
    cover_is(stash, body)
    found = fetch_cover(client, address(stash))
    assert isinstance(found, UnusableCover)
    assert words in found.reason
    assert fetch_cover(client, address(stash), found.etag) == CoverUnchanged()


def test_fetch_cover_over_ten_megabytes_is_unusable(stash: StashSim, client: StashClient) -> None:
    head = jpeg()
    cover_is(stash, head + bytes(MAX_COVER_BYTES - len(head)))
    assert isinstance(fetch_cover(client, address(stash)), Cover)
    cover_is(stash, head + bytes(MAX_COVER_BYTES - len(head) + 1))
    found = fetch_cover(client, address(stash))
    assert isinstance(found, UnusableCover)
    assert "larger than 10 MB" in found.reason


@pytest.mark.parametrize(
    "outside", ["https://stash.example", "https://far.example/stash", "http://stash-container:9999"]
)
def test_fetch_cover_ignores_host_of_the_url(tmp_path: Path, outside: str) -> None:
    with (
        StashSim(tmp_path / "stash", library=generate(scenes=2), external_host=outside) as server,
        closing(StashClient(connection(server))) as client,
    ):
        cover_is(server, png())
        assert address(server).startswith(outside)
        assert isinstance(fetch_cover(client, address(server)), Cover)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://stash:9999/scene/7/screenshot?t=17", "/scene/7/screenshot?t=17"),
        ("https://far.example/a/b/scene/7/screenshot?t=17", "/scene/7/screenshot?t=17"),
        ("/scene/7/screenshot", "/scene/7/screenshot"),
        ("https://x.example/custom/cover.png", "/custom/cover.png"),
        ("https://user:pw@evil.example//elsewhere.example/p", "/elsewhere.example/p"),
        ("@elsewhere.example/p", "/@elsewhere.example/p"),
        ("", "/"),
    ],
)
def test_path_and_query_drops_host_and_prefix(url: str, asked: str) -> None:
    assert path_and_query(url) == asked


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_fetch_cover_accepts_self_signed_certificate(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stash", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        StashSim(tmp_path / "stash", library=generate(scenes=2), tls=context) as server,
        closing(StashClient({**connection(server), "Scheme": "https"})) as client,
    ):
        cover_is(server, png())
        assert isinstance(fetch_cover(client, "/scene/1/screenshot"), Cover)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[StashSim]:
    """A Stash with a password and an API key, and a cover."""
    with StashSim(
        tmp_path / "locked", library=generate(scenes=2), username="me", password="pw", api_key="the-key"
    ) as found:
        cover_is(found, png())
        yield found


def test_fetch_cover_authenticates_and_refreshes_the_session(locked: StashSim) -> None:
    cookie = locked.core.sessions.issue("me")
    assert cookie is not None
    with closing(StashClient(connection(locked, cookie))) as client:
        assert isinstance(fetch_cover(client, "/scene/1/screenshot"), Cover)
        assert client.credentials()["SessionCookie"]["Value"] != cookie
    with closing(StashClient(connection(locked, "garbled", ApiKey="the-key"))) as client:
        assert isinstance(fetch_cover(client, "/scene/1/screenshot"), Cover)


@pytest.mark.parametrize("more", [{}, {"ApiKey": "another"}], ids=["to the login page", "wrong key"])
def test_fetch_cover_login_redirect_raises_refused(locked: StashSim, more: dict[str, str]) -> None:
    with (
        closing(StashClient(connection(locked, "garbled", **more))) as client,
        pytest.raises(StashRefused, match="next save or task"),
    ):
        fetch_cover(client, "/scene/1/screenshot")
    assert len(locked.requests) == 1  # the redirect was not followed


def html(request: Request) -> Response:
    return Response(200, b"<!DOCTYPE html><title>Login</title>", [("Content-Type", "text/html; charset=utf-8")])


def cut(request: Request) -> Response:
    return Response(200, jpeg(), [("Content-Type", "image/jpeg"), ("Content-Length", "5000")])


def trap(request: Request) -> Response:
    return Response(302, b"", [("Location", "http://127.0.0.1:9/elsewhere")])


ODD: list[tuple[Callable[[Request], Response], str]] = [
    (html, "a page instead of a cover"),
    (lambda _: Response(200, b"", [("Content-Type", "image/jpeg")]), "empty cover"),
    (cut, "did not finish"),
    (trap, "answered 302"),
    (lambda _: Response(304), "answered 304"),
    (lambda _: Response(404, b"404 page not found"), "answered 404"),
    (lambda _: Response(502, b"<html>Bad Gateway</html>", [("Content-Type", "text/html")]), "answered 502"),
    (lambda _: Response(drop=True), "does not answer"),
]


@pytest.mark.parametrize(("answer", "words"), ODD, ids=[words for _, words in ODD])
def test_fetch_cover_wrong_answer_raises_unreachable_with_reason(
    answer: Callable[[Request], Response], words: str
) -> None:
    server = HttpServer(answer)
    server.start()
    try:
        with (
            closing(StashClient(connection(server), timeout=(2.0, 0.5))) as client,
            pytest.raises(StashUnreachable, match=words),
        ):
            fetch_cover(client, "/scene/1/screenshot")
    finally:
        server.stop()


def test_fetch_cover_too_large_without_content_length_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stash.covers, "MAX_COVER_BYTES", 1000)
    body = jpeg() + bytes(2000)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    server = HttpServer(lambda _: Response(200, chunks, [("Transfer-Encoding", "chunked"), ("Content-Length", "")]))
    server.start()
    try:
        with closing(StashClient(connection(server))) as client:
            assert isinstance(fetch_cover(client, "/scene/1/screenshot"), UnusableCover)
    finally:
        server.stop()


def test_fetch_cover_endless_answer_raises_unreachable(stash: StashSim, client: StashClient) -> None:
    cover_is(stash, jpeg())
    moments = iter([0.0, 200.0])
    with pytest.raises(StashUnreachable, match="120 s"):
        fetch_cover(client, "/scene/1/screenshot", clock=lambda: next(moments))


def test_fetch_cover_without_server_raises_unreachable(stash: StashSim, client: StashClient) -> None:
    stash.faults.refuse()
    with pytest.raises(StashUnreachable, match="does not answer"):
        fetch_cover(client, "/scene/1/screenshot")


def test_image_type_is_read_from_first_bytes() -> None:
    assert [image_type(data) for data in (jpeg(), png(), WEBP, GIF, AVIF, b"<svg/>", b"")] == [
        *("jpeg", "png", "webp", "gif", "avif", "", "")
    ]

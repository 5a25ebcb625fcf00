"""The Plex client: when it sends requests, with what identity, and how it handles a faulty server."""

from __future__ import annotations

import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex.client import PlexClient, client_identifier
from plex.exceptions import PlexNotFound, PlexPermanentError, PlexServerDown, PlexTemporaryError, PlexTokenRefused
from sandbox.http import HttpServer, Request, Response
from sandbox.plex import PlexSim
from sandbox.plex.model import Section as SimSection
from settings.config import Stash2PlexConfig
from tests.plex.conftest import Connect

pytestmark = pytest.mark.integration


def test_client_connects_on_first_use_with_one_request(plex: PlexSim, client: PlexClient) -> None:
    assert plex.counters == Counter()
    assert client.server.friendlyName == "Sandbox Plex"
    assert client.machine_identifier == plex.identity.machine_identifier
    _ = client.server
    assert plex.counters == Counter({"GET /": 1})


def test_error_text_has_words_of_html_and_all_of_plex_xml(
    plex: PlexSim, client: PlexClient, scenes: SimSection
) -> None:
    client.connect()
    plex.faults.set(status=400)
    with pytest.raises(PlexPermanentError) as caught:
        client.edit(1, 1, "title.value=x")
    assert "400 Bad Request" in str(caught.value)
    assert "<" not in str(caught.value)
    plex.faults.clear()
    plex.faults.set(starting_up=True)
    with pytest.raises(PlexServerDown) as caught_later:
        client.edit(1, 1, "title.value=x")
    assert "still starting up" in str(caught_later.value)


def test_each_call_is_one_request(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    client.connect()
    plex.reset_counters()
    client.libraries()
    client.get(f"/library/metadata/{item.rating_key}")
    client.edit(scenes.key, item.rating_key, "title.value=New")
    assert plex.counters == Counter(
        {"GET /library/sections": 1, "GET /library/metadata/{ids}": 1, "PUT /library/sections/{k}/all": 1}
    )
    assert plex.hidden_reloads == 0
    assert item.title == "New"


def test_libraries_have_keys_titles_and_types(plex: PlexSim, client: PlexClient) -> None:
    plex.add_section("Scenes")
    plex.add_section("Séries", type="show")
    told = [(section.key, section.title, section.type) for section in client.libraries()]
    assert told == [(1, "Scenes", "movie"), (2, "Séries", "show")]


def test_refused_connection_raises_server_down_until_plex_is_back(plex: PlexSim, client: PlexClient) -> None:
    plex.faults.refuse()
    with pytest.raises(PlexServerDown) as caught:
        client.connect()
    assert "plex-token" not in str(caught.value)
    plex.faults.accept()
    assert client.libraries() == []


def test_connect_wrong_token_raises_server_down_with_advice(connect: Connect) -> None:
    client = connect(token="not-the-right-one")
    with pytest.raises(PlexServerDown) as caught:
        client.connect()
    assert type(caught.value) is PlexTokenRefused
    assert "token" in str(caught.value)
    assert "not-the-right-one" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_connect_any_error_status_raises_server_down(plex: PlexSim, client: PlexClient, status: int) -> None:
    plex.faults.status = status
    with pytest.raises(PlexServerDown):
        client.connect()


def test_connect_to_other_server_raises_server_down() -> None:
    server = HttpServer(lambda request: Response(200, b"<html><p>Welcome to nginx!</html>"))
    server.start()
    client = PlexClient(server.url, "plex-token")
    try:
        with pytest.raises(PlexServerDown):
            client.connect()
    finally:
        client.close()
        server.stop()


def test_redirects_are_followed_by_reads_only(plex: PlexSim, scenes: SimSection) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    target = plex.url

    def handle(request: Request) -> Response:
        query = f"?{request.raw_query}" if request.raw_query else ""
        return Response(301, b"", [("Location", f"{target}{request.path}{query}")])

    proxy = HttpServer(handle)
    proxy.start()
    client = PlexClient(proxy.url, "plex-token")
    try:
        assert [section.title for section in client.libraries()] == [scenes.title]
        with pytest.raises(PlexTemporaryError, match="301"):
            client.edit(scenes.key, item.rating_key, "title.value=New")
    finally:
        client.close()
        proxy.stop()
    assert item.title != "New"


def test_get_incomplete_answer_raises_temporary_error(plex: PlexSim, client: PlexClient) -> None:
    client.connect()
    plex.faults.set(corrupt="half")
    with pytest.raises(PlexTemporaryError, match="did not finish its answer") as caught:
        client.libraries()
    assert not isinstance(caught.value, PlexServerDown)


def test_read_timeout_of_the_client_is_used(plex: PlexSim, connect: Connect) -> None:
    client = connect(connect_timeout=3.0, read_timeout=1.0)
    client.connect()
    server: Any = client.server
    assert server._timeout == (3.0, 1.0)
    plex.faults.hang = True
    with pytest.raises(PlexTemporaryError) as caught:
        client.get("/library/sections")
    assert not isinstance(caught.value, PlexServerDown)
    plex.faults.clear()
    assert client.libraries() == []


def test_client_ignores_proxies_of_the_environment(
    plex: PlexSim, client: PlexClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    def proxy(request: Request) -> Response:
        asked.append(request)
        return Response(502)

    server = HttpServer(proxy)
    server.start()
    try:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert client.libraries() == []
    finally:
        server.stop()
    assert asked == []


def test_client_identifier_is_sent_and_stable(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    def handle(request: Request) -> Response:
        seen.append(request.headers)
        return Response(200, b'<MediaContainer size="0"/>', [("Content-Type", "text/xml;charset=utf-8")])

    server = HttpServer(handle)
    server.start()
    try:
        for _ in range(2):
            client = PlexClient(server.url, "plex-token", identifier=client_identifier(str(tmp_path)))
            client.get("/library/sections")
            client.close()
    finally:
        server.stop()
    names = {headers["x-plex-client-identifier"] for headers in seen}
    assert len(seen) == 4
    assert names == {client_identifier(str(tmp_path))}
    assert {headers["x-plex-product"] for headers in seen} == {"Stash2Plex"}
    assert {headers["x-plex-token"] for headers in seen} == {"plex-token"}


def test_from_config_takes_address_token_and_identifier_from_the_settings(tmp_path: Path, plex: PlexSim) -> None:
    config = Stash2PlexConfig(plex_url=plex.url, plex_token=plex.token)
    client = PlexClient.from_config(config, str(tmp_path))
    client.connect()
    client.close()
    assert (tmp_path / "client_id").exists()


@pytest.mark.parametrize(("most", "timeouts"), [(float("inf"), (7.0, 90.0)), (5.0, (5.0, 5.0)), (80.0, (7.0, 80.0))])
def test_from_config_with_a_maximum_shortens_the_timeouts(most: float, timeouts: tuple[float, float]) -> None:
    config = Stash2PlexConfig(plex_url="http://plex", connect_timeout=7.0, read_timeout=90.0)
    client = PlexClient.from_config(config, max_connect_timeout=most, max_read_timeout=most)
    assert client._timeout == timeouts


def test_client_identifier_is_made_once_per_data_directory(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = client_identifier(str(tmp_path / "one"))
    assert first == client_identifier(str(tmp_path / "one"))
    assert first != client_identifier(str(tmp_path / "two"))
    assert stat.S_IMODE(os.stat(tmp_path / "one" / "client_id").st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe"], ids=["empty", "blank", "garbage"])
def test_client_identifier_unreadable_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "client_id").write_bytes(content)
    made = client_identifier(str(tmp_path))
    assert made.startswith("stash2plex-")
    assert client_identifier(str(tmp_path)) == made


def test_request_over_closed_idle_connection_is_repeated(plex: PlexSim, client: PlexClient, scenes: SimSection) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    client.libraries()
    plex.reset_counters()
    plex.faults.close_idle()
    assert len(client.libraries()) == 1
    plex.faults.close_idle()
    client.edit(scenes.key, item.rating_key, "title.value=After+the+break")
    assert item.title == "After the break"
    assert plex.counters["GET /library/sections"] == 1
    assert plex.puts == 1


def test_request_reset_every_time_is_sent_twice_only(plex: PlexSim, client: PlexClient) -> None:
    client.connect()
    plex.reset_counters()
    plex.faults.reset = True
    with pytest.raises(PlexServerDown):
        client.libraries()
    assert plex.counters["GET /library/sections"] == 2


def test_edit_timeout_is_not_repeated(plex: PlexSim, connect: Connect, scenes: SimSection) -> None:
    item = plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    client = connect(read_timeout=1.0)
    client.connect()
    plex.faults.set(hang=True, hang_after=True, only="PUT")
    with pytest.raises(PlexTemporaryError):
        client.edit(scenes.key, item.rating_key, "title.value=Twice")
    plex.faults.clear()
    assert plex.puts == 1


@given(
    section=st.integers(max_value=3), rating_key=st.integers(max_value=3), query=st.sampled_from(["", "title.value=x"])
)
def test_edit_without_item_or_section_raises(section: int, rating_key: int, query: str) -> None:
    sent: list[str] = []

    class Listening(PlexClient):
        def put(self, key: str) -> None:
            sent.append(key)

    client = Listening("http://127.0.0.1:9", "plex-token")
    if section > 0 and rating_key > 0 and query:
        client.edit(section, rating_key, query)
        assert sent == [f"/library/sections/{section}/all?type=1&id={rating_key}&title.value=x"]
    else:
        with pytest.raises(ValueError, match="needs a section, an item and something to write"):
            client.edit(section, rating_key, query)
        assert sent == []


def test_get_unknown_item_raises_not_found(client: PlexClient) -> None:
    with pytest.raises(PlexNotFound):
        client.get("/library/metadata/12345")


def test_closed_client_reconnects_on_use(plex: PlexSim, client: PlexClient) -> None:
    client.libraries()
    client.close()
    client.close()
    client.libraries()
    assert plex.counters["GET /"] == 2


def test_client_ignores_plexapi_configuration_of_the_user(
    plex: PlexSim, client: PlexClient, scenes: SimSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLEXAPI_PLEXAPI_AUTORELOAD", "true")
    plex.add_item(scenes, [("/data/a.mp4", 1, 1.0)])
    server: Any = client.server
    [item] = server.library.section("Scenes").all()
    assert item.tagline is None
    assert list(item.labels) == []
    assert plex.hidden_reloads == 0

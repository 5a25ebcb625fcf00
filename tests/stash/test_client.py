"""The Stash client over real HTTP: sessions, API keys, and everything that can go wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sandbox.stash.auth
import stash.client
from common.errors import UserFacingError
from sandbox.library import generate
from sandbox.stash import StashSim
from stash.client import StashClient, StashError, StashQueryError, StashRefused, StashUnreachable, stash_interface

pytestmark = pytest.mark.integration

VERSION = "{ version { version } }"
TITLE = "{ findScene(id: 1) { title } }"


def connection(server: StashSim, cookie: str | None = "", **more: Any) -> dict[str, Any]:
    """Return what Stash hands to a plugin; ``cookie`` "" is a fresh one."""
    if cookie == "":
        cookie = server.core.sessions.issue(server.core.sessions.username)
    value = {"Name": "session", "Value": cookie} if cookie else None
    return {"Scheme": "http", "Host": "127.0.0.1", "Port": server.port, "SessionCookie": value, **more}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[StashSim]:
    """A Stash with a password and an API key, whose sessions last two seconds."""
    with StashSim(
        tmp_path / "locked",
        library=generate(scenes=3),
        username="me",
        password="pw",
        api_key="the-key",
        max_session_age=2.0,
    ) as found:
        yield found


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    """A client of the open Stash with short timeouts."""
    with closing(StashClient(connection(stash), timeout=(2.0, 5.0))) as found:
        yield found


def test_call_returns_the_data_of_a_document(stash: StashSim, client: StashClient) -> None:
    query = "query X($id: ID) { findScene(id: $id) { title } }"
    assert client.call(query, {"id": "1"}) == {"findScene": {"title": stash.scene(1).title}}
    assert client.call(query, {"id": "999"}) == {"findScene": None}
    assert [(seen.method, seen.path, seen.auth) for seen in stash.requests] == [("POST", "/graphql", "cookie")] * 2


class Clock:
    """The server's time, which the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(sandbox.stash.auth, "time", SimpleNamespace(time=lambda: self.now))


def test_call_keeps_the_refreshed_cookie(locked: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    first = connection(locked)
    with closing(StashClient(first)) as client, closing(StashClient(first)) as idle:
        for _ in range(5):
            clock.now += 1.5
            assert client.call(VERSION)
        with pytest.raises(StashRefused, match="next save or task has a new one"):
            idle.call(VERSION)
        clock.now += 2.5
        with pytest.raises(StashRefused):
            client.call(VERSION)


def test_cookie_expires_at_follows_the_answers(locked: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stash.client, "time", SimpleNamespace(monotonic=lambda: 100.0))
    with closing(StashClient(connection(locked))) as client:
        assert client.cookie_expires_at == 100.0 + 3600
        client.call(VERSION)
        assert client.cookie_expires_at == 102.0


@pytest.mark.parametrize("cookie", [None, "garbled"])
def test_call_with_invalid_session_raises_refused(locked: StashSim, cookie: str | None) -> None:
    with closing(StashClient(connection(locked, cookie))) as client, pytest.raises(StashRefused):
        client.call(VERSION)


def test_use_api_key_authenticates_without_valid_cookie(locked: StashSim) -> None:
    with closing(StashClient(connection(locked, "garbled"))) as client:
        client.use_api_key("the-key")
        assert client.call(VERSION)
        client.use_api_key("another")
        with pytest.raises(StashRefused):
            client.call(VERSION)
    assert [seen.auth for seen in locked.requests] == ["apikey"] * 2


def test_credentials_return_the_current_session(locked: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    first = connection(locked)
    with closing(StashClient(first)) as client:
        clock.now += 1.5
        client.call(VERSION)
        client.use_api_key("the-key")
        clock.now += 1.5
        handed_on = {**first, **client.credentials()}
        assert handed_on["ApiKey"] == "the-key"
        with closing(StashClient({**handed_on, "ApiKey": ""})) as successor:
            assert successor.call(VERSION)


def test_call_without_credentials_works_on_open_stash(stash: StashSim) -> None:
    with closing(StashClient(connection(stash, None))) as client:
        assert client.call(VERSION)
        assert set(client.headers()) == {"Accept"}
    assert [seen.auth for seen in stash.requests] == ["none"]


def test_base_url_of_wildcard_host_is_loopback(stash: StashSim) -> None:
    for host in ("0.0.0.0", "localhost", "", None):
        with closing(StashClient(connection(stash, Host=host))) as client:
            assert client.call(VERSION)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, "http://localhost:9999"),
        ({"Scheme": "https", "Host": "0.0.0.0", "Port": 443}, "https://127.0.0.1:443"),
        ({"Host": "::", "Port": 1}, "http://[::1]:1"),
        ({"Host": "fe80::1", "Port": 1}, "http://[fe80::1]:1"),
        ({"Host": "[fe80::1]", "Port": 1}, "http://[fe80::1]:1"),
        ({"Host": "192.168.1.5", "Port": 1, "SessionCookie": None}, "http://192.168.1.5:1"),
    ],
)
def test_base_url_is_built_from_the_connection(given: dict[str, Any], base: str) -> None:
    with closing(StashClient(given)) as client:
        assert client.base_url == base


def test_client_ignores_proxies_of_the_environment(stash: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with closing(StashClient(connection(stash))) as client:
        assert client.call(VERSION)


def test_call_refused_connection_raises_unreachable_until_stash_is_back(stash: StashSim, client: StashClient) -> None:
    assert client.call(VERSION)
    stash.faults.refuse()
    with pytest.raises(StashUnreachable, match=rf"Stash at http://127.0.0.1:{stash.port} does not answer"):
        client.call(VERSION)
    stash.faults.accept()
    assert client.call(VERSION)


def test_call_timeout_raises_unreachable(stash: StashSim) -> None:
    stash.faults.hang = True
    began = time.monotonic()
    with closing(StashClient(connection(stash), timeout=(2.0, 0.2))) as client:
        with pytest.raises(StashUnreachable, match="does not answer"):
            client.call(VERSION)
        assert 0.2 <= time.monotonic() - began < 5.0
        stash.faults.hang = False
        with closing(StashClient(connection(stash))) as patient:
            assert patient.call(VERSION)


@pytest.mark.parametrize(
    ("fault", "value", "error", "says"),
    [
        ("status", 502, StashUnreachable, "answered 502 without JSON"),
        ("status", 404, StashUnreachable, "answered 404 without JSON"),
        ("truncate", True, StashUnreachable, "Stash at http"),
        ("unauthorized", True, StashRefused, "does not accept the session"),
        ("resolver_error", "database is locked", StashQueryError, "Stash answered: database is locked"),
    ],
)
def test_call_broken_answer_raises_error_with_reason(
    stash: StashSim, client: StashClient, fault: str, value: object, error: type[StashError], says: str
) -> None:
    setattr(stash.faults, fault, value)
    with pytest.raises(error, match=says) as caught:
        client.call(TITLE)
    assert type(caught.value) is error
    assert isinstance(caught.value, UserFacingError)
    stash.faults.clear()
    assert client.call(TITLE)


def test_call_errors_beside_data_raise(client: StashClient) -> None:
    with pytest.raises(StashQueryError, match="Stash answered: "):
        client.call('{ version { version } findScene(id: "abc") { id } }')


def test_call_invalid_document_raises_short_query_error(client: StashClient) -> None:
    with pytest.raises(StashQueryError, match="nope"):
        client.call("{ nope }")
    with pytest.raises(StashQueryError) as caught:
        client.call(f"{{ {'x' * 2000} }}")
    assert len(str(caught.value)) < 600


def test_stash_interface_uses_our_client_and_session(locked: StashSim, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with closing(StashClient(connection(locked))) as client:
        interface: Any = stash_interface(client)
        assert locked.counters["graphql"] == 0
        for _ in range(3):
            clock.now += 1.5
            found = interface.find_scenes(
                f={"id": {"value": 1, "modifier": "GREATER_THAN"}},
                filter={"per_page": 1, "sort": "id"},
                fragment="id title",
            )
            assert found == [{"id": "2", "title": locked.scene(2).title}]
        assert {scene["id"] for scene in interface.find_scenes(f={}, fragment="id")} == {"1", "2", "3"}
        count, _ = interface.find_scenes(f={}, filter={"per_page": 0}, fragment="id", get_count=True)
        assert count == 3
    assert locked.counters["graphql"] == 5


def test_stash_interface_raises_our_errors(stash: StashSim, client: StashClient) -> None:
    stash.faults.unauthorized = True
    with pytest.raises(StashRefused):
        stash_interface(client).find_scenes(f={}, filter={}, fragment="id")

"""Real errors of plexapi and requests, caused by a faulty server, translated into ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import plexapi.exceptions
import pytest
import requests
from plexapi.server import PlexServer

from common.errors import UserFacingError
from plex.exceptions import (
    PlexError,
    PlexLibraryMissing,
    PlexNotFound,
    PlexPermanentError,
    PlexServerDown,
    PlexTemporaryError,
    PlexTokenRefused,
    status_of,
    translate_plex_exception,
)
from sandbox.http import HttpServer, Request, Response
from sandbox.plex import PlexSim

pytestmark = pytest.mark.unit

TOKEN = "s3cret-token-of-the-owner"


@pytest.fixture
def plex() -> Iterator[PlexSim]:
    with PlexSim(TOKEN) as found:
        yield found


@contextlib.contextmanager
def plexapi_server(plex: PlexSim, *, read_timeout: float = 10.0) -> Iterator[Any]:
    """Yield plexapi's own server object, connected before the fault."""
    with requests.Session() as session:
        session.trust_env = False
        yield PlexServer(plex.url, TOKEN, session=session, timeout=(10.0, read_timeout))


def raised(action: Callable[[], object]) -> Exception:
    """Return the error that an action raises."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - any error is what is wanted
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("status", "original", "kind"),
    [
        (400, plexapi.exceptions.BadRequest, PlexPermanentError),
        (401, plexapi.exceptions.Unauthorized, PlexTokenRefused),
        (403, plexapi.exceptions.BadRequest, PlexTokenRefused),
        (404, plexapi.exceptions.NotFound, PlexNotFound),
        (408, plexapi.exceptions.BadRequest, PlexTemporaryError),
        (409, plexapi.exceptions.BadRequest, PlexTemporaryError),
        (429, plexapi.exceptions.BadRequest, PlexTemporaryError),
        (500, plexapi.exceptions.BadRequest, PlexTemporaryError),
        (502, plexapi.exceptions.BadRequest, PlexTemporaryError),
        (503, plexapi.exceptions.BadRequest, PlexServerDown),
    ],
)
def test_translate_classifies_each_status(
    plex: PlexSim, status: int, original: type[Exception], kind: type[PlexError]
) -> None:
    with plexapi_server(plex) as server:
        plex.faults.status = status
        error = raised(lambda: server.query("/library/sections"))
    assert type(error) is original
    assert status_of(error) == status
    translated = translate_plex_exception(error)
    assert type(translated) is kind
    assert TOKEN not in str(translated)
    assert status in (401, 403) or str(status) in str(translated)


def test_translate_400_while_starting_up_is_server_down(plex: PlexSim) -> None:
    section = plex.add_section("Scenes")
    item = plex.add_item(section, [("/data/a.mp4", 1, 1.0)])
    with plexapi_server(plex) as server:
        plex.faults.starting_up = True
        edit = f"/library/sections/{section.key}/all?type=1&id={item.rating_key}&title.value=x"
        error = raised(lambda: server.query(edit, method=server._session.put))
    assert status_of(error) == 400
    assert type(translate_plex_exception(error)) is PlexServerDown


def test_translate_400_is_permanent_with_the_request(plex: PlexSim) -> None:
    section = plex.add_section("Scenes")
    item = plex.add_item(section, [("/data/a.mp4", 1, 1.0)])
    with plexapi_server(plex) as server:
        edit = f"/library/sections/{section.key}/all?type=1&id={item.rating_key}&originallyAvailableAt.value=never"
        error = translate_plex_exception(raised(lambda: server.query(edit, method=server._session.put)))
    assert type(error) is PlexPermanentError
    assert "(400)" in str(error)
    assert "invalid date" in str(error)


def test_translate_closed_port_is_server_down(plex: PlexSim) -> None:
    with plexapi_server(plex) as server:
        plex.faults.refuse()
        error = raised(lambda: server.query("/library/sections"))
    assert isinstance(error, requests.exceptions.ConnectionError)
    assert type(translate_plex_exception(error)) is PlexServerDown


def test_translate_reset_connection_is_server_down(plex: PlexSim) -> None:
    with plexapi_server(plex) as server:
        plex.faults.reset = True
        error = raised(lambda: server.query("/library/sections"))
    assert isinstance(error, requests.exceptions.ConnectionError)
    assert type(translate_plex_exception(error)) is PlexServerDown


def test_translate_read_timeout_is_temporary(plex: PlexSim) -> None:
    with plexapi_server(plex, read_timeout=1.0) as server:
        plex.faults.hang = True
        error = raised(lambda: server.query("/library/sections"))
    assert isinstance(error, requests.exceptions.ReadTimeout)
    assert type(translate_plex_exception(error)) is PlexTemporaryError


def test_translate_ssl_error_is_server_down_with_advice(plex: PlexSim) -> None:
    with requests.Session() as session:
        session.trust_env = False
        error = raised(lambda: session.get(plex.url.replace("http:", "https:"), timeout=1))
    translated = translate_plex_exception(error)
    assert type(translated) is PlexServerDown
    assert "use http://" in str(translated)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body><p>Log in to the proxy</body></html>", PlexTemporaryError),
        (b'<?xml version="1.0"?><MediaContainer size="2"><Video title="cut', PlexTemporaryError),
        (b"{}", PlexTemporaryError),
        (b"", PlexTemporaryError),
        (b" \n ", PlexTemporaryError),
    ],
    ids=["a proxy's page", "half an answer", "not xml", "nothing", "blanks"],
)
def test_get_unreadable_answer_raises_temporary_error(body: bytes, kind: type[PlexError]) -> None:
    from plex.client import PlexClient

    answers = [b'<MediaContainer machineIdentifier="m" version="1"/>', body]

    def handle(request: Request) -> Response:
        return Response(200, answers[0 if request.path == "/" else 1], [("Content-Type", "text/xml;charset=utf-8")])

    server = HttpServer(handle)
    server.start()
    client = PlexClient(server.url, TOKEN)
    try:
        error = raised(lambda: client.get("/library/sections"))
    finally:
        client.close()
        server.stop()
    assert type(error) is kind
    assert "unreadable" in str(error)
    assert TOKEN not in str(error)


@pytest.mark.parametrize(
    "ours",
    [
        PlexNotFound("a"),
        PlexServerDown("b"),
        PlexTemporaryError("c"),
        PlexPermanentError("d"),
        PlexTokenRefused("e"),
        PlexLibraryMissing("f"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_translate_returns_our_errors_unchanged(ours: PlexError) -> None:
    assert translate_plex_exception(ours) is ours
    assert isinstance(ours, UserFacingError)


def test_error_tree_has_its_branches() -> None:
    assert issubclass(PlexNotFound, PlexTemporaryError)
    assert issubclass(PlexServerDown, PlexTemporaryError)
    assert issubclass(PlexTokenRefused, PlexPermanentError)
    assert issubclass(PlexTokenRefused, PlexServerDown), "connect() promises PlexServerDown where it cannot"
    assert issubclass(PlexLibraryMissing, PlexPermanentError)
    assert not issubclass(PlexLibraryMissing, PlexTemporaryError)
    assert not issubclass(PlexNotFound, PlexServerDown)


def test_translate_unknown_error_is_permanent_with_its_class() -> None:
    translated = translate_plex_exception(ZeroDivisionError("division by zero"))
    assert type(translated) is PlexPermanentError
    assert str(translated) == "ZeroDivisionError: division by zero"


def test_status_of_ignores_numbers_later_in_the_text() -> None:
    assert status_of(plexapi.exceptions.BadRequest("Movie (503) is not a movie")) is None
    assert status_of(plexapi.exceptions.BadRequest("(409) conflict; http://plex (404)")) == 409
    assert type(translate_plex_exception(plexapi.exceptions.BadRequest("Rating (404)"))) is PlexPermanentError


def test_translate_shortens_long_answers() -> None:
    error = plexapi.exceptions.BadRequest("(400) bad_request; " + "<p>\nwords</p> " * 500)
    assert len(str(translate_plex_exception(error))) < 400

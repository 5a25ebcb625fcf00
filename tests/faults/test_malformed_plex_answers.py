"""Malformed answers of Plex give a result or a clear error, never a crash or a hang."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching.index_store import PlexCache
from plex import listing
from plex.client import Library, PlexClient
from plex.exceptions import PlexError, error_of_status, translate_plex_exception
from plex.items import read_items
from plex.libraries import choose_libraries
from plex.transport import HttpAnswer
from tests.faults.malformed_input import damaged_bytes, time_limit
from tests.faults.suite_size import INPUTS_PER_PARSER, generated_inputs

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=18)]

GOLDEN = Path(__file__).parents[1] / "golden" / "plex"
ANSWERS = [path.read_bytes() for path in sorted(GOLDEN.glob("*.xml"))]
NAMES = ["Video", "Media", "Part", "Genre", "Role", "Collection", "Directory", "Location", "Field", "Media"]
ATTRIBUTES = [
    *("ratingKey", "key", "title", "file", "size", "duration", "tag", "id", "librarySectionID", "userRating", "type"),
    *("updatedAt", "addedAt", "deletedAt", "totalSize", "summary", "studio", "thumb", "art", "locked", "name", "path"),
]
VALUES = st.text(alphabet="0123456789-.eEx²１ Ü/\\&<\"'", max_size=10) | st.sampled_from(
    ["", "1", "-1", "0", "1.5", "nan", "1e999", "movie", "9" * 30, "/data/a.mp4", "²"]
)


@st.composite
def trees(draw: st.DrawFn) -> bytes:
    """Draw XML with the names that Plex uses and any values."""
    root = Element("MediaContainer", draw(st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=4)))
    elements = [root]
    for _ in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from(elements))
        child = Element(
            draw(st.sampled_from(NAMES)), draw(st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=6))
        )
        parent.append(child)
        elements.append(child)
    return tostring(root)


class _Server:
    """A stand-in for plexapi's server and for our transport: one answer to every request."""

    def __init__(self, content: bytes, status: int) -> None:
        self._answer = HttpAnswer(status, content)

    def url(self, key: str) -> str:
        return key

    def _headers(self, **more: str) -> dict[str, str]:
        return more

    def send(self, *asked: Any) -> HttpAnswer:
        return self._answer


def client_with_answer(content: bytes, status: int = 200) -> PlexClient:
    client = PlexClient("http://plex.invalid", "token")
    client._server = client._transport = _Server(content, status)  # type: ignore[assignment]
    return client


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlexCache]:
    found = PlexCache(str(tmp_path_factory.mktemp("cache")))
    yield found
    found.close()


def send_all_requests(client: PlexClient, cache: PlexCache) -> None:
    """Send every kind of request that the product sends."""
    sections = [Library(1, "Scenes", "movie", ("/data",))]
    for request in (
        lambda: choose_libraries(client.libraries(), []),
        lambda: choose_libraries(client.libraries(), ["Scenes"]),
        lambda: list(islice(listing.listing_pages(client, 1), 3)),
        lambda: [item.is_garbled for item in read_items(client, [1, 2]).values()],
        lambda: cache.look_up(client, sections, "a.mp4"),
        lambda: client.edit(1, 1, "title.value=x"),
    ):
        _expect_result_or_plex_error(request)


def _expect_result_or_plex_error(request: Callable[[], object]) -> None:
    try:
        request()
    except PlexError as error:
        assert str(error)


@generated_inputs(INPUTS_PER_PARSER // 2)
@given(content=damaged_bytes(*ANSWERS, b"<html>Sign in</html>"), status=st.sampled_from([200, 200, 201, 302, 404]))
def test_damaged_answer_gives_a_result_or_an_error(content: bytes, status: int, cache: PlexCache) -> None:
    with time_limit():
        send_all_requests(client_with_answer(content, status), cache)


@generated_inputs(INPUTS_PER_PARSER // 2)
@example(content='<MediaContainer><Directory key="²" /></MediaContainer>'.encode())
@given(content=trees())
def test_answer_with_any_values_gives_a_result_or_an_error(content: bytes, cache: PlexCache) -> None:
    with time_limit():
        send_all_requests(client_with_answer(content), cache)


@generated_inputs()
@given(status=st.integers(100, 999), text=st.text(max_size=400))
def test_any_status_becomes_a_plex_error(status: int, text: str) -> None:
    with time_limit():
        error = error_of_status(status, text)
        assert isinstance(error, PlexError)
        assert str(error)
        assert len(str(error)) < 500
        assert translate_plex_exception(error) is error


@generated_inputs()
@given(kind=st.sampled_from([ValueError, KeyError, OSError, TypeError, RecursionError]), text=st.text(max_size=400))
def test_any_exception_becomes_a_short_plex_error(kind: type[Exception], text: str) -> None:
    with time_limit():
        assert len(str(translate_plex_exception(kind(text)))) < 500

"""The switches that limit a fault, and those that corrupt an answer (plex 11.2)."""

from __future__ import annotations

import pytest
import requests

from sandbox.corrupt_responses import CORRUPTIONS
from sandbox.fault_scope import FaultScope
from sandbox.plex import PlexSim, Section

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

EDIT = "/library/sections/1/all?type=1&id=1&title.value="


class Clock:
    """A clock that only the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def statuses(http: requests.Session, plex: PlexSim, path: str, count: int) -> list[int]:
    return [http.get(plex.url + path).status_code for _ in range(count)]


def test_fault_scope_counts_only_matching_requests() -> None:
    window = FaultScope()
    assert window.applies_to("GET /")
    window.clear_scope()
    window.only, window.skip, window.every, window.times = "^PUT", 1, 2, 2
    lines = [line for line in ("PUT /a", "GET /b") for _ in range(8)] + ["PUT /c"]
    assert [line for line in lines if window.applies_to(line)] == ["PUT /a", "PUT /a"]
    assert window.is_used_up
    window.clear_scope()
    assert not window.is_used_up
    assert [window.applies_to("PUT /") for _ in range(2)] == [True, True]


def test_fault_by_request_number(plex: PlexSim, http: requests.Session) -> None:
    plex.faults.set(status=500, skip=2, times=2)
    assert statuses(http, plex, "/identity", 6) == [200, 200, 500, 500, 200, 200]
    plex.faults.set(status=429, every=3, headers=[("Retry-After", "7")])
    assert statuses(http, plex, "/identity", 6) == [200, 200, 429, 200, 200, 429]
    plex.faults.times = 1
    assert statuses(http, plex, "/identity", 2) == [200, 200]
    assert http.get(f"{plex.url}/identity").headers["Retry-After"] == "7"


def test_fault_by_time(plex: PlexSim, http: requests.Session) -> None:
    clock = Clock()
    plex.faults.clock = clock
    plex.faults.set(status=500, between=(10.0, 20.0))
    found = []
    for clock.now in (0.0, 9.9, 10.0, 19.9, 20.0):
        found += statuses(http, plex, "/identity", 1)
    assert found == [200, 200, 500, 500, 200]


def test_connection_closed_without_an_answer(plex: PlexSim, http: requests.Session) -> None:
    plex.faults.set(drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        http.get(plex.url)
    assert http.get(plex.url).status_code == 200


@pytest.mark.parametrize("kind", [{"reset": True}, {"drop": True}, {"status": 500}, {"page": 200}], ids=str)
def test_write_whose_answer_is_lost(
    plex: PlexSim, scenes: Section, http: requests.Session, kind: dict[str, object]
) -> None:
    plex.faults.set(**kind, times=1)
    for after in (False, True):
        plex.faults.set(**kind, after=after, times=1)
        try:
            http.put(f"{plex.url}{EDIT}new")
        except requests.ConnectionError:
            assert kind in ({"reset": True}, {"drop": True})
        assert plex.item(1).title == ("new" if after else "scene 00")


def test_proxy_page_replaces_the_answer(plex: PlexSim, http: requests.Session) -> None:
    plex.faults.set(page=200)
    answer = http.get(plex.url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Sign in" in answer.text
    assert answer.headers.get("Content-Encoding") is None


@pytest.mark.parametrize("how", [name for name in CORRUPTIONS if name != "half"])
def test_corrupted_answer_arrives_complete_but_changed(
    plex: PlexSim, scenes: Section, http: requests.Session, how: str
) -> None:
    plex.item(1).title = "Ünï"
    good = http.get(f"{plex.url}/library/metadata/1").content
    plex.faults.set(corrupt=how, times=1)
    answer = http.get(f"{plex.url}/library/metadata/1")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml;charset=utf-8")
    assert answer.content != good
    assert http.get(f"{plex.url}/library/metadata/1").content == good
    plex.faults.set(corrupt=how)
    assert http.put(f"{plex.url}{EDIT}new").content == b""


@pytest.mark.parametrize("compress", [True, False])
def test_half_a_body_breaks_off(plex: PlexSim, scenes: Section, http: requests.Session, compress: bool) -> None:
    plex.compress = compress
    plex.faults.set(corrupt="half", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http.get(f"{plex.url}/library/sections/1/all?type=1")
    assert http.get(f"{plex.url}/library/sections/1/all?type=1").status_code == 200


def test_slow_body(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.faults.set(drip=0.1)
    good = http.get(f"{plex.url}/library/sections/1/all?type=1")
    assert good.elapsed.total_seconds() < 5
    plex.faults.set(drip=2.0)
    # each piece arrives before the time-out, which applies to one piece
    with http.get(f"{plex.url}/library/sections/1/all?type=1", stream=True, timeout=0.5) as answer:
        assert len(answer.raw.read(20)) == 20

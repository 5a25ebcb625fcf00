"""Fault switches: which requests they affect, and how they corrupt an answer."""

from __future__ import annotations

import http.client
import time

import pytest

from sandbox.corrupt_responses import CORRUPTIONS
from sandbox.stash import StashGraphQLError, StashSim

from .support import ask

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

QUERY = "{ version { version } findScene(id: 1) { title } }"
JSON = {"Content-Type": "application/json"}
BODY = b'{"query": "{ version { version } }"}'


def status(stash: StashSim) -> int:
    return ask(stash, "POST", "/graphql", BODY, JSON)[0]


def test_fault_scope_by_number_kind_and_time(stash: StashSim) -> None:
    stash.faults.set(status=502, only="graphql", skip=1, times=2)
    assert ask(stash, "GET", "/healthz")[0] == 200
    assert [status(stash) for _ in range(5)] == [200, 502, 502, 200, 200]
    stash.faults.set(unauthorized=True, every=2)
    assert [status(stash) for _ in range(4)] == [200, 401, 200, 401]
    stash.faults.clock = lambda: 5.0
    stash.faults.set(status=504, between=(0.0, 5.0))
    assert status(stash) == 200
    stash.faults.between = (5.0, 6.0)
    assert status(stash) == 504
    with pytest.raises(AttributeError):
        stash.faults.set(nonsense=1)


def test_beside_data_answers_the_other_fields(stash: StashSim) -> None:
    stash.faults.set(beside_data=True)
    with pytest.raises(StashGraphQLError) as caught:
        stash.gql(QUERY)
    assert caught.value.status == 200
    assert caught.value.errors == [{"message": "database is locked", "path": ["version"]}]
    assert ask(stash, "GET", "/healthz")[0] == 200
    stash.faults.clear()
    assert stash.gql(QUERY)["version"]


def test_reset_and_proxy_page(stash: StashSim) -> None:
    stash.faults.set(reset=True)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        stash.gql(QUERY)
    stash.faults.set(page=True)
    code, headers, text = ask(stash, "POST", "/graphql", BODY, JSON)
    assert (code, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"Sign in" in text


@pytest.mark.parametrize("how", [name for name in CORRUPTIONS if name != "half"])
def test_corrupted_answer(stash: StashSim, how: str) -> None:
    body = b'{"query": "{ findScene(id: 1) { id title details } }"}'
    good = ask(stash, "POST", "/graphql", body, JSON)
    stash.faults.set(corrupt=how)
    corrupted = ask(stash, "POST", "/graphql", body, JSON)
    assert corrupted[0] == 200
    assert corrupted[2] != good[2] or (how == "latin-1" and good[2].isascii())


def test_truncated_and_slow_body(stash: StashSim) -> None:
    stash.faults.set(corrupt="half")
    with pytest.raises(http.client.IncompleteRead):
        ask(stash, "POST", "/graphql", BODY, JSON)
    stash.faults.set(drip=0.1)
    begun = time.monotonic()
    assert stash.gql(QUERY)
    assert time.monotonic() - begun >= 0.08  # all but the last pause

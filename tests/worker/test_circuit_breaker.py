"""The circuit breaker's transitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.circuit_breaker import FIRST_PAUSE, LONGEST_PAUSE, THRESHOLD, BreakerState, CircuitBreaker

pytestmark = pytest.mark.unit

NOW = 1_700_000_000.0


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker()
    for _ in range(THRESHOLD):
        breaker.failed(NOW, "refused")
    return breaker


def test_two_failures_are_borne_and_the_third_opens() -> None:
    breaker = CircuitBreaker()
    assert [breaker.failed(NOW, "refused") for _ in range(3)] == [False, False, True]
    assert (breaker.state, breaker.reason, breaker.since) == (BreakerState.OPEN, "refused", NOW)


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = CircuitBreaker()
    for _ in range(5):
        breaker.failed(NOW, "x")
        breaker.failed(NOW, "x")
        assert not breaker.worked()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.reason == ""


def test_an_open_breaker_waits_and_then_allows_one_trial() -> None:
    breaker = opened()
    assert not breaker.try_now(NOW)
    assert not breaker.try_now(NOW + FIRST_PAUSE - 0.1)
    assert breaker.state.name == "OPEN"
    assert breaker.try_now(NOW + FIRST_PAUSE)
    assert breaker.state.name == "HALF_OPEN"
    assert breaker.try_now(NOW + FIRST_PAUSE)


def test_a_closed_breaker_has_no_trials() -> None:
    assert not CircuitBreaker().try_now(NOW)


def test_a_trial_that_works_closes_it_and_the_next_outage_begins_small() -> None:
    breaker = opened()
    breaker.try_now(NOW + 5)
    breaker.failed(NOW + 5, "still")
    breaker.try_now(NOW + 15)
    assert breaker.worked()
    assert (breaker.state, breaker.reason, breaker.since) == (BreakerState.CLOSED, "", None)
    assert [breaker.failed(NOW + 20, "again") for _ in range(3)] == [False, False, True]
    assert breaker.probe_at == NOW + 20 + FIRST_PAUSE


def test_the_pauses_grow_from_five_seconds_to_a_minute() -> None:
    breaker, now, pauses = opened(), NOW, []
    for _ in range(6):
        pauses.append(breaker.probe_at - now)
        now = breaker.probe_at
        assert breaker.try_now(now)
        assert not breaker.failed(now, "still refused")
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert breaker.since == NOW
    assert breaker.reason == "still refused"


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    breaker = opened()
    assert breaker.try_now(NOW - 365 * 86_400)


@given(st.lists(st.tuples(st.sampled_from(["failed", "worked", "try"]), st.floats(0, 500)), max_size=60))
def test_from_anywhere_a_minute_is_the_longest_wait(events: list[tuple[str, float]]) -> None:
    breaker, now, in_a_row = CircuitBreaker(), NOW, 0
    for event, pause in events:
        now += pause
        if event == "failed":
            breaker.failed(now, "x")
            in_a_row += 1
        elif event == "worked":
            breaker.worked()
            in_a_row = 0
        else:
            breaker.try_now(now)
        assert (breaker.state is BreakerState.CLOSED) == (in_a_row < THRESHOLD)
    if breaker.state is not BreakerState.CLOSED:
        assert breaker.try_now(now + LONGEST_PAUSE)

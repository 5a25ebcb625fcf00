"""The circuit breaker's transitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.circuit_breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, BreakerState, CircuitBreaker

pytestmark = pytest.mark.unit

NOW = 1_700_000_000.0


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.record_failure(NOW, "refused")
    return breaker


def test_breaker_opens_at_the_third_failure() -> None:
    breaker = CircuitBreaker()
    assert [breaker.record_failure(NOW, "refused") for _ in range(3)] == [False, False, True]
    assert (breaker.state, breaker.reason, breaker.since) == (BreakerState.OPEN, "refused", NOW)


def test_breaker_after_a_success_counts_failures_from_zero() -> None:
    breaker = CircuitBreaker()
    for _ in range(5):
        breaker.record_failure(NOW, "x")
        breaker.record_failure(NOW, "x")
        assert not breaker.record_success()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.reason == ""


def test_breaker_allows_one_trial_after_its_pause() -> None:
    breaker = opened()
    assert not breaker.allows_trial(NOW)
    assert not breaker.allows_trial(NOW + FIRST_PAUSE_S - 0.1)
    assert breaker.state.name == "OPEN"
    assert breaker.allows_trial(NOW + FIRST_PAUSE_S)
    assert breaker.state.name == "HALF_OPEN"
    assert breaker.allows_trial(NOW + FIRST_PAUSE_S)


def test_closed_breaker_allows_no_trial() -> None:
    assert not CircuitBreaker().allows_trial(NOW)


def test_successful_trial_closes_the_breaker_and_resets_the_pause() -> None:
    breaker = opened()
    breaker.allows_trial(NOW + 5)
    breaker.record_failure(NOW + 5, "still")
    breaker.allows_trial(NOW + 15)
    assert breaker.record_success()
    assert (breaker.state, breaker.reason, breaker.since) == (BreakerState.CLOSED, "", None)
    assert [breaker.record_failure(NOW + 20, "again") for _ in range(3)] == [False, False, True]
    assert breaker.probe_at == NOW + 20 + FIRST_PAUSE_S


def test_breaker_pauses_grow_from_five_seconds_to_a_minute() -> None:
    breaker, now, pauses = opened(), NOW, []
    for _ in range(6):
        pauses.append(breaker.probe_at - now)
        now = breaker.probe_at
        assert breaker.allows_trial(now)
        assert not breaker.record_failure(now, "still refused")
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert breaker.since == NOW
    assert breaker.reason == "still refused"


def test_breaker_with_the_clock_set_back_allows_a_trial() -> None:
    breaker = opened()
    assert breaker.allows_trial(NOW - 365 * 86_400)


@given(st.lists(st.tuples(st.sampled_from(["failed", "worked", "try"]), st.floats(0, 500)), max_size=60))
def test_breaker_in_any_state_allows_a_trial_within_a_minute(events: list[tuple[str, float]]) -> None:
    breaker, now, in_a_row = CircuitBreaker(), NOW, 0
    for event, pause in events:
        now += pause
        if event == "failed":
            breaker.record_failure(now, "x")
            in_a_row += 1
        elif event == "worked":
            breaker.record_success()
            in_a_row = 0
        else:
            breaker.allows_trial(now)
        assert (breaker.state is BreakerState.CLOSED) == (in_a_row < FAILURES_TO_OPEN)
    if breaker.state is not BreakerState.CLOSED:
        assert breaker.allows_trial(now + LONGEST_PAUSE_S)

"""When a failed job is tried again: tables, and what holds for every job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex.exceptions import PlexNotFound, PlexServerDown
from sync_queue.job import Job
from worker.retry import HOUR_S, NOT_FOUND_TRIES, FailureKind, RetryDecision, decide

pytestmark = pytest.mark.unit

NOW = 1_700_000_000.0
DOWN = PlexServerDown("Plex cannot be reached")
GONE = PlexNotFound("no such file")


def job_of(row: dict[str, Any]) -> Job:
    return Job.from_row({"scene_id": 1, **row})


def decision(job: dict[str, Any], failure: FailureKind = FailureKind.TRANSIENT, **options: Any) -> RetryDecision:
    return decide(job_of(job), failure, DOWN, **{"now": NOW, "share": 1.0, **options})


@pytest.mark.parametrize(("tries", "pause"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 80)], ids=lambda value: str(value))
def test_decide_transient_failure_doubles_the_pause_up_to_its_cap(tries: int, pause: float) -> None:
    found = decision({"retry_count": tries})
    assert found.at == NOW + pause
    assert found.state.as_row() == {
        "retry_count": tries + 1,
        "tries": {"TRANSIENT": tries + 1},
        "last_error_type": "PlexServerDown",
        "last_error": "Plex cannot be reached",
        "last_try_at": NOW,
        "first_failed_at": NOW,
        "next_retry_at": NOW + pause,
    }


@pytest.mark.parametrize(("tries", "pause"), [(0, 30), (1, 60), (4, 480), (5, 600), (11, 600), (500, 600)])
def test_decide_not_found_doubles_the_pause_up_to_its_own_cap(tries: int, pause: float) -> None:
    found = decision({"retry_count": tries, "enqueued_at": NOW - HOUR_S}, FailureKind.NOT_FOUND)
    assert found.at == NOW + pause


@pytest.mark.parametrize(
    ("tries", "allowed", "dead"), [(4, 5, False), (5, 5, True), (0, 1, False), (1, 1, True), (9, 5, True)]
)
def test_decide_transient_failure_gives_up_after_max_retries(tries: int, allowed: int, dead: bool) -> None:
    assert (decision({"retry_count": tries}, max_retries=allowed).at is None) is dead


@pytest.mark.parametrize(
    ("age", "tries", "dead"),
    [
        (2 * HOUR_S, 11, True),
        (2 * HOUR_S, 10, False),
        (2 * HOUR_S - 1, 11, False),
        (2 * HOUR_S - 1, 5_000, False),
        (30 * 24 * HOUR_S, 0, False),
        (30 * 24 * HOUR_S, 11, True),
        (-HOUR_S, 50, False),
    ],
)
def test_decide_not_found_gives_up_by_age_and_number_of_tries(age: float, tries: int, dead: bool) -> None:
    job = {"retry_count": tries, "enqueued_at": NOW - age}
    assert (decision(job, FailureKind.NOT_FOUND).at is None) is dead


def test_decide_not_found_without_an_age_never_gives_up() -> None:
    assert decision({"retry_count": 99}, FailureKind.NOT_FOUND).at is not None


def test_decide_permanent_failure_gives_up_at_once() -> None:
    found = decision({}, FailureKind.PERMANENT)
    assert found.at is None
    assert "next_retry_at" not in found.state.as_row()
    assert found.state.as_row()["retry_count"] == 1


def test_decide_without_counting_keeps_the_number_of_tries() -> None:
    found = decision({"retry_count": 3}, counts=False)
    assert found.state.as_row()["retry_count"] == 3
    assert found.at == NOW + 40


@pytest.mark.parametrize("tries", [5, 6, 11, 200])
def test_decide_without_counting_never_gives_up(tries: int) -> None:
    assert decision({"retry_count": tries, "enqueued_at": NOW - HOUR_S}, counts=False).at is not None


def test_decide_keeps_the_time_of_the_first_failure() -> None:
    assert decision({"first_failed_at": 5.0}).state.as_row()["first_failed_at"] == 5.0


@pytest.mark.parametrize("value", [None, "3", -1, True, 2.5, [1]])
def test_decide_with_an_unreadable_retry_count_starts_at_zero(value: object) -> None:
    assert decision({"retry_count": value}).state.as_row()["retry_count"] == 1


def test_decide_truncates_a_long_error() -> None:
    found = decide(job_of({}), FailureKind.TRANSIENT, PlexServerDown("x" * 5_000), now=NOW, share=0.0)
    assert len(found.state.last_error) == 500


_JOBS = st.fixed_dictionaries(
    {},
    optional={
        "retry_count": st.integers(-5, 10**6) | st.none() | st.text(max_size=3),
        "enqueued_at": st.floats(0, 2 * NOW) | st.none() | st.text(max_size=3),
        "first_failed_at": st.floats(1, NOW),
        "scene_id": st.integers(),
    },
)


@given(
    job=_JOBS,
    failure=st.sampled_from(FailureKind),
    share=st.floats(0, 1),
    counts=st.booleans(),
    most=st.integers(1, 100),
)
def test_decide_retries_between_now_and_the_cap(
    job: dict[str, Any], failure: FailureKind, share: float, counts: bool, most: int
) -> None:
    found = decide(job_of(job), failure, GONE, now=NOW, share=share, counts=counts, max_retries=most)
    if failure is FailureKind.PERMANENT:
        assert found.at is None
    if found.at is not None:
        assert NOW <= found.at <= NOW + failure.value[1]
        assert found.state.as_row()["next_retry_at"] == found.at


@given(share=st.floats(0, 1), start=st.floats(0, HOUR_S))
def test_decide_not_found_retries_at_least_two_hours_and_twelve_times(share: float, start: float) -> None:
    job = job_of({"enqueued_at": NOW})
    now, tries = NOW + start, 0
    while tries < 100_000:
        tries += 1
        found = decide(job, FailureKind.NOT_FOUND, GONE, now=now, share=max(share, 0.01))
        job = job.with_retry(found.state)
        if found.at is None:
            break
        now = found.at
    assert tries >= NOT_FOUND_TRIES
    assert now - NOW >= 2 * HOUR_S
    assert now - NOW <= start + 2 * HOUR_S + NOT_FOUND_TRIES * 600

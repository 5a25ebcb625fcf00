"""Decide when a failed job is tried again, without looking at a clock or sleeping. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from common.errors import code_of
from sync_queue.job import Job, RetryState

HOUR_S = 3600.0
# A file is given up only when its event is this old and it was looked for this often.
NOT_FOUND_AGE_S = 2 * HOUR_S
NOT_FOUND_TRIES = 12
MAX_ERROR_CHARS = 500


class FailureKind(Enum):
    """The kind of failure; the value is the base and the cap of its pauses in seconds."""

    TRANSIENT = (5.0, 80.0)
    NOT_FOUND = (30.0, 600.0)
    PERMANENT = (0.0, 0.0)


@dataclass(frozen=True)
class RetryDecision:
    """``at`` is when the job is due again (epoch seconds), None if it is given up; ``state`` goes into the job."""

    at: float | None
    state: RetryState

    @property
    def is_given_up(self) -> bool:
        """Whether the job becomes a dead letter."""
        return self.at is None


def decide(
    job: Job,
    failure: FailureKind,
    error: BaseException,
    *,
    now: float,
    share: float,
    counts: bool = True,
    max_retries: int = 5,
    lasts: float = 0.0,
) -> RetryDecision:
    """Decide on a job's next try. ``share`` is a random number from 0 to 1 (full jitter).

    Without ``counts`` the number of tries stays as it is: an outage is not the job's fault. ``lasts`` is for how many
    seconds it has gone on uncounted; the pauses grow with that.
    """
    # Files not found and failed writes are counted apart: one says nothing about the other.
    tries = job.retry.tries
    before = tries.get(failure.name, 0) if tries else job.retry.retry_count
    count = before + 1 if counts else before
    state = RetryState(
        retry_count=count,
        tries={**tries, failure.name: count},
        last_error_type=code_of(error),
        last_error=str(error)[:MAX_ERROR_CHARS],
        last_try_at=now,
        first_failed_at=job.retry.first_failed_at or now,
        awaits_file=job.retry.awaits_file,
    )
    if failure is FailureKind.PERMANENT or (counts and _is_exhausted(job, failure, count, now, max_retries)):
        return RetryDecision(None, state)
    base, cap = failure.value
    doublings = max(before, int(max(0.0, lasts) / base).bit_length()) if base else 0
    at = now + share * min(cap, base * 2.0 ** min(doublings, 16))
    return RetryDecision(at, replace(state, next_retry_at=at))


def _is_exhausted(job: Job, failure: FailureKind, tries: int, now: float, max_retries: int) -> bool:
    if failure is FailureKind.NOT_FOUND:
        age = now - job.enqueued_at if job.enqueued_at is not None else 0.0
        return tries >= NOT_FOUND_TRIES and age >= NOT_FOUND_AGE_S
    return tries > max_retries

"""What becomes of a job that failed: a decision, made without looking at a clock or sleeping. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from common.errors import code_of

HOUR = 3600.0


class FailureKind(Enum):
    """What kind of failure it was; the value is the base and the cap of its pauses, in seconds."""

    TRANSIENT = (5.0, 80.0)
    NOT_FOUND = (30.0, 600.0)
    PERMANENT = (0.0, 0.0)


# A file is given up only when its event is this old and it was looked for this often.
NOT_FOUND_AGE = 2 * HOUR
NOT_FOUND_TRIES = 12


@dataclass(frozen=True)
class RetryDecision:
    """``at`` is when the job is due again (epoch seconds); None means it is dead. ``fields`` go into the job."""

    at: float | None
    fields: dict[str, Any]


def decide(
    job: Mapping[str, Any],
    failure: FailureKind,
    error: BaseException,
    *,
    now: float,
    share: float,
    counts: bool = True,
    max_retries: int = 5,
    lasts: float = 0.0,
) -> RetryDecision:
    """Decide on a job's next try. ``share`` is a random number from 0 to 1 (full jitter). ``counts`` False leaves the
    number of tries as it is: an outage is nobody's fault. ``lasts``: for how many seconds it has gone on without being
    counted; the pauses grow with that."""
    # Looking for a file in vain and failing to write are counted apart: the one says nothing about the other.
    known = job.get("tries")
    counted: dict[str, Any] = known if isinstance(known, dict) else {}
    before = _whole(counted.get(failure.name, 0 if counted else job.get("retry_count")))
    tries = before + 1 if counts else before
    fields = {
        "retry_count": tries,
        "tries": {**counted, failure.name: tries},
        "last_error_type": code_of(error),
        "last_error": str(error)[:500],
        "last_try_at": now,
        "first_failed_at": job.get("first_failed_at") or now,
    }
    if failure is FailureKind.PERMANENT or (counts and _exhausted(job, failure, tries, now, max_retries)):
        return RetryDecision(None, fields)
    base, cap = failure.value
    doublings = max(before, int(max(0.0, lasts) / base).bit_length()) if base else 0
    at = now + share * min(cap, base * 2.0 ** min(doublings, 16))
    return RetryDecision(at, {**fields, "next_retry_at": at})


def _exhausted(job: Mapping[str, Any], failure: FailureKind, tries: int, now: float, max_retries: int) -> bool:
    if failure is FailureKind.NOT_FOUND:
        event = job.get("enqueued_at")
        age = now - event if isinstance(event, (int, float)) else 0.0
        return tries >= NOT_FOUND_TRIES and age >= NOT_FOUND_AGE
    return tries > max_retries


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0

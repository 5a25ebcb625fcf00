"""Hypothesis strategies for malformed input: any JSON, altered JSON documents, and damaged bytes."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

# A parser that needs longer than this for a few kilobytes counts as hanging.
TIME_LIMIT_S = 20.0

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["", "0", "1e999", "-1", "2026-01-01T00:00:00Z", "\x00", "NaN", "１２", "²", "true", "scene_1"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class TimeLimitExceeded(AssertionError):
    """The code under test did not end in time."""


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Fail if the body hangs."""

    def time_is_up(*_: object) -> None:
        raise TimeLimitExceeded(f"took more than {TIME_LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@st.composite
def altered_json(draw: st.DrawFn, *documents: Any) -> Any:
    """Draw one of the JSON documents with some of its values replaced, removed or added."""
    value = json.loads(json.dumps(draw(st.sampled_from(documents))))
    for _ in range(draw(st.integers(0, 3))):
        value = _with_one_change(draw, value)
    return value


def _with_one_change(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        match draw(st.integers(0, 5)):
            case 0:
                del value[name]
            case 1:
                value[draw(st.text(max_size=5))] = draw(JSON)
            case _:
                value[name] = _with_one_change(draw, value[name])
        return value
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        index = draw(st.integers(0, len(value) - 1))
        value[index] = _with_one_change(draw, value[index])
        return value
    return draw(JSON)


@st.composite
def damaged_bytes(draw: st.DrawFn, *texts: bytes) -> bytes:
    """Draw one of the texts truncated, with a part removed, overwritten or repeated; or only random bytes."""
    data = draw(st.sampled_from(texts) | st.binary(max_size=60))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        match draw(st.integers(0, 3)):
            case 0:
                data = data[:start]
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:start] + draw(st.binary(max_size=6)) + data[end:]
            case _:
                data = data[:end] + data[start:]
    return data

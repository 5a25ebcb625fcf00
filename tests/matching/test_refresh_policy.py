"""How much of the libraries is read, for every situation."""

from __future__ import annotations

import pytest

from matching.refresh_policy import (
    CHANGED_INTERVAL_S,
    FULL_INTERVAL_S,
    INCOMPLETE_FULL_INTERVAL_S,
    MAX_WAITING_INTERVAL_S,
    SAVE_INTERVAL_S,
    WAITING_INTERVAL_S,
    IndexState,
    Refresh,
    Urgency,
    choose_refresh,
    waiting_interval,
)

pytestmark = pytest.mark.unit

NOW = 100_000.0
SAVE, WAITING = Urgency.SAVE, Urgency.WAITING
NOTHING, NEW, CHANGED, FULL = Refresh


def ago(new: float, changed: float | None = None, full: float | None = None, **more: bool) -> IndexState:
    """The state of an index that was refreshed so many seconds ago."""
    changed_s = new if changed is None else changed
    full_s = changed_s if full is None else full
    return IndexState(NOW - new, NOW - changed_s, NOW - full_s, **more)


@pytest.mark.parametrize(
    ("state", "urgency", "libraries", "refresh"),
    [
        pytest.param(IndexState(), SAVE, 1, FULL, id="never read, save"),
        pytest.param(IndexState(), WAITING, 1, FULL, id="never read, waiting"),
        pytest.param(IndexState(full_at=NOW - 60), SAVE, 1, CHANGED, id="read by an earlier process, save"),
        pytest.param(ago(1.9), SAVE, 1, NOTHING, id="save, just refreshed"),
        pytest.param(ago(SAVE_INTERVAL_S), SAVE, 1, CHANGED, id="save, refresh due"),
        pytest.param(ago(SAVE_INTERVAL_S), WAITING, 1, NOTHING, id="waiting jobs do not refresh as often as saves"),
        pytest.param(ago(WAITING_INTERVAL_S), WAITING, 1, NEW, id="waiting, refresh due"),
        pytest.param(ago(WAITING_INTERVAL_S), WAITING, 3, NOTHING, id="waiting, three libraries"),
        pytest.param(ago(3 * WAITING_INTERVAL_S), WAITING, 3, NEW, id="waiting, three libraries, refresh due"),
        pytest.param(ago(MAX_WAITING_INTERVAL_S), WAITING, 50, NEW, id="waiting, many libraries"),
        pytest.param(ago(60, CHANGED_INTERVAL_S + 1), WAITING, 1, CHANGED, id="waiting, changes not seen for long"),
        pytest.param(ago(0, is_contradicted=True), SAVE, 1, CHANGED, id="contradicted, save"),
        pytest.param(ago(0, is_contradicted=True), WAITING, 1, NEW, id="contradicted, waiting"),
        pytest.param(ago(60, 60, FULL_INTERVAL_S), SAVE, 1, CHANGED, id="full read almost due"),
        pytest.param(ago(60, 60, FULL_INTERVAL_S + 1), SAVE, 1, FULL, id="full read due, save"),
        pytest.param(ago(60, 60, FULL_INTERVAL_S + 1), WAITING, 1, FULL, id="full read due, waiting"),
        pytest.param(ago(1, 1, FULL_INTERVAL_S + 1), SAVE, 1, NOTHING, id="full read due, but just refreshed"),
        pytest.param(
            ago(60, 60, INCOMPLETE_FULL_INTERVAL_S, is_incomplete=True), SAVE, 1, CHANGED, id="incomplete, not yet"
        ),
        pytest.param(
            ago(60, 60, INCOMPLETE_FULL_INTERVAL_S + 1, is_incomplete=True), SAVE, 1, FULL, id="incomplete, full read"
        ),
    ],
)
def test_choose_refresh_by_time_urgency_and_what_is_missing(
    state: IndexState, urgency: Urgency, libraries: int, refresh: Refresh
) -> None:
    assert choose_refresh(NOW, state, urgency, libraries) is refresh


@pytest.mark.parametrize(
    ("refresh", "after"),
    [
        pytest.param(NEW, IndexState(9.0, 2.0, 3.0, is_incomplete=True), id="new"),
        pytest.param(CHANGED, IndexState(9.0, 9.0, 3.0, is_incomplete=True), id="changed"),
        pytest.param(FULL, IndexState(9.0, 9.0, 9.0), id="full"),
    ],
)
def test_state_after_a_refresh_is_not_contradicted_any_more(refresh: Refresh, after: IndexState) -> None:
    before = IndexState(1.0, 2.0, 3.0).contradicted()
    assert before.is_contradicted
    assert before.after(refresh, 9.0, is_incomplete=refresh is not FULL) == after


def test_waiting_interval_grows_with_the_libraries_up_to_its_limit() -> None:
    assert [waiting_interval(count) for count in (0, 1, 2, 4, 100)] == [45.0, 45.0, 90.0, 180.0, 180.0]

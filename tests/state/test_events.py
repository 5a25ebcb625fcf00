"""What happened: bounded rows, outages read from them, and sums by the hour."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from state import database, events
from state.events import OUTAGE_BEGAN, OUTAGE_ENDED, Event, Events, Outage

pytestmark = pytest.mark.unit


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(str(tmp_path))) as found:
        yield found


def test_events_are_listed_newest_first_page_by_page(db: sqlite3.Connection) -> None:
    log = Events(db)
    log.record(Event(float(n), "written", n) for n in range(1, 6))
    first = log.newest(2)
    assert [event.scene_id for _, event in first] == [5, 4]
    assert [event.scene_id for _, event in log.newest(2, before=first[-1][0])] == [3, 2]


def test_old_ones_go_and_their_sums_stay(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT", 50)
    monkeypatch.setattr(events, "_SLACK", 10)
    log = Events(db)
    for n in range(200):
        log.record([Event(7_200.0 + n, "written" if n % 2 else "failed", n, "x" * 1_000)])
    assert 50 <= len(log.newest(1_000)) <= 60
    assert log.hourly_counts(0.0) == [(7_200, 100, 0, 100)]
    assert all(len(event.detail) == 300 for _, event in log.newest(10))


def test_sums_go_after_two_months(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SLACK", 1)
    log = Events(db)
    log.record([Event(0.0, "written"), Event(3_600.0 * 5_000, "unchanged")])
    assert log.hourly_counts(0.0) == [(3_600 * 5_000, 0, 1, 0)]


def test_outages_are_read_from_the_events(db: sqlite3.Connection) -> None:
    log = Events(db)
    log.record(
        [
            Event(10.0, OUTAGE_BEGAN, None, "refused", 1),
            Event(11.0, "waits", 5),
            Event(20.0, OUTAGE_ENDED, None, "", 7),
            Event(30.0, OUTAGE_BEGAN, None, "slow", 2),
        ]
    )
    assert log.outages() == [Outage(10.0, 20.0, "refused", 7), Outage(30.0, None, "slow", 2)]
    assert log.outages(since=25.0) == [Outage(30.0, None, "slow", 2)]

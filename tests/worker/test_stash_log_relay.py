"""Lines in Stash's own log, sent through the real operation in its real process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.library import generate
from sandbox.stash import StashSim
from stash.client import StashClient
from tests.worker.support import Clock
from worker.stash_log_relay import MAX_LINES, SEND_INTERVAL_S, StashLogRelay

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[StashSim]:
    with StashSim(tmp_path / "stash", library=generate(scenes=1)) as found:
        assert found.add_plugin(ROOT) is not None
        yield found


@pytest.fixture
def client(stash: StashSim) -> Iterator[StashClient]:
    with closing(StashClient({"Scheme": "http", "Host": "127.0.0.1", "Port": stash.port})) as found:
        yield found


@pytest.fixture
def relay(client: StashClient, clock: Clock) -> StashLogRelay:
    return StashLogRelay(client, clock)


def said(stash: StashSim) -> list[tuple[str, str]]:
    return [(line.level, line.message.split("] ")[-1]) for line in stash.log if "word" in line.message]


def test_relay_sends_lines_in_order_with_their_levels(stash: StashSim, relay: StashLogRelay) -> None:
    relay.notify("warning", "first word\nof two lines")
    relay.notify("info", "second word ünï")
    relay.notify("error", "third word")
    relay.send()
    assert [level for level, _ in said(stash)][-2:] == ["Info", "Error"]
    assert said(stash)[0][0] == "Warning"
    assert said(stash)[-2][1].endswith("second word ünï")
    assert len(stash.processes) == 1


def test_relay_without_lines_sends_no_request(stash: StashSim, relay: StashLogRelay) -> None:
    relay.send()
    relay.send(now=True)
    assert stash.requests == []


def test_relay_sends_everything_at_most_once_a_minute(stash: StashSim, relay: StashLogRelay, clock: Clock) -> None:
    relay.notify("info", "word one")
    relay.send()
    for line in range(3):
        clock.sleep(10)
        relay.notify("info", f"later word {line}")
        relay.send()
    assert len(said(stash)) == 1
    clock.sleep(SEND_INTERVAL_S - 30)
    relay.send()
    assert [text[-12:] for _, text in said(stash)[1:]] == ["later word 0", "later word 1", "later word 2"]
    clock.sleep(SEND_INTERVAL_S)
    relay.send()
    assert len(stash.processes) == 2


def test_relay_told_to_send_now_does_not_wait(stash: StashSim, relay: StashLogRelay) -> None:
    relay.notify("info", "word one")
    relay.send()
    relay.notify("info", "last word")
    relay.send(now=True)
    assert said(stash)[-1][1].endswith("last word")


def test_relay_with_many_lines_sends_the_first_and_counts_the_rest(stash: StashSim, relay: StashLogRelay) -> None:
    for line in range(MAX_LINES + 7):
        relay.notify("info", f"word {line}")
    relay.send()
    assert len(said(stash)) == MAX_LINES
    assert any("and 7 more lines like these" in line.message for line in stash.log)


def test_relay_with_stash_unreachable_sends_a_minute_later(stash: StashSim, relay: StashLogRelay, clock: Clock) -> None:
    stash.faults.resolver_error = "database is locked"
    relay.notify("warning", "an important word")
    relay.send()
    assert said(stash) == []
    stash.faults.clear()
    relay.send()
    assert said(stash) == []
    clock.sleep(SEND_INTERVAL_S)
    relay.send()
    assert len(said(stash)) == 1

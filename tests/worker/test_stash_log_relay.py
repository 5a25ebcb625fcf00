"""What the drainer has to say, in Stash's own log: through the real operation, in its real process."""

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
def speaker(client: StashClient, clock: Clock) -> StashLogRelay:
    return StashLogRelay(client, clock)


def said(stash: StashSim) -> list[tuple[str, str]]:
    return [(line.level, line.message.split("] ")[-1]) for line in stash.log if "word" in line.message]


def test_lines_arrive_in_order_with_their_levels(stash: StashSim, speaker: StashLogRelay) -> None:
    speaker.tell("warning", "first word\nof two lines")
    speaker.tell("info", "second word ünï")
    speaker.tell("error", "third word")
    speaker.send()
    assert [level for level, _ in said(stash)][-2:] == ["Info", "Error"]
    assert said(stash)[0][0] == "Warning"
    assert said(stash)[-2][1].endswith("second word ünï")
    assert len(stash.processes) == 1


def test_nothing_to_say_asks_nothing(stash: StashSim, speaker: StashLogRelay) -> None:
    speaker.send()
    speaker.send(now=True)
    assert stash.requests == []


def test_it_speaks_once_a_minute_at_most_and_then_of_everything(
    stash: StashSim, speaker: StashLogRelay, clock: Clock
) -> None:
    speaker.tell("info", "word one")
    speaker.send()
    for line in range(3):
        clock.sleep(10)
        speaker.tell("info", f"later word {line}")
        speaker.send()
    assert len(said(stash)) == 1
    clock.sleep(SEND_INTERVAL_S - 30)
    speaker.send()
    assert [text[-12:] for _, text in said(stash)[1:]] == ["later word 0", "later word 1", "later word 2"]
    clock.sleep(SEND_INTERVAL_S)
    speaker.send()
    assert len(stash.processes) == 2


def test_at_the_end_it_need_not_wait(stash: StashSim, speaker: StashLogRelay) -> None:
    speaker.tell("info", "word one")
    speaker.send()
    speaker.tell("info", "last word")
    speaker.send(now=True)
    assert said(stash)[-1][1].endswith("last word")


def test_of_many_lines_the_first_are_said_and_the_rest_counted(stash: StashSim, speaker: StashLogRelay) -> None:
    for line in range(MAX_LINES + 7):
        speaker.tell("info", f"word {line}")
    speaker.send()
    assert len(said(stash)) == MAX_LINES
    assert any("and 7 more lines like these" in line.message for line in stash.log)


def test_a_stash_that_does_not_answer_is_told_a_minute_later(
    stash: StashSim, speaker: StashLogRelay, clock: Clock
) -> None:
    stash.faults.resolver_error = "database is locked"
    speaker.tell("warning", "an important word")
    speaker.send()
    assert said(stash) == []
    stash.faults.clear()
    speaker.send()
    assert said(stash) == []
    clock.sleep(SEND_INTERVAL_S)
    speaker.send()
    assert len(said(stash)) == 1

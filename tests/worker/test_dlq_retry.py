"""Dead letters that become jobs again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from common.job_rows import PRIORITY_BULK, PRIORITY_SCAN, new_entity_job, new_job
from plex import exceptions
from sandbox.plex import PlexSim
from stash import client
from worker import dlq_retry
from worker.dlq_retry import (
    CHECK_INTERVAL_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    DlqRetry,
    delete_requeued,
    read_dead_letters,
    requeued_job,
)

from .support import START, Bench, Clock

pytestmark = pytest.mark.integration

Job = dict[str, object]


@pytest.fixture
def retry(bench: Bench, clock: Clock) -> DlqRetry:
    return DlqRetry(bench.db, bench.store, clock=clock, notify=lambda level, text: bench.told.append((level, text)))


@pytest.fixture
def add_dead_letter(bench: Bench, clock: Clock) -> Callable[..., None]:
    def add(scene_id: int, error: BaseException, **more: object) -> None:
        job = new_job(scene_id, "metadata", {}, priority=PRIORITY_BULK, now=clock())
        tried = {"retry_count": 5, "tries": {"TRANSIENT": 5}, "next_retry_at": START, "first_failed_at": START - 100}
        bench.dlq.add({**job, **tried, **more}, error, 6, now=clock())

    return add


def test_dead_letter_of_an_outage_is_retried_when_it_ends(
    bench: Bench, clock: Clock, retry: DlqRetry, add_dead_letter: Callable[..., None]
) -> None:
    [item, _] = bench.stock(1, 2)
    add_dead_letter(1, exceptions.PlexServerDown("away"))
    add_dead_letter(2, exceptions.PlexPermanentError("refused"))
    assert retry.retry_after_outage() == 1
    assert retry.retry_after_outage() == 0
    job = bench.job(1)
    assert (job["priority"], job["revived"], job["enqueued_at"]) == (PRIORITY_BULK, 1, clock())
    assert not {"retry_count", "tries", "next_retry_at"} & set(job)
    assert list(bench.dead_letters()) == [2]
    assert bench.told == [("info", "Retrying 1 job that failed during an outage")]
    bench.work()
    assert item.title == "Title 1"


def test_dead_letter_that_fails_again_is_retried_after_growing_pauses(
    bench: Bench, clock: Clock, retry: DlqRetry, add_dead_letter: Callable[..., None]
) -> None:
    add_dead_letter(1, exceptions.PlexTemporaryError("500"))
    moments = []
    while clock.now < START + 10 * LONGEST_PAUSE_S:
        # a breaker that flaps tells it all the time
        if retry.retry_due() or retry.retry_after_outage():
            moments.append(clock.now)
            bench.store.clear_waiting()
            add_dead_letter(1, exceptions.PlexTemporaryError("500"), revived=len(moments))
        clock.sleep(CHECK_INTERVAL_S)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert moments[0] == START
    assert pauses[0] == pytest.approx(2 * FIRST_PAUSE_S, abs=CHECK_INTERVAL_S)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_S, abs=CHECK_INTERVAL_S)
    assert pauses == sorted(pauses)


def test_dead_letter_without_an_open_breaker_is_retried_after_its_pause(
    clock: Clock, retry: DlqRetry, add_dead_letter: Callable[..., None]
) -> None:
    add_dead_letter(1, client.StashUnreachable("away"))
    clock.sleep(CHECK_INTERVAL_S)
    assert retry.retry_due() == 0
    clock.sleep(FIRST_PAUSE_S)
    assert retry.retry_due() == 1
    assert retry.retry_due() == 0


@pytest.mark.parametrize("days", [-30, 30])
def test_dead_letter_after_a_clock_change_is_still_retried(
    clock: Clock, retry: DlqRetry, add_dead_letter: Callable[..., None], days: int
) -> None:
    add_dead_letter(1, exceptions.PlexServerDown("away"))
    clock.sleep(days * 86_400)
    assert retry.retry_due() == 1


def test_dead_letter_with_a_waiting_row_makes_that_row_due(
    bench: Bench, retry: DlqRetry, add_dead_letter: Callable[..., None]
) -> None:
    add_dead_letter(1, exceptions.PlexServerDown("away"))
    bench.save(1)
    assert retry.retry_after_outage() == 1
    assert bench.store.waiting_count() == 1


def test_many_dead_letters_are_retried_in_pages(
    bench: Bench, retry: DlqRetry, add_dead_letter: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dlq_retry, "PAGE_SIZE", 7)
    for scene_id in range(1, 101):
        add_dead_letter(
            scene_id, exceptions.PlexServerDown("away") if scene_id % 2 else exceptions.PlexPermanentError("no")
        )
    assert retry.retry_after_outage() == 50
    assert bench.store.waiting_count() == 50
    assert bench.dlq.count() == 50


def test_delete_requeued_keeps_a_dead_letter_that_was_renewed(
    bench: Bench, clock: Clock, add_dead_letter: Callable[..., None]
) -> None:
    add_dead_letter(1, exceptions.PlexServerDown("away"))
    dead_letters = read_dead_letters(bench.db)
    clock.sleep(1)
    add_dead_letter(1, exceptions.PlexPermanentError("no"))
    delete_requeued(bench.db, dead_letters)
    assert bench.dead_letters()[1]["error_type"] == "PlexPermanentError"
    delete_requeued(bench.db, read_dead_letters(bench.db))
    assert bench.dead_letters() == {}


def test_requeued_job_of_every_kind_keeps_its_subject(bench: Bench, clock: Clock) -> None:
    entity = {**new_entity_job("studio", 4, priority=0, now=START), "after": 17, "retry_count": 3}
    way_back = {**new_job(5, "give_back", {}, priority=2, now=START), "job_key": "giveback_5", "awaits_file": True}
    pictures = {**new_job(6, "metadata", {"path": "/x"}, priority=2, now=START), "images_only": True, "by_hand": True}
    for job in (entity, way_back, pictures, {"job_key": "odd", "scene_id": None}):
        bench.dlq.add(job, ValueError("x"), now=clock())
    bench.db.execute("UPDATE dead_letters SET job = '{' WHERE job_key = 'scene_6'")
    found = {
        dead_letter.job_key: again.as_row()
        if (again := requeued_job(dead_letter, priority=PRIORITY_SCAN, now=9.0))
        else None
        for dead_letter in read_dead_letters(bench.db)
    }
    assert found == {
        "giveback_5": {**new_job(5, "give_back", {}, priority=1, now=9.0), "job_key": "giveback_5"},
        "odd": None,
        "scene_6": None,
        "studio_4": {**new_entity_job("studio", 4, priority=1, now=9.0), "after": 17},
    }
    bench.db.execute("UPDATE dead_letters SET job = ? WHERE job_key = 'scene_6'", (json.dumps(pictures),))
    [dead_letter] = [entry for entry in read_dead_letters(bench.db) if entry.job_key == "scene_6"]
    again = requeued_job(dead_letter, priority=PRIORITY_SCAN, now=9.0)
    assert again is not None
    assert (again.data, again.by_hand, again.images_only) == ({"path": "/x"}, True, False)


def test_retry_due_without_dead_letters_is_cheap(clock: Clock, retry: DlqRetry, plex: PlexSim) -> None:
    before = len(plex.requests)
    for _ in range(1_000):
        assert retry.retry_due() == 0
        clock.sleep(1)
    assert len(plex.requests) == before

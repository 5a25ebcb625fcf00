"""Whatever happens in whatever order: no event is lost, and a scene has at most one row that waits."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from common.job_rows import scene_key
from sync_queue.setup import open_writer, set_up
from sync_queue.store import Claimed, JobStore
from sync_queue.writer import queue_dir
from tests.sync_queue.support import due_at

from .support import job_text, rows

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

SCENES = st.integers(1, 3)


class Queue(RuleBasedStateMachine):
    """Hooks, one worker, and its death, over one clock that counts the steps.

    ``saved``: when each scene was saved last. ``covered``: up to when its state was read, by jobs that were finished.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.data_dir = self.stack.enter_context(tempfile.TemporaryDirectory())
        set_up(self.data_dir)
        self.writer = open_writer(self.data_dir)
        self.store = JobStore(queue_dir(self.data_dir))
        self.clock = 1_000
        self.saved: dict[int, int] = {}
        self.covered: dict[int, int] = {}
        self.in_flight: list[tuple[Claimed, int]] = []

    def teardown(self) -> None:
        self.writer.close()
        self.store.close()
        self.stack.close()

    @rule(scene=SCENES, priority=st.integers(0, 2))
    def save(self, scene: int, priority: int) -> None:
        self.clock += 1
        self.writer.fold(job_text(scene, priority, float(self.clock)), scene_key(scene))
        self.saved[scene] = self.clock

    @rule(limit=st.integers(1, 3), urgent=st.booleans(), later=st.integers(0, 200))
    def claim(self, limit: int, urgent: bool, later: int) -> None:
        self.clock += 1 + later
        claimed = self.store.claim(limit, float(self.clock), urgent)
        assert len(claimed) <= limit
        self.in_flight += [(row, self.clock) for row in claimed]

    @precondition(lambda self: bool(self.in_flight))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        row, read_at = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        scene = row.job.scene_id or 0
        self.covered[scene] = max(read_at, self.covered.get(scene, 0))
        self.store.finish([row.row_id])

    @precondition(lambda self: bool(self.in_flight))
    @rule(data=st.data(), wait=st.integers(0, 100))
    def fail(self, data: st.DataObject, wait: int) -> None:
        row, _ = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        self.store.retry(row.row_id, due_at(row.job, self.clock + wait))

    @precondition(lambda self: bool(self.in_flight))
    @rule(data=st.data())
    def drop_superseded(self, data: st.DataObject) -> None:
        row, read_at = data.draw(st.sampled_from(self.in_flight))
        if self.store.is_superseded(row):
            self.in_flight.remove((row, read_at))
            self.store.finish([row.row_id])

    @rule()
    def die_and_resume(self) -> None:
        self.store.close()
        self.store = JobStore(queue_dir(self.data_dir))
        self.store.resume()
        self.in_flight = []

    @invariant()
    def no_event_is_lost(self) -> None:
        alive = {row.job["scene_id"] for row in rows(self.data_dir) if row.status <= 2}
        for scene, moment in self.saved.items():
            assert scene in alive or self.covered.get(scene, 0) >= moment, f"the save of scene {scene} is lost"

    @invariant()
    def one_row_of_a_scene_waits(self) -> None:
        count = Counter(row.job["job_key"] for row in rows(self.data_dir) if row.status < 2)
        assert all(number == 1 for number in count.values()), count

    @invariant()
    def what_is_over_leaves_the_table(self) -> None:
        assert {row.status for row in rows(self.data_dir)} <= {0, 1, 2}


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)

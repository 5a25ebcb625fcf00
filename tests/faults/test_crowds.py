"""Fifty hooks at once, on a data directory that is there and on one that is not: no error, and nothing lost."""

from __future__ import annotations

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.library import generate
from tests.faults import invariant
from tests.faults.nursery import Nursery
from tests.faults.size import many
from tests.faults.tally import Tally
from tests.house import House, wait

MANY = 50
ROUNDS = many(5, 20)


def crowd(house: House, scene_ids: list[int], number: int) -> None:
    """All scenes are saved at the same moment; each has its own browser, and its own hook."""
    seen = len(house.stash.processes)
    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(lambda scene: house.save(scene, title=f"Round {number}, scene {scene}"), scene_ids))
    house.quiet(60)
    hooks = [process for process in house.stash.processes[seen:] if process.kind == "hook"]
    assert [(hook.exit_code, hook.output, hook.error) for hook in hooks] == [(0, "ok", None)] * len(scene_ids)
    wait(lambda: not invariant.in_house(house, scene_ids), 5, lambda: "\n".join(invariant.in_house(house, scene_ids)))
    noise = [line.message for line in house.stash.log if line.level in ("Error", "Warning")]
    assert noise == []


@pytest.mark.parametrize("empty", [True, False], ids=["on nothing", "on what is there"])
def test_fifty_hooks_at_once(tmp_path: Path, empty: bool, tally: Tally) -> None:
    """The first round with Python as it is; the others with processes that are quicker, and so meet more closely."""
    nursery = Nursery(tmp_path / "nursery")
    for number in range(ROUNDS):
        quicker = {"python": str(nursery.python)} if number else {}
        house = House(tmp_path / str(number), generate(number, 90), **quicker)
        house.start()
        try:
            scenes = house.with_file(MANY)
            if not empty:
                house.save(scenes[0], title="The first of all")
                house.quiet()
            crowd(house, scenes, number)
            if not empty and number == 1:
                # nobody at work, and everything there
                house.end_drainer(signal.SIGKILL)
                crowd(house, scenes, -number)
            assert not nursery.two_drainers()
            assert nursery.broken() == ""
        finally:
            house.stop()
            shutil.rmtree(tmp_path / str(number))
        tally("crowds of 50 hooks")
    nursery.close()

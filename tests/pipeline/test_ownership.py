"""One item, several scenes that lay claim to it: which of them the item shows, through the whole worker pipeline."""

from __future__ import annotations

import pytest

from common.scene import SceneFile
from common.verdicts import Verdict
from state.manual_matches import ManualMatches
from tests.worker.conftest import MakeBench
from tests.worker.support import Bench, scene

pytestmark = pytest.mark.integration

PROVER, GUESSER = 2, 1
PROVEN_PATH, GUESSED_PATH = "/data/films/clip.mp4", "/data/other/clip.mp4"


def save(bench: Bench, scene_id: int, path: str, title: str) -> None:
    bench.clock.now += 60
    found = scene(scene_id, path, updated_at=bench.clock(), title=title)
    # The guess has the name of the item's file, and another size.
    found.files[0] = SceneFile(path, 500 if scene_id == PROVER else 7)
    bench.scenes[scene_id] = found
    bench.save(scene_id)
    bench.work()


@pytest.mark.parametrize("guess_first", [True, False], ids=["guess first", "proof first"])
def test_guess_on_an_item_another_scene_proves_is_shared_and_writes_nothing(
    make_bench: MakeBench, guess_first: bool
) -> None:
    bench = make_bench(strict_matching=False)
    item = bench.plex.add_item(bench.section, [(PROVEN_PATH, 500, 9.0)])
    if guess_first:
        save(bench, GUESSER, GUESSED_PATH, "Guess 0")
        assert item.title == "Guess 0"
    for number in range(1, 4):
        save(bench, PROVER, PROVEN_PATH, f"Proof {number}")
        assert item.title == f"Proof {number}"
        save(bench, GUESSER, GUESSED_PATH, f"Guess {number}")
        assert item.title == f"Proof {number}"
        assert bench.entry(GUESSER).verdict is Verdict.SHARED
        assert bench.entry(PROVER).verdict is Verdict.WRITTEN


@pytest.mark.parametrize("guess_first", [True, False], ids=["guess first", "proof first"])
def test_guess_among_items_of_equal_name_and_size_yields_to_a_proof_by_them(
    make_bench: MakeBench, guess_first: bool
) -> None:
    bench = make_bench(strict_matching=False)
    item, copy = (bench.plex.add_item(bench.section, [(f"/data/{name}/clip.mp4", 500, 9.0)]) for name in ("a", "b"))
    # The item is proven for the one scene alone, whose user has rejected the other copy.
    copies = [(part.file, part.size) for part in copy.parts()]
    ManualMatches(bench.db).reject(PROVER, bench.section.key, copy.rating_key, copies, bench.clock())
    for number in range(1, 4):
        for scene_id in (GUESSER, PROVER) if guess_first else (PROVER, GUESSER):
            bench.clock.now += 60
            path = f"/stash/{scene_id}/clip.mp4"
            found = scene(scene_id, path, updated_at=bench.clock(), title=f"Scene {scene_id}, {number}")
            found.files[0] = SceneFile(path, 500)
            bench.scenes[scene_id] = found
            bench.save(scene_id)
            bench.work()
        assert item.title == f"Scene {PROVER}, {number}"
        assert bench.entry(PROVER).verdict is Verdict.WRITTEN
    assert bench.entry(GUESSER).verdict is Verdict.SHARED

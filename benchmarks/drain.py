"""The drainer at thousands of waiting scenes, changed and unchanged, and the same HTTP requests sent by a bare client.

Both times are from the first request to the last answer, as the servers see them; the requests to Stash are among them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.results import By, Result, main
from benchmarks.stages import change, drained, enqueue, first_save, start_drainer, written_scenes
from benchmarks.tap import Tap, Traffic, replay
from sandbox.demo.stage import Stage

TARGET = 1.5
SLOW = 0.02


def measure(full: bool) -> Iterator[Result]:
    """Changed scenes with a Plex that answers at once and one that takes 20 ms, then unchanged ones."""
    scenes, rounds = (5000, 3) if full else (2000, 3)
    slow_scenes, slow_rounds = (5000, 1) if full else (500, 2)
    with Stage(scenes + scenes // 10, old=False) as stage:
        first_save(stage)
        chosen = written_scenes(stage)[:scenes]
        drain(stage, chosen)
        yield _row(stage, "changed", chosen, rounds)
        yield _row(stage, "unchanged", chosen, rounds)
        stage.plex.faults.set(latency=SLOW)
        yield _row(stage, "changed", chosen[:slow_scenes], slow_rounds, SLOW)
        yield _row(stage, "unchanged", chosen[:slow_scenes], slow_rounds, SLOW)


def drain(stage: Stage, scene_ids: list[int]) -> Traffic:
    """Queue scenes while no drainer lives, have one work them off, and give what it asked for."""
    stage.stop_drainer()
    enqueue(stage.data_dir, scene_ids)
    with Tap(stage) as traffic:
        start_drainer(stage)
        drained(stage)
    return traffic


def _row(stage: Stage, kind: str, chosen: list[int], rounds: int, latency: float = 0.0) -> Result:
    ours, bare, note = [], [], ""
    for turn in range(rounds):
        if kind == "changed":
            change(stage, chosen, f"Words of round {turn} at {latency}")
        traffic = drain(stage, chosen)
        puts = traffic.count(1, "PUT")
        # A scene with two files may have two items.
        if puts < len(chosen) if kind == "changed" else puts > 0:
            raise RuntimeError(f"{puts} edits of {len(chosen)} {kind} scenes")
        ours.append(traffic.took)
        bare.append(replay(stage, traffic).took)
        note = f"{traffic.count(0):,} requests to Stash, {traffic.count(1, 'GET'):,} reads and {puts:,} edits at Plex"
    return Result(
        f"drain of {len(chosen):,} {kind} scenes",
        statistics.median(ours),
        "s",
        rounds,
        len(stage.library.scenes),
        TARGET,
        By.RATIO,
        statistics.median(bare),
        "the same requests sent by a bare client" if kind == "changed" else "the bare reads",
        latency,
        note,
    )


if __name__ == "__main__":
    main(measure, __doc__)

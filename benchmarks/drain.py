"""The drainer at thousands of waiting scenes, changed and unchanged, and the same HTTP requests sent by a bare client.

Both times are from the first request to the last answer, as the servers see them; the requests to Stash are among them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.results import By, Result, main
from benchmarks.stages import change, drained, enqueue, first_save, start_drainer, written_scenes
from benchmarks.tap import RequestCounts, Tap, replay
from sandbox.demo.servers import DemoServers

TARGET = 1.5
SLOW = 0.02


def measure(full: bool) -> Iterator[Result]:
    """Changed scenes with a Plex that answers at once and one that takes 20 ms, then unchanged ones."""
    scenes, rounds = (5000, 3) if full else (2000, 3)
    slow_scenes, slow_rounds = (5000, 1) if full else (500, 2)
    with DemoServers(scenes + scenes // 10, old_values=False) as servers:
        first_save(servers)
        chosen = written_scenes(servers)[:scenes]
        drain(servers, chosen)
        yield _row(servers, "changed", chosen, rounds)
        yield _row(servers, "unchanged", chosen, rounds)
        servers.plex.faults.set(latency=SLOW)
        yield _row(servers, "changed", chosen[:slow_scenes], slow_rounds, SLOW)
        yield _row(servers, "unchanged", chosen[:slow_scenes], slow_rounds, SLOW)


def drain(servers: DemoServers, scene_ids: list[int]) -> RequestCounts:
    """Queue scenes while no drainer lives, have one work them off, and give what it asked for."""
    servers.stop_worker()
    enqueue(servers.data_dir, scene_ids)
    with Tap(servers) as traffic:
        start_drainer(servers)
        drained(servers)
    return traffic


def _row(servers: DemoServers, kind: str, chosen: list[int], rounds: int, latency: float = 0.0) -> Result:
    ours, bare, note = [], [], ""
    for turn in range(rounds):
        if kind == "changed":
            change(servers, chosen, f"Words of round {turn} at {latency}")
        traffic = drain(servers, chosen)
        puts = traffic.count(1, "PUT")
        # A scene with two files may have two items.
        if puts < len(chosen) if kind == "changed" else puts > 0:
            raise RuntimeError(f"{puts} edits of {len(chosen)} {kind} scenes")
        ours.append(traffic.took)
        bare.append(replay(servers, traffic).took)
        note = f"{traffic.count(0):,} requests to Stash, {traffic.count(1, 'GET'):,} reads and {puts:,} edits at Plex"
    return Result(
        f"drain of {len(chosen):,} {kind} scenes",
        statistics.median(ours),
        "s",
        rounds,
        len(servers.library.scenes),
        TARGET,
        By.RATIO,
        statistics.median(bare),
        "the same requests sent by a bare client" if kind == "changed" else "the bare reads",
        latency,
        note,
    )


if __name__ == "__main__":
    main(measure, __doc__)

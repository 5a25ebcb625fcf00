"""The worker with thousands of waiting scenes, compared with a bare client that sends the same HTTP requests.

Both times run from the first request to the last answer, as the servers see them, and include the requests to Stash.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.request_recorder import RecordedRequests, RequestRecorder, replay
from benchmarks.results import By, Result, main
from benchmarks.setup_steps import change, enqueue, first_save, start_worker, wait_until_queue_empty, written_scenes
from sandbox.demo.servers import DemoServers

TARGET = 1.5
SLOW_PLEX_S = 0.02


def measure(full: bool) -> Iterator[Result]:
    """Measure changed and unchanged scenes, with a Plex that answers at once and one that takes 20 ms."""
    scenes, rounds = (5000, 3) if full else (2000, 3)
    slow_scenes, slow_rounds = (5000, 1) if full else (500, 2)
    with DemoServers(scenes + scenes // 10, old_values=False) as servers:
        first_save(servers)
        chosen = written_scenes(servers)[:scenes]
        process_queue(servers, chosen)
        yield _row(servers, "changed", chosen, rounds)
        yield _row(servers, "unchanged", chosen, rounds)
        servers.plex.faults.set(latency=SLOW_PLEX_S)
        yield _row(servers, "changed", chosen[:slow_scenes], slow_rounds, SLOW_PLEX_S)
        yield _row(servers, "unchanged", chosen[:slow_scenes], slow_rounds, SLOW_PLEX_S)


def process_queue(servers: DemoServers, scene_ids: list[int]) -> RecordedRequests:
    """Queue scenes while no worker runs, let one process them all, and return its requests."""
    servers.stop_worker()
    enqueue(servers.data_dir, scene_ids)
    with RequestRecorder(servers) as recorded:
        start_worker(servers)
        wait_until_queue_empty(servers)
    return recorded


def _row(servers: DemoServers, kind: str, chosen: list[int], rounds: int, latency: float = 0.0) -> Result:
    ours, bare, note = [], [], ""
    for turn in range(rounds):
        if kind == "changed":
            change(servers, chosen, f"Details of round {turn} at {latency}")
        recorded = process_queue(servers, chosen)
        puts = recorded.count(1, "PUT")
        # A scene with two files may have two items.
        if puts < len(chosen) if kind == "changed" else puts > 0:
            raise RuntimeError(f"{puts} edits of {len(chosen)} {kind} scenes")
        ours.append(recorded.took)
        bare.append(replay(servers, recorded).took)
        note = f"{recorded.count(0):,} requests to Stash, {recorded.count(1, 'GET'):,} reads and {puts:,} edits at Plex"
    return Result(
        f"worker, {len(chosen):,} {kind} scenes",
        statistics.median(ours),
        "s",
        rounds,
        len(servers.library.scenes),
        TARGET,
        By.RATIO,
        statistics.median(bare),
        "the same requests sent by a bare client",
        latency,
        note,
    )


if __name__ == "__main__":
    main(measure, __doc__)

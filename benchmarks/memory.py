"""The peak memory (VmHWM) of a hook and of the worker, compared with an empty Python interpreter.

``benchmarks.reconcile`` measures the memory of a reconciliation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from benchmarks.processes import peak, peak_of_bare, peak_of_script
from benchmarks.results import By, Result, main
from benchmarks.setup_steps import (
    enqueue,
    first_save,
    process_environment,
    start_worker,
    wait_until_queue_empty,
    without_covers,
    written_scenes,
)
from sandbox.demo.measurements import last_hook
from sandbox.demo.servers import DemoServers

EMPTY_PYTHON = "an empty Python interpreter"


def measure(full: bool) -> Iterator[Result]:
    """Measure a hook, and a worker that reads a whole library for the first time and writes thousands of scenes."""
    rounds = 5
    with DemoServers(200) as servers:
        first_save(servers)
        hook = last_hook(servers)
        folder, env = process_environment(servers)
        hooks = [peak_of_script(hook.argv, hook.stdin, folder, env) for _ in range(rounds)]
        bare = statistics.median(peak_of_bare() for _ in range(rounds))
        scenes = len(servers.library.scenes)
        yield Result(
            "memory of a hook", statistics.median(hooks), "MB", rounds, scenes, 1.5, By.RATIO, bare, EMPTY_PYTHON
        )
    scenes, written = (100_000, 5_000) if full else (20_000, 1_000)
    with DemoServers(scenes, old_values=False) as servers:
        without_covers(servers)
        first_save(servers)
        wait_until_queue_empty(servers)
        servers.stop_worker()
        # Start again without an index, and with the whole library waiting.
        (servers.data_dir / "cache.db").unlink()
        enqueue(servers.data_dir, written_scenes(servers))
        servers.plex.reset_counters()
        start_worker(servers)
        most = _peak_after(servers, written)
        yield Result(
            "memory of the worker",
            most,
            "MB",
            1,
            scenes,
            60.0,
            By.ABOVE,
            bare,
            EMPTY_PYTHON,
            note=f"index built, {written:,} scenes written",
        )


def _peak_after(servers: DemoServers, written: int) -> float:
    end = time.monotonic() + 600
    while servers.plex.puts < written:
        if time.monotonic() > end:
            raise TimeoutError(f"{servers.plex.puts} of {written} scenes were written")
        time.sleep(0.1)
    pid = servers.worker_pid()
    if pid is None:
        raise RuntimeError("the worker has ended")
    return peak(pid)


if __name__ == "__main__":
    main(measure, __doc__)

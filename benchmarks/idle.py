"""The CPU time of an idle worker."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.processes import cpu_time
from benchmarks.results import Result, main
from benchmarks.setup_steps import first_save, wait_until_queue_empty
from sandbox.demo.measurements import run_task
from sandbox.demo.servers import DemoServers
from worker.queue_watch import BUSY_FOR_S

SCENES = 200


def measure(full: bool) -> Iterator[Result]:
    """Measure after the worker has slowed down: for half a minute after the last row it polls more often."""
    seconds = 60.0 if full else 20.0
    with DemoServers(SCENES) as servers:
        first_save(servers)
        run_task(servers, "Sync All Scenes")
        wait_until_queue_empty(servers)
        time.sleep(BUSY_FOR_S + 3)
        pid = servers.worker_pid()
        if pid is None:
            raise RuntimeError("the worker has ended")
        before = cpu_time(pid)
        time.sleep(seconds)
        used = (cpu_time(pid) - before) * 60 / seconds
    note = "" if full else f"measured over {seconds:.0f} s"
    yield Result("idle worker, CPU time per minute", used, "s", 1, SCENES, 0.1, note=note)


if __name__ == "__main__":
    main(measure, __doc__)

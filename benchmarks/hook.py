"""The time of a hook process, measured alternately with an empty Python process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from benchmarks.results import By, Result, main
from benchmarks.setup_steps import first_save
from sandbox.demo.measurements import run_task, time_hook_and_bare_python
from sandbox.demo.servers import DemoServers

SCENES = 200
TARGET = 2.0


def measure(full: bool) -> Iterator[Result]:
    """Measure the hook under each condition; all but the start of a worker have the target of 2.0 times."""
    with DemoServers(SCENES) as servers:
        first_save(servers)

        def row(what: str, rounds: int, target: float | None = TARGET, before: Callable[[], None] = _nothing) -> Result:
            timing = time_hook_and_bare_python(servers, rounds, before)
            return Result(
                f"hook, {what}",
                timing.hook,
                "s",
                rounds,
                SCENES,
                target,
                By.RATIO,
                timing.bare,
                "python3 -c pass",
                note=f"median ratio of the pairs {timing.typical:.2f}",
            )

        yield row("worker running", 50)
        yield row("starts the worker", 20, None, lambda: _stop_worker(servers))
        servers.plex.faults.set(write_latency=0.05)
        run_task(servers, "Sync All Scenes")
        yield row("worker busy with a bulk sync", 50)
        if full:
            servers.plex.faults.set(latency=1.0)
            yield row("Plex answers after 1 s", 50)
            servers.plex.faults.set(hang=True)
            yield row("Plex hangs", 50)
            servers.plex.faults.clear()
            servers.plex.faults.refuse()
            time.sleep(1.0)
            yield row("Plex refuses connections", 50)


def _nothing() -> None:
    pass


def _stop_worker(servers: DemoServers) -> None:
    servers.stop_worker()
    time.sleep(0.05)  # the worker releases its lock a moment after its last status


if __name__ == "__main__":
    main(measure, __doc__)

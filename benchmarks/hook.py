"""What a save costs: a hook process, and a Python that does nothing, turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from benchmarks.results import By, Result, main
from benchmarks.stages import first_save
from sandbox.demo.measurements import run_task, time_hook_and_bare_python
from sandbox.demo.servers import DemoServers

SCENES = 200
TARGET = 2.0


def measure(full: bool) -> Iterator[Result]:
    """The hook under each condition; 2.0 times is the target under all of them but the start of a drainer."""
    with DemoServers(SCENES) as servers:
        first_save(servers)

        def row(what: str, rounds: int, target: float | None = TARGET, before: Callable[[], None] = _nothing) -> Result:
            found = time_hook_and_bare_python(servers, rounds, before)
            return Result(
                f"hook, {what}",
                found.hook,
                "s",
                rounds,
                SCENES,
                target,
                By.RATIO,
                found.bare,
                "python3 -c pass",
                note=f"median of the pairs' ratios {found.typical:.2f}",
            )

        yield row("drainer alive", 50)
        yield row("it starts the drainer", 20, None, lambda: _without_drainer(servers))
        servers.plex.faults.set(write_latency=0.05)
        run_task(servers, "Sync All Scenes")
        yield row("drainer busy with a bulk", 50)
        if full:
            servers.plex.faults.set(latency=1.0)
            yield row("Plex takes 1 s an answer", 50)
            servers.plex.faults.set(hang=True)
            yield row("Plex hangs", 50)
            servers.plex.faults.clear()
            servers.plex.faults.refuse()
            time.sleep(1.0)
            yield row("Plex refuses connections", 50)


def _nothing() -> None:
    pass


def _without_drainer(servers: DemoServers) -> None:
    servers.stop_worker()
    time.sleep(0.05)  # it lets go of its lock a moment after its last words


if __name__ == "__main__":
    main(measure, __doc__)

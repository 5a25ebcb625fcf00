"""View Queue Status with a whole library waiting, compared with an empty Python process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.processes import BARE, alternating_medians
from benchmarks.results import By, Result, main
from benchmarks.setup_steps import enqueue, first_save, last_process, process_environment
from common.errors import PermanentError
from common.job_rows import PRIORITY_BULK, new_job
from common.scene import SceneFile
from common.sqlite import transaction
from common.verdicts import Verdict
from sandbox.demo.measurements import run_task
from sandbox.demo.servers import DemoServers
from sandbox.stash import PluginProcess
from sandbox.timed_process import timed
from state import database
from state.ledger import Ledger, LedgerItem, LedgerRow
from sync_queue.dlq import DeadLetterQueue

WAITING = 100_000
DEAD_LETTERS = 1_000
_OPERATION = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "status" }) }'


def measure(full: bool) -> Iterator[Result]:
    """Measure the task and the page's operation while all scenes are waiting and were synced before."""
    rounds = 30 if full else 15
    with DemoServers(200, old_values=False) as servers:
        first_save(servers)
        processes = {"task": _task(servers), "page operation": _operation(servers)}
        folder, env = process_environment(servers)

        def measure_with_baseline(process: PluginProcess) -> list[float]:
            return alternating_medians(
                rounds,
                lambda: timed(process.argv, process.stdin, folder, env),
                lambda: timed(BARE, b"", folder, env),
            )

        empty = {name: measure_with_baseline(process) for name, process in processes.items()}
        servers.stop_worker()
        enqueue(servers.data_dir, range(1, WAITING + 1))
        _fill(servers.data_dir)
        for name, process in processes.items():
            ours, bare = measure_with_baseline(process)
            before = empty[name][0] / empty[name][1]
            note = f"{WAITING:,} rows waiting, {DEAD_LETTERS:,} dead letters; with an empty queue {before:.2f}x"
            figure = f"queue status, {name}"
            yield Result(figure, ours, "s", rounds, WAITING, 3.0, By.RATIO, bare, "python3 -c pass", note=note)


def _task(servers: DemoServers) -> PluginProcess:
    run_task(servers, "View Queue Status")
    # The task may have stored the settings' defaults, and settings that are this new are read from Stash each time.
    time.sleep(2.5)
    return last_process(servers)


def _operation(servers: DemoServers) -> PluginProcess:
    servers.stash.gql(_OPERATION)
    return last_process(servers)


def _fill(data_dir: Path) -> None:
    with closing(database.connect(str(data_dir))) as db:
        ledger = Ledger(db)
        with transaction(db):
            for number in range(1, WAITING + 1):
                path = f"/data/studio {number % 97}/scene {number} of many.mp4"
                items = (LedgerItem(number, 1, path),)
                files = (SceneFile(path, number * 1000, 60.0),)
                ledger.put(LedgerRow(number, Verdict.WRITTEN, 1.7e9, files=files, items=items, fingerprint="0" * 16))
    dead_letters = DeadLetterQueue(str(data_dir))
    candidates = [
        {"rating_key": number, "title": "a scene", "path": f"/data/copy {number}/a scene.mp4", "reasons": []}
        for number in range(4)
    ]
    for number in range(1, DEAD_LETTERS + 1):
        job = new_job(number, "metadata", {"details": "words " * 100}, priority=PRIORITY_BULK, now=1.7e9)
        dead_letters.add(job, PermanentError("Plex refused it"), 5, detail={"candidates": candidates})
    with closing(sqlite3.connect(data_dir / "cache.db")) as db:
        # One item per scene, so that the file is as large as for a real library.
        db.executemany(
            "INSERT OR REPLACE INTO items (rating_key, section, title) VALUES (?,1,?)",
            ((number, f"scene {number} of many") for number in range(1, WAITING + 1)),
        )
        db.executemany(
            "INSERT OR REPLACE INTO parts (rating_key, place, path, path_key, base_key) VALUES (?,0,?,?,?)",
            (
                (number, f"/data/studio {number % 97}/scene {number} of many.mp4", number, number)
                for number in range(1, WAITING + 1)
            ),
        )
        db.commit()


if __name__ == "__main__":
    main(measure, __doc__)

"""The size of the data directory after a sync of the whole library.

The real worker writes every scene over HTTP. Scenes have no covers. The size of a smaller library is extrapolated to
100,000 scenes, except for the log and the events, which are bounded.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.results import Result, main
from benchmarks.setup_steps import first_save, wait_until_queue_empty, without_covers
from sandbox.demo.measurements import run_task
from sandbox.demo.servers import DemoServers

SYNCS = 100_000
TARGET = 80.0
# Bounded for any library.
_BOUNDED = ("stash2plex.log", "events")


def measure(full: bool) -> Iterator[Result]:
    """Add up all files; the note lists the largest parts."""
    scenes = SYNCS if full else 5_000
    with DemoServers(scenes, old_values=False) as servers:
        without_covers(servers)
        first_save(servers)
        run_task(servers, "Sync All Scenes", timeout_s=600)
        wait_until_queue_empty(servers)
        _checkpoint_databases(servers)
        parts = sizes(servers.data_dir)
    factor = SYNCS / scenes
    whole = {name: size * (1 if name.startswith(_BOUNDED) else factor) / 1e6 for name, size in parts.items()}
    largest = ", ".join(f"{name} {size:.1f}" for name, size in sorted(whole.items(), key=lambda part: -part[1])[:12])
    note = largest + ("" if full else f"; extrapolated from {scenes:,} scenes")
    yield Result(f"data directory after {SYNCS:,} syncs", sum(whole.values()), "MB", 1, scenes, TARGET, note=note)


def _checkpoint_databases(servers: DemoServers) -> None:
    # The worker flushes the timestamps at its end, and the last connection checkpoints the write-ahead log.
    servers.stop_worker()
    while any(servers.data_dir.rglob("*-wal")):
        for path in servers.data_dir.rglob("*.db"):
            with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def sizes(data_dir: Path) -> Counter[str]:
    """Return bytes by file; for a database, by table and index if SQLite can tell."""
    found: Counter[str] = Counter()
    for path in (path for path in data_dir.rglob("*") if path.is_file()):
        size = path.stat().st_size
        if path.suffix == ".db":
            with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
                for name, used in db.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"):
                    found[name] += used
                    size -= used
        found[path.name] += size
    return found


if __name__ == "__main__":
    main(measure, __doc__)

"""Each file of the data directory damaged, and the disk full at each write.

Files that can be recreated are; the others are kept. Stash's log names the file and says what to do.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fault_counts import FaultCounts
from tests.faults.process_harness import ALL, ProcessHarness, wait_for
from tests.faults.suite_size import LONG, seeded_random

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=20)]

# Files that the plugin can recreate.
RECREATED = [
    *(
        "cache.db",
        "sync_timestamps.json",
        "reconciliation_state.json",
        "reconcile.due",
        "worker_status.json",
        "attention",
    ),
    *("worker.wait", "redaction.json", "client_id", "older.json", "stash2plex.log"),
]
# Files that must not be replaced automatically.
KEPT = ["queue/data.db", "state.db"]
JSON = {"sync_timestamps.json", "reconciliation_state.json"}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessHarness]:
    found = ProcessHarness(tmp_path_factory.mktemp("damage"))
    found.reconcile(ALL)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _remove_damaged_copies(harness: ProcessHarness) -> Iterator[None]:
    """Remove the damaged files that a test has put aside."""
    yield
    for path in harness.installation.data.glob("*.damaged*"):
        path.unlink()


def truncated(path: Path, chance: random.Random) -> None:
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[: len(data) // 2])


def random_bytes(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(max(4_096, path.stat().st_size if path.exists() else 0)))


def random_bytes_after_header(path: Path, chance: random.Random) -> None:
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[:100] + chance.randbytes(max(0, len(data) - 100)))


def emptied(path: Path, chance: random.Random) -> None:
    path.write_bytes(b"")


def missing(path: Path, chance: random.Random) -> None:
    path.unlink(missing_ok=True)


DAMAGES = [truncated, random_bytes_after_header, emptied, missing, random_bytes]


def flush_files(harness: ProcessHarness) -> None:
    """Kill the worker and write the write-ahead logs into the database files, which are then damaged."""
    harness.kill_worker()
    for name in ("queue/data.db", "state.db", "cache.db"):
        path = harness.installation.data / name
        if path.exists():
            _checkpoint(path)


def _checkpoint(path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def logged(harness: ProcessHarness, since: int, *levels: str) -> str:
    """Return the lines of Stash's log after line ``since``."""
    return "\n".join(line.message for line in harness.installation.stash.log[since:] if line.level in levels)


@pytest.mark.parametrize("name", RECREATED)
def test_damaged_file_that_can_be_recreated_is_recreated(
    harness: ProcessHarness, name: str, fault_counts: FaultCounts
) -> None:
    lines_before = len(harness.installation.stash.log)
    for damage in DAMAGES if LONG else [*seeded_random(name).sample(DAMAGES, 1), random_bytes]:
        chance = seeded_random(f"{name} {damage.__name__}")
        flush_files(harness)
        damage(harness.installation.data / name, chance)
        edited = harness.save_scene(chance.choice(harness.scenes))
        harness.wait_until_idle()
        assert harness.unsynced_fields([edited]) == {}, damage.__name__
        fault_counts.add("files damaged")
    harness.reconcile(ALL)
    harness.assert_invariants()
    assert "was not queued" not in logged(harness, lines_before, "Error")
    if name in (*JSON, "cache.db"):
        assert list(harness.installation.data.glob(f"{name}.damaged*"))
        wait_for(
            lambda: f"{name} was damaged: it was moved to" in logged(harness, lines_before, "Error"),
            10,
            "the log line",
        )
    if name == "attention":
        wait_for(lambda: harness.installation.attention() is None, 10, "the unreadable file to be removed")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize(
    "damage", [truncated, random_bytes, random_bytes_after_header], ids=lambda damage: damage.__name__
)
def test_damaged_database_is_kept_and_reported(
    harness: ProcessHarness, name: str, damage: object, fault_counts: FaultCounts
) -> None:
    installation, chance, lines_before = harness.installation, seeded_random(name), len(harness.installation.stash.log)
    flush_files(harness)
    path = installation.data / name
    good = installation.folder / "good"
    shutil.copyfile(path, good)
    damage(path, chance)  # type: ignore[operator]
    broken = path.read_bytes()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    scenes = harness.scenes[:3]
    for scene_id in scenes:
        harness.save_scene(scene_id)
    if str(path) not in logged(harness, lines_before, "Error"):
        # the hook could write its row: the worker finds the damage
        wait_for(
            lambda: str(path) in (installation.attention() or ""),
            10,
            lambda: f"the reason in the attention file, not {installation.attention()}",
        )
        harness.save_scene(scenes[0])
    assert str(path) in logged(harness, lines_before, "Error", "Warning")
    harness.kill_worker()
    assert path.exists()
    assert not list(path.parent.glob(f"{path.name}.*"))
    if damage is random_bytes:
        assert path.read_bytes() == broken
    # the user restores a copy
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(good, path)
    harness.save_scene(harness.scenes[-1])
    harness.wait_until_idle()
    harness.reconcile(ALL)
    assert harness.unsynced_fields(harness.scenes) == {}
    wait_for(lambda: installation.attention() is None, 10, "the reason to be cleared")
    harness.assert_invariants()
    fault_counts.add("files damaged")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("damage", [emptied, missing], ids=lambda damage: damage.__name__)
def test_missing_database_is_created_and_reported(
    harness: ProcessHarness, name: str, damage: object, fault_counts: FaultCounts
) -> None:
    lines_before = len(harness.installation.stash.log)
    flush_files(harness)
    path = harness.installation.data / name
    damage(path, seeded_random(name))  # type: ignore[operator]
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    for scene_id in harness.scenes[:2]:
        harness.save_scene(scene_id)
    harness.wait_until_idle()
    assert harness.unsynced_fields(harness.scenes[:2]) == {}
    wait_for(
        lambda: f"{path} was missing, or empty" in logged(harness, lines_before, "Error", "Warning"), 10, "the log line"
    )
    harness.reconcile(ALL)
    harness.assert_invariants()
    fault_counts.add("files damaged")


@pytest.mark.parametrize("error", ["database or disk is full", "attempt to write a readonly database"])
@pytest.mark.parametrize("kind", ["hook", "worker", "reconcile_recent"])
def test_disk_that_is_full_from_some_write_on_loses_nothing(
    harness: ProcessHarness, kind: str, error: str, fault_counts: FaultCounts
) -> None:
    longest = {"hook": 6, "worker": 90, "reconcile_recent": 12}[kind]
    numbers = list(range(1, longest))
    if not LONG:
        numbers = sorted(seeded_random(kind + error).sample(numbers, 3))
    for number in numbers:
        harness.kill_worker()
        harness.fork_server.take_accepted_jobs()
        harness.fork_server.plan(kind, full=number, error=error)
        edited = harness.scenes[number % 10]
        before = len(harness.installation.stash.log)
        if kind == "reconcile_recent":
            harness.save_without_hook(edited)
            harness.installation.task("Reconcile Library (Recent)")
        else:
            harness.save_scene(edited)
        accepted = f"scene_{edited}" in harness.fork_server.take_accepted_jobs()
        if kind == "hook" and not accepted:
            refused = [line.message for line in harness.installation.stash.log[before:] if line.level == "Error"]
            assert any(f"Scene {edited} was not queued" in line for line in refused), refused
        if kind == "worker":
            harness.wait_for_kill(kind)
        harness.kill_worker()
        # the disk has space again
        harness.save_scene(harness.scenes[-1])
        harness.wait_until_idle()
        if not accepted:
            harness.reconcile("Reconcile Library (Recent)")
        assert harness.unsynced_fields([edited]) == {}
        assert not harness.installation.task("View Queue Status").error
        harness.assert_invariants()
        fault_counts.add("disks full or read-only")

"""Each file of the data directory damaged, and the disk full at each write: what can be made anew is; the rest is kept.

And it is said, in Stash's log, which file it is and what to do.
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

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=36)]

# What a save writes, and what can be done without.
OURS = [
    *(
        "cache.db",
        "sync_timestamps.json",
        "reconciliation_state.json",
        "reconcile.due",
        "worker_status.json",
        "attention",
    ),
    *("worker.wait", "discretion.json", "client_id", "older.json", "stash2plex.log"),
]
# What must not be replaced by itself.
KEPT = ["queue/data.db", "state.db"]
JSON = {"sync_timestamps.json", "reconciliation_state.json"}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessHarness]:
    found = ProcessHarness(tmp_path_factory.mktemp("damage"))
    found.reconcile(ALL)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _whole(harness: ProcessHarness) -> Iterator[None]:
    """What one test leaves aside is no concern of the next."""
    yield
    for path in harness.installation.data.glob("*.damaged*"):
        path.unlink()


def truncated(path: Path, chance: random.Random) -> None:
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[: len(data) // 2])


def noise(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(max(4_096, path.stat().st_size if path.exists() else 0)))


def noise_behind_the_head(path: Path, chance: random.Random) -> None:
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[:100] + chance.randbytes(max(0, len(data) - 100)))


def emptied(path: Path, chance: random.Random) -> None:
    path.write_bytes(b"")


def missing(path: Path, chance: random.Random) -> None:
    path.unlink(missing_ok=True)


DAMAGES = [truncated, noise_behind_the_head, emptied, missing, noise]


def settle_files(harness: ProcessHarness) -> None:
    """Nobody at work, and all that is in the write-ahead logs in the files: they are what is damaged."""
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


def said(harness: ProcessHarness, since: int, *levels: str) -> str:
    """What stands in Stash's log since so many lines."""
    return "\n".join(line.message for line in harness.installation.stash.log[since:] if line.level in levels)


@pytest.mark.parametrize("name", OURS)
def test_what_can_be_made_anew_is(harness: ProcessHarness, name: str, fault_counts: FaultCounts) -> None:
    seen = len(harness.installation.stash.log)
    for damage in DAMAGES if LONG else [*seeded_random(name).sample(DAMAGES, 1), noise]:
        chance = seeded_random(f"{name} {damage.__name__}")
        settle_files(harness)
        damage(harness.installation.data / name, chance)
        edited = harness.save_scene(chance.choice(harness.scenes))
        harness.wait_until_idle()
        assert harness.unsynced_fields([edited]) == {}, damage.__name__
        fault_counts.add("files damaged")
    harness.reconcile(ALL)
    harness.assert_invariants()
    assert "was not queued" not in said(harness, seen, "Error")
    if name in (*JSON, "cache.db"):
        assert list(harness.installation.data.glob(f"{name}.damaged*"))
        wait_for(lambda: f"{name} was damaged: it was put aside" in said(harness, seen, "Error"), 10, "it to be said")
    if name == "attention":
        wait_for(lambda: harness.installation.attention() is None, 10, "what nobody can read to be taken away")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("damage", [truncated, noise, noise_behind_the_head], ids=lambda one: one.__name__)
def test_what_cannot_be_made_anew_is_kept_and_named(
    harness: ProcessHarness, name: str, damage: object, fault_counts: FaultCounts
) -> None:
    installation, chance, seen = harness.installation, seeded_random(name), len(harness.installation.stash.log)
    settle_files(harness)
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
    if str(path) not in said(harness, seen, "Error"):
        # the hook could write its row: it is the drainer that finds out
        wait_for(
            lambda: str(path) in (installation.attention() or ""),
            10,
            lambda: f"it to be said; {installation.attention()}",
        )
        harness.save_scene(scenes[0])
    assert str(path) in said(harness, seen, "Error", "Warning")
    harness.kill_worker()
    assert path.exists()
    assert not list(path.parent.glob(f"{path.name}.*"))
    if damage is noise:
        assert path.read_bytes() == broken
    # the person puts a copy back
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(good, path)
    harness.save_scene(harness.scenes[-1])
    harness.wait_until_idle()
    harness.reconcile(ALL)
    assert harness.unsynced_fields(harness.scenes) == {}
    wait_for(lambda: installation.attention() is None, 10, "the reason to be taken back")
    harness.assert_invariants()
    fault_counts.add("files damaged")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("damage", [emptied, missing], ids=lambda one: one.__name__)
def test_what_has_vanished_is_begun_anew_and_that_is_said(
    harness: ProcessHarness, name: str, damage: object, fault_counts: FaultCounts
) -> None:
    seen = len(harness.installation.stash.log)
    settle_files(harness)
    path = harness.installation.data / name
    damage(path, seeded_random(name))  # type: ignore[operator]
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    for scene_id in harness.scenes[:2]:
        harness.save_scene(scene_id)
    harness.wait_until_idle()
    assert harness.unsynced_fields(harness.scenes[:2]) == {}
    wait_for(lambda: f"{path} was missing, or empty" in said(harness, seen, "Error", "Warning"), 10, "it to be said")
    harness.reconcile(ALL)
    harness.assert_invariants()
    fault_counts.add("files damaged")


@pytest.mark.parametrize("error", ["database or disk is full", "attempt to write a readonly database"])
@pytest.mark.parametrize("kind", ["hook", "worker", "reconcile_recent"])
def test_a_disk_that_takes_nothing_from_some_write_on(
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
        # there is space again
        harness.save_scene(harness.scenes[-1])
        harness.wait_until_idle()
        if not accepted:
            harness.reconcile("Reconcile Library (Recent)")
        assert harness.unsynced_fields([edited]) == {}
        assert not harness.installation.task("View Queue Status").error
        harness.assert_invariants()
        fault_counts.add("disks full or read-only")

"""Each file of the data directory damaged, and the disk full at each write: what can be made anew is; the rest is kept.

And it is said, in Stash's log, which file it is and what to do.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.size import dice, many
from tests.faults.stage import ALL, Stage, wait
from tests.faults.tally import Tally

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=36)]

# What a save writes, and what can be done without.
OURS = [
    *("cache.db", "sync_timestamps.json", "reconciliation_state.json", "reconcile.due", "drainer.json", "attention"),
    *("drainer.wait", "discretion.json", "client_id", "older.json", "stash2plex.log"),
]
# What must not be replaced by itself.
KEPT = ["queue/data.db", "state.db"]
JSON = {"sync_timestamps.json", "reconciliation_state.json"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("damage"))
    found.reconcile(ALL)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _whole(stage: Stage) -> Iterator[None]:
    """What one test leaves aside is no concern of the next."""
    yield
    for path in stage.installation.data.glob("*.damaged*"):
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


def settle_files(stage: Stage) -> None:
    """Nobody at work, and all that is in the write-ahead logs in the files: they are what is damaged."""
    stage.no_drainer()
    for name in ("queue/data.db", "state.db", "cache.db"):
        path = stage.installation.data / name
        if path.exists():
            _checkpoint(path)


def _checkpoint(path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def said(stage: Stage, since: int, *levels: str) -> str:
    """What stands in Stash's log since so many lines."""
    return "\n".join(line.message for line in stage.installation.stash.log[since:] if line.level in levels)


@pytest.mark.parametrize("name", OURS)
def test_what_can_be_made_anew_is(stage: Stage, name: str, tally: Tally) -> None:
    seen = len(stage.installation.stash.log)
    for damage in DAMAGES if many(0, 1) else [*dice(name).sample(DAMAGES, 1), noise]:
        chance = dice(f"{name} {damage.__name__}")
        settle_files(stage)
        damage(stage.installation.data / name, chance)
        edited = stage.save(chance.choice(stage.scenes))
        stage.quiet()
        assert stage.lacking([edited]) == {}, damage.__name__
        tally("files damaged")
    stage.reconcile(ALL)
    stage.must_hold()
    assert "was not queued" not in said(stage, seen, "Error")
    if name in (*JSON, "cache.db"):
        assert list(stage.installation.data.glob(f"{name}.damaged*"))
        wait(lambda: f"{name} was damaged: it was put aside" in said(stage, seen, "Error"), 10, "it to be said")
    if name == "attention":
        wait(lambda: stage.installation.attention() is None, 10, "what nobody can read to be taken away")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("damage", [truncated, noise, noise_behind_the_head], ids=lambda one: one.__name__)
def test_what_cannot_be_made_anew_is_kept_and_named(stage: Stage, name: str, damage: object, tally: Tally) -> None:
    installation, chance, seen = stage.installation, dice(name), len(stage.installation.stash.log)
    settle_files(stage)
    path = installation.data / name
    good = installation.folder / "good"
    shutil.copyfile(path, good)
    damage(path, chance)  # type: ignore[operator]
    broken = path.read_bytes()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    scenes = stage.scenes[:3]
    for scene_id in scenes:
        stage.save(scene_id)
    if str(path) not in said(stage, seen, "Error"):
        # the hook could write its row: it is the drainer that finds out
        wait(
            lambda: str(path) in (installation.attention() or ""),
            10,
            lambda: f"it to be said; {installation.attention()}",
        )
        stage.save(scenes[0])
    assert str(path) in said(stage, seen, "Error", "Warning")
    stage.no_drainer()
    assert path.exists()
    assert not list(path.parent.glob(f"{path.name}.*"))
    if damage is noise:
        assert path.read_bytes() == broken
    # the person puts a copy back
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(good, path)
    stage.save(stage.scenes[-1])
    stage.quiet()
    stage.reconcile(ALL)
    assert stage.lacking(stage.scenes) == {}
    wait(lambda: installation.attention() is None, 10, "the reason to be taken back")
    stage.must_hold()
    tally("files damaged")


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("damage", [emptied, missing], ids=lambda one: one.__name__)
def test_what_has_vanished_is_begun_anew_and_that_is_said(
    stage: Stage, name: str, damage: object, tally: Tally
) -> None:
    seen = len(stage.installation.stash.log)
    settle_files(stage)
    path = stage.installation.data / name
    damage(path, dice(name))  # type: ignore[operator]
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    for scene_id in stage.scenes[:2]:
        stage.save(scene_id)
    stage.quiet()
    assert stage.lacking(stage.scenes[:2]) == {}
    wait(lambda: f"{path} was missing, or empty" in said(stage, seen, "Error", "Warning"), 10, "it to be said")
    stage.reconcile(ALL)
    stage.must_hold()
    tally("files damaged")


@pytest.mark.parametrize("error", ["database or disk is full", "attempt to write a readonly database"])
@pytest.mark.parametrize("kind", ["hook", "drain", "reconcile_recent"])
def test_a_disk_that_takes_nothing_from_some_write_on(stage: Stage, kind: str, error: str, tally: Tally) -> None:
    longest = {"hook": 6, "drain": 90, "reconcile_recent": 12}[kind]
    numbers = range(1, longest) if many(0, 1) else sorted(dice(kind + error).sample(range(1, longest), 3))
    for number in numbers:
        stage.no_drainer()
        stage.fork_server.accepted()
        stage.fork_server.plan(kind, full=number, error=error)
        edited = stage.scenes[number % 10]
        before = len(stage.installation.stash.log)
        if kind == "reconcile_recent":
            stage.silently(edited)
            stage.installation.task("Reconcile Library (Recent)")
        else:
            stage.save(edited)
        accepted = f"scene_{edited}" in stage.fork_server.accepted()
        if kind == "hook" and not accepted:
            refused = [line.message for line in stage.installation.stash.log[before:] if line.level == "Error"]
            assert any(f"Scene {edited} was not queued" in line for line in refused), refused
        if kind == "drain":
            stage.killed(kind)
        stage.no_drainer()
        # there is space again
        stage.save(stage.scenes[-1])
        stage.quiet()
        if not accepted:
            stage.reconcile("Reconcile Library (Recent)")
        assert stage.lacking([edited]) == {}
        assert not stage.installation.task("View Queue Status").error
        stage.must_hold()
        tally("disks full or read-only")

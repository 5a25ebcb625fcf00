"""What a second process does in the tests of the queue. Says "ready", waits for a line, then works."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from common.job_rows import scene_key, scene_row
from sync_queue import operations
from sync_queue.setup import open_writer


def say(word: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def fold(data_dir: str, count: str, keys: str) -> None:
    """Fold ``count`` saves of ``keys`` scenes in turn, opening the queue anew each time as hooks do."""
    for number in range(int(count)):
        scene_id = number % int(keys) + 1
        writer = open_writer(data_dir)
        writer.fold(scene_row(scene_id, priority=number % 3, now=time.time()), scene_key(scene_id))
        writer.close()


def put_one(data_dir: str, scene_id: str) -> None:
    """One save, on a queue that may not be there yet."""
    writer = open_writer(data_dir)
    say(writer.fold(scene_row(int(scene_id), priority=0, now=time.time()), scene_key(int(scene_id))))
    writer.close()


def save(data_dir: str, scene_id: str, timestamp: str) -> None:
    """Save a sync timestamp."""
    operations.save_sync_timestamp(data_dir, int(scene_id), float(timestamp))


def load(data_dir: str) -> None:
    """Tell the sync timestamps."""
    say(sorted(operations.load_sync_timestamps(data_dir).items()))


ACTIONS: dict[str, Callable[..., None]] = {"fold": fold, "put_one": put_one, "save": save, "load": load}

if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    ACTIONS[sys.argv[1]](*sys.argv[2:])
